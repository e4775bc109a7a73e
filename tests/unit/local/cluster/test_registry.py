"""The registry: objects whose kind has a time to live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

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
