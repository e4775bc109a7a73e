"""One object looked at closely, as a report.

Invariant: what could not be read is said beside what was; danger is a word, colour only underlines it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.facts.cluster import ClusterEvent, Container
from maestro_cli.core.facts.inspection import Description, ObjectCondition, OwnedObject
from maestro_cli.core.facts.inventory import PodLine, WorkloadLine
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.renderers.inventory import (
    node_document,
    nodes_view,
    pod_document,
    pods_view,
    workload_document,
    workloads_view,
)
from maestro_cli.output.tones import HEALTH_TONES
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report

MOST_EVENTS = 30  # for people; programs get all
_TOLD_ABOVE = {"name", "namespace", "workload", "age", "created", "owner", "managed by"}


def description_view(found: Description, now: datetime) -> Report:
    """Facts, conditions, containers, events, owners and what it owns."""
    blocks: list[Fields | Heading | Lines | Listing[Any]] = [Fields(list(_rows(found, now)))]
    if found.conditions:
        blocks += [Heading("Conditions"), _conditions(found, now)]
    if isinstance(found.line, PodLine):
        blocks += [Heading("Containers"), _containers(found.line)]
    if found.owned:
        blocks += [Heading("Owns"), _tree(found)]
    blocks += [Heading("Events"), _events(found, now)]
    if found.missing:
        blocks += [Heading("Not readable"), Lines("\n".join(found.missing))]
    return Report("description/v1", description_document(found), blocks)


def description_document(found: Description) -> dict[str, Any]:
    """All of it; `line` is the object as its list shows it."""
    document: dict[str, Any] = plain(found)
    ref = document.pop("ref")
    line = found.line
    if isinstance(line, PodLine):
        document["line"] = pod_document(line)
    elif isinstance(line, WorkloadLine):
        document["line"] = workload_document(line)
    elif line is not None:
        document["line"] = node_document(line)
    return {"object": str(found.ref), **ref, **document}


def _rows(found: Description, now: datetime) -> Iterator[tuple[str, object]]:
    yield "object", found.ref
    yield "uid", found.uid
    yield "created", _when(found.created_at, now)
    if found.deleting_since is not None:
        yield "deleting", _when(found.deleting_since, now)
    above = [f"{one.ref}" + (f" ({one.state})" if one.state != "there" else "") for one in found.owners]
    if above:
        yield "owned by", " < ".join(above)
    for title, cell in _line_rows(found, now):
        if cell not in ("", None) and title not in _TOLD_ABOVE:
            yield title, cell
    if found.labels:
        yield "labels", _pairs(found.labels)
    if found.annotations:
        yield "annotations", _pairs(found.annotations)


def _line_rows(found: Description, now: datetime) -> Iterator[tuple[str, object]]:
    """What the list of its kind tells in all its columns."""
    line = found.line
    if isinstance(line, PodLine):
        yield from _cells(pods_view([line], now, everywhere=True))
    elif isinstance(line, WorkloadLine):
        yield from _cells(workloads_view([line], now))
    elif line is not None:
        yield from _cells(nodes_view([line], now))


def _cells(listing: Listing[Any]) -> Iterator[tuple[str, object]]:
    yield from ((column.title, column.cell(listing.items[0])) for column in listing.columns)


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(values.items()))


def _conditions(found: Description, now: datetime) -> Listing[ObjectCondition]:
    columns: tuple[Column[ObjectCondition], ...] = (
        Column("condition", lambda one: one.type),
        Column("status", lambda one: one.status, tone=lambda one: HEALTH_TONES[one.health]),
        Column("since", lambda one: _ago(one.changed_at, now), right=True),
        Column("reason", lambda one: one.reason, priority=0),
        Column("message", lambda one: one.message, priority=1, folds=True),
    )
    return Listing("condition-list/v1", columns, found.conditions)


def _containers(pod: PodLine) -> Listing[Container]:
    columns: tuple[Column[Container], ...] = (
        Column("container", lambda one: one.name),
        Column("ready", lambda one: "yes" if one.ready else "no"),
        Column("state", lambda one: " ".join(filter(None, [one.state, one.reason])), priority=0),
        Column("restarts", lambda one: one.restarts, right=True),
        Column("last exit", _last_exit, priority=3),
        Column("image", lambda one: one.image, priority=3),
        Column("message", lambda one: one.message, priority=1, folds=True),
    )
    return Listing("container-list/v1", columns, pod.containers)


def _last_exit(container: Container) -> str:
    if container.last_exit_code is None:
        return container.last_reason
    return f"{container.last_reason} ({container.last_exit_code})".lstrip()


def _tree(found: Description) -> Listing[tuple[int, OwnedObject]]:
    columns: tuple[Column[tuple[int, OwnedObject]], ...] = (
        Column("object", lambda row: "  " * row[0] + _named(row[1], found)),
        Column("status", lambda row: row[1].status, tone=lambda row: HEALTH_TONES[row[1].health]),
        Column("detail", lambda row: row[1].detail),
    )
    return Listing("owned-list/v1", columns, list(_depths(found.owned, 0)))


def _named(one: OwnedObject, found: Description) -> str:
    """Without the namespace where it is that of its owner."""
    text = str(one.ref)
    return text.removeprefix(f"{found.ref.namespace}/") if found.ref.namespace else text


def _depths(owned: tuple[OwnedObject, ...], depth: int) -> Iterator[tuple[int, OwnedObject]]:
    for one in owned:
        yield depth, one
        yield from _depths(one.owned, depth + 1)


def _events(found: Description, now: datetime) -> Listing[ClusterEvent]:
    columns: tuple[Column[ClusterEvent], ...] = (
        Column("last seen", lambda one: _ago(one.last_seen_at, now), right=True),
        Column("type", lambda one: one.type, tone=lambda one: "warn" if one.type == "Warning" else ""),
        Column("reason", lambda one: one.reason, priority=0),
        Column("times", lambda one: one.count, right=True, priority=3),
        Column("object", lambda one: f"{one.object_kind}/{one.object_name}", priority=3),
        Column("message", lambda one: one.message, priority=1, folds=True),
    )
    events = found.events[-MOST_EVENTS:]
    return Listing("event-list/v1", columns, events, empty="no events are kept of it")


def _when(at: datetime, now: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC ({_ago(at, now)} ago)"


def _ago(at: datetime | None, now: datetime) -> str:
    return format_duration(max(seconds_between(at, now), 0.0)) if at is not None else ""
