"""A request whose sender went away is answered to nobody, and told of."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from maestro_cli.serving.execution import inference
from tests.unit.serving.served import Served, request

INFER = "/v2/models/fraud/infer"
CONTENT = json.dumps(request()).encode()


def leave(server: Served, *messages: dict[str, Any]) -> None:
    """Send these and go away; nothing may come back."""
    headers = [(b"x-api-key", server.headers["x-api-key"].encode())]
    scope = {"type": "http", "method": "POST", "path": INFER, "headers": headers, "query_string": b""}
    coming = iter([*messages, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: Any) -> None:
        raise AssertionError("somebody was answered")

    asyncio.run(server.application(scope, receive, send))


@pytest.mark.parametrize(
    ("messages", "model", "version"),
    [
        ([{"type": "http.request", "body": CONTENT[:50], "more_body": True}], "_unknown", "_unknown"),
        ([{"type": "http.request", "body": CONTENT, "more_body": False}], "fraud", "1"),
    ],
)
def test_who_gave_up_counts_with_the_time_they_waited(
    monkeypatch: pytest.MonkeyPatch, messages: list[dict[str, Any]], model: str, version: str
) -> None:
    async def until_they_leave(*arguments: Any, **options: Any) -> Any:
        while_wanted = arguments[7]
        return await while_wanted(asyncio.sleep(60))

    monkeypatch.setattr(inference, "run", until_they_leave)
    server = Served()
    leave(server, *messages)
    page = server.get("/metrics").text
    assert f'code="499",model="{model}",route="direct",version="{version}"}} 1.0' in page
    if model == "fraud":
        assert 'duration_seconds_count{model="fraud",version="1"} 1.0' in page
