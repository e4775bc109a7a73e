"""The registry: objects that live for a time, namespaces that end, what a delete leaves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.local.cluster import __main__ as program
from maestro_cli.local.cluster.kinds import BY_PATH, NAMESPACES
from maestro_cli.local.cluster.registry import Registry, stamp
from maestro_cli.local.cluster.store import Event, Store

EVENTS = BY_PATH["", "v1", "events"]


def _event(name: str, **times: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "involvedObject": {"kind": "Pod", "name": "p"}, **times}


def test_events_live_an_hour_from_when_they_were_last_seen() -> None:
    store = Store()
    registry = Registry(store)
    registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
    later = datetime.now(UTC) + timedelta(minutes=30)
    registry.create(EVENTS, "default", _event("once"))
    registry.create(EVENTS, "default", _event("again", lastTimestamp=stamp(later)))
    registry.create(EVENTS, "default", _event("precise", eventTime=f"{later:%Y-%m-%dT%H:%M:%S.%fZ}"))
    heard: list[Event] = []
    store.listen("events", heard.append)

    def left(minutes: float) -> list[str]:
        registry.expire(datetime.now(UTC) + timedelta(minutes=minutes))
        return [version.key[1] for version in store.list("events")]

    assert left(59) == ["again", "once", "precise"]
    assert left(61) == ["again", "precise"]
    assert [(event.gone, event.after.key[1]) for event in heard] == [(True, "once")]
    assert left(91) == []
    assert store.get("namespaces", ("", "default")) is not None


def test_old_events_are_removed_again_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()

    class Fails(Registry):
        def __init__(self) -> None:
            self.left = 1

        def expire(self, at: datetime) -> None:
            if self.left:
                self.left -= 1
                raise ValueError("a defect")
            tried.set()

    async def run() -> None:
        work = asyncio.create_task(program._expire(Fails()))
        await asyncio.wait_for(tried.wait(), 60)
        work.cancel()

    monkeypatch.setattr(program, "_EXPIRE_SECONDS", 0.0)
    asyncio.run(run())
    assert "a defect" in caplog.text


def test_a_namespace_that_ends_is_told_once_and_no_version_is_changed_later() -> None:
    store = Store()
    registry = Registry(store)
    registry.create(NAMESPACES, "", {"metadata": {"name": "short"}})
    held = {"metadata": {"name": "held", "finalizers": ["maestro.io/held"]}}
    registry.create(BY_PATH["", "v1", "configmaps"], "short", held)
    heard: list[Event] = []
    store.listen("namespaces", heard.append)
    registry.delete(NAMESPACES, "", "short", {})
    [event] = heard
    assert event.after.object["status"]["phase"] == "Terminating"
    assert event.after.copy() == event.after.object
    assert event.before is not None
    assert event.before.object["status"]["phase"] == "Active"
