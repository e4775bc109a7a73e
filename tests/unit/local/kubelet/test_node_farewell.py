"""A node that said it is going says nothing else afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from maestro_cli.local.api import ApiClient
from maestro_cli.local.kubelet.node import NodeAgent
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.objects import Object
from maestro_cli.local.recorder import EventRecorder


class _SlowApi:
    """Keeps the order in which statuses were written; the first write waits until it is let through."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.begun, self.let_through = asyncio.Event(), asyncio.Event()

    async def get(self, *_: Any) -> Object:
        return {"metadata": {"name": "node-a", "uid": "1"}, "spec": {}, "status": {}}

    async def patch(self, *words: Any, **_: Any) -> Object:
        ready = next(one for one in words[3]["status"]["conditions"] if one["type"] == "Ready")
        if not self.begun.is_set():
            self.begun.set()
            await self.let_through.wait()
        self.told.append(ready["status"])
        return {}

    async def update(self, *_: Any) -> Object:
        return {"spec": {}}


class _Silent:
    def record(self, *_: Any) -> None:
        """Nobody reads events here."""


async def _leave_during_a_write() -> list[str]:
    api = _SlowApi()
    settings = Settings(Path(), "node-a", "zone-a", 1)
    agent = NodeAgent(cast(ApiClient, api), settings, 1, cast(EventRecorder, _Silent()))
    node = await api.get()
    first = asyncio.create_task(agent._write_status(node))
    await api.begun.wait()
    leaving = asyncio.create_task(agent.leave())
    await asyncio.sleep(0)
    late = asyncio.create_task(agent._write_status(node))
    api.let_through.set()
    await asyncio.wait_for(asyncio.gather(first, leaving, late), 60)
    await agent._write_status(node)
    return api.told


def test_the_last_word_of_a_node_that_leaves_is_that_it_is_not_ready() -> None:
    assert asyncio.run(_leave_during_a_write()) == ["True", "False"]
