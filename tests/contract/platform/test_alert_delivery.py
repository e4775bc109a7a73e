"""A real Alertmanager with the generated configuration tells the webhook, with the token, within seconds."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.clock import SystemClock, to_rfc3339
from maestro_cli.local.alertmanager import WEBHOOK_PATH
from maestro_cli.local.ports import Ports
from maestro_cli.local.programs import find_programs
from maestro_cli.local.supervisor.child import Child
from maestro_cli.local.supervisor.model import Plan
from maestro_cli.local.supervisor.parts import parts_of

pytestmark = pytest.mark.contract
LIMIT_SECONDS = 90.0


class _Receiver:
    """Keeps what is posted to it: path, authorization, body."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[str, str, dict[str, Any]]] = asyncio.Queue()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
            }
            body = await reader.readexactly(int(headers["content-length"]))
            await self.received.put(
                (head[0].split(" ")[1], headers.get("authorization", ""), json.loads(body))
            )
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        finally:
            writer.close()


def _post_alert(url: str, *, ends: datetime | None = None) -> None:
    alert: dict[str, Any] = {
        "labels": {"alertname": "ErrorBudgetBurn", "namespace": "ml", "service": "fraud"},
        "startsAt": to_rfc3339(datetime.now(UTC) - timedelta(seconds=5)),
    }
    if ends is not None:
        alert["endsAt"] = to_rfc3339(ends)
    request = urllib.request.Request(
        f"{url}/api/v2/alerts",
        data=json.dumps([alert]).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5):
        pass


async def _deliver(state: Path) -> list[tuple[str, str, dict[str, Any]]]:
    receiver, ports = _Receiver(), Ports()
    listening = await asyncio.start_server(receiver.handle, "127.0.0.1", ports.of("watch"))
    plan = Plan(state, "test", "drill", 1.0, "lite", 1, 50.0, find_programs(os.environ), watch=True)
    part = next(part for part in parts_of(plan, ports) if part.name == "alertmanager")
    child = Child(part, state, os.environ, ports, SystemClock())
    try:
        child.configure({})
        child.start({})
        async with asyncio.timeout(LIMIT_SECONDS):
            while not await child.look():
                await asyncio.sleep(0.02)
            assert child.facts is not None
            url = str(child.facts["url"])
            await asyncio.to_thread(_post_alert, url)
            firing = await receiver.received.get()
            await asyncio.to_thread(_post_alert, url, ends=datetime.now(UTC))
            return [firing, await receiver.received.get()]
    finally:
        child.kill()
        while child.is_running:
            child.reap()
            await asyncio.sleep(0.01)
        listening.close()


def test_firing_and_resolved_arrive_with_the_bearer_token(tmp_path: Path, needs_programs: None) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "webhook.token").write_text("a-token", encoding="utf-8")
    messages = asyncio.run(_deliver(tmp_path))
    assert [body["status"] for _, _, body in messages] == ["firing", "resolved"]
    for path, authorization, body in messages:
        assert path == WEBHOOK_PATH
        assert authorization == "Bearer a-token"
        assert body["version"] == "4"
        assert body["groupLabels"]["alertname"] == "ErrorBudgetBurn"
