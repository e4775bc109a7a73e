"""A node works as a whole or not at all."""

from __future__ import annotations

import asyncio

import pytest

from maestro_cli.core.errors import ActionFailed
from maestro_cli.local.kubelet.__main__ import _work_on


async def _fail() -> None:
    raise KeyError("a pod nobody thought of")


async def _for_ever() -> None:
    await asyncio.Event().wait()


def ended_by(*, spawner_is_gone: bool) -> None:
    async def run() -> None:
        lost = asyncio.Event()
        if spawner_is_gone:
            lost.set()
        work = [asyncio.create_task(_for_ever())]
        work += [] if spawner_is_gone else [asyncio.create_task(_fail())]
        try:
            await asyncio.wait_for(_work_on(lost, work), 60)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    asyncio.run(run())


def test_a_node_ends_with_the_part_of_its_work_that_fails() -> None:
    with pytest.raises(KeyError, match="nobody thought of"):
        ended_by(spawner_is_gone=False)


def test_a_node_ends_with_its_spawner() -> None:
    with pytest.raises(ActionFailed, match="spawner"):
        ended_by(spawner_is_gone=True)
