"""Objectives as views: what is promised, and by what it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import (
    SIGNS,
    Counters,
    ErrorRatio,
    Latency,
    Objective,
    Queries,
    Recovery,
    Threshold,
)

if TYPE_CHECKING:
    from maestro_cli.slo.files.found import Note

_SPAN = "5m"  # of the error ratio that is shown


def objectives_view(found: Sequence[Objective]) -> Listing[Objective]:
    columns: tuple[Column[Objective], ...] = (
        Column("objective", lambda one: one.name),
        Column("service", lambda one: one.service, priority=2),
        Column("promise", lambda one: one.echo, priority=1),
        Column("measured by", measured_by, priority=2),
        Column("method", lambda one: one.method.value, wide=True),
        Column("runbook", lambda one: one.runbook, wide=True),
        Column("read from", lambda one: one.origin, wide=True),
    )
    empty = "the context names no objectives"
    return Listing("slo-list/v1", columns, found, document=objective_document, empty=empty)


def objective_view(one: Objective, notes: Sequence[Note]) -> Report:
    """What was said in its file and is not obeyed comes last."""
    rows: list[tuple[str, object]] = [
        ("objective", one.name),
        ("title", one.title),
        ("service", one.service),
        ("promise", one.echo),
        ("method", one.method.value),
        ("measured by", measured_by(one)),
        *((name.replace("_", " "), value) for name, value in _indicator(one).items() if name != "kind"),
        ("labels", ", ".join(f"{name}={value}" for name, value in sorted(one.labels.items())) or "none"),
        ("runbook", one.runbook or "none"),
        ("read from", one.origin),
    ]
    if one.slices is not None:
        rows.insert(5, ("slices", f"{one.slices.seconds:g} s, good from {one.slices.target:g} on"))
    if one.calendar is not None:
        rows.insert(5, ("calendar", f"{one.calendar.unit} in {one.calendar.zone}, from {one.calendar.start}"))
    blocks: list[Fields | Heading | Lines] = [Fields([row for row in rows if row[1] is not None])]
    if one.is_of_metrics:
        blocks += [Heading(f"error ratio over {_SPAN}"), Lines(ratio_query(one, _SPAN))]
    if notes:
        blocks += [Heading("not obeyed here"), Lines("\n".join(note.text for note in notes))]
    document = {**objective_document(one), "notes": [note.text for note in notes]}
    return Report("slo-objective/v1", document, blocks)


def objective_document(one: Objective) -> dict[str, Any]:
    """Ratios are 0 to 1, times in seconds."""
    slices, calendar = one.slices, one.calendar
    return {
        "name": one.name,
        "title": one.title,
        "service": one.service,
        "target": one.target,
        "budget": one.budget,
        "promise": one.echo,
        "window_seconds": one.window_seconds,
        "calendar": None
        if calendar is None
        else {"unit": calendar.unit, "zone": calendar.zone, "start": calendar.start.isoformat()},
        "method": one.method.value,
        "slices": None if slices is None else {"seconds": slices.seconds, "target": slices.target},
        "indicator": _indicator(one),
        "labels": dict(sorted(one.labels.items())),
        "runbook": one.runbook or None,
        "origin": one.origin,
    }


def measured_by(one: Objective) -> str:
    """In a few words what is good or bad."""
    kind = one.indicator
    if isinstance(kind, Latency):
        return f"answers within {kind.threshold_seconds:g} s" + (", native histogram" if kind.native else "")
    if isinstance(kind, Counters):
        return "bad events" if kind.bad is not None else "good events"
    if isinstance(kind, Queries):
        return "queries of bad events" if kind.bad is not None else "queries of good events"
    if isinstance(kind, ErrorRatio):
        return "a query of the error ratio"
    if isinstance(kind, Threshold):
        return f"time with {kind.query} {SIGNS[kind.op]} {kind.value:g}"
    return "drills and incidents"


def _indicator(one: Objective) -> dict[str, Any]:
    kind = one.indicator
    names = {
        Counters: "counters",
        Latency: "latency",
        Queries: "queries",
        ErrorRatio: "error-ratio",
        Threshold: "threshold",
        Recovery: "recovery",
    }
    fields = {name: getattr(kind, name) for name in kind.__struct_fields__}
    found = {"recovery" if name == "kind" else name: value for name, value in fields.items()}
    return {
        "kind": names[type(kind)],
        **{name: value for name, value in found.items() if value not in ("", None)},
    }
