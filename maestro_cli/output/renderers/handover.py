"""What the next shift has to know, as a view that is Markdown as well."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.output.renderers.incidents import signals_words
from maestro_cli.output.renderers.oncall import on_call_view
from maestro_cli.output.renderers.people import standing_document, task_document, tasks_view, update_words
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.incidents.people.handover import HandedIncident, Handover, Waiting

# What is told of an incident, under the names that it has here.
_OF_INCIDENT = (
    "id", "number", "title", "severity", "state", "owner", "drill", "namespace", "workload", "firing",
    "reported", "signals", "seq",
)  # fmt: skip
_OF_TIMES = ("started_at", "opened_at", "acked_at")


def handover_view(handover: Handover) -> Report:
    """JSON has `at`, `incidents` (each with `incident`, `people`, `update`, `mitigation`, `waiting` and
    `tasks`), `tasks` of other incidents, and `on_call`."""
    late = sum(one.people.clock.is_overdue(handover.at) for one in handover.incidents)
    rows: list[tuple[str, object]] = [
        ("as of", handover.at),
        (
            "incidents",
            f"{len(handover.incidents)}" + (f", {counted(late, 'update')} overdue" if late else ""),
        ),
    ]
    blocks: list[Any] = [Fields(rows)]
    for one in handover.incidents:
        blocks += _incident(one, handover.at)
    if handover.tasks:
        blocks += [Heading("Tasks of other incidents"), tasks_view(handover.tasks, handover.at)]
    if handover.on_call:
        blocks += [Heading("On call"), on_call_view(handover.on_call)]
    document = {
        "at": handover.at,
        "incidents": [_document(one, handover.at) for one in handover.incidents],
        "tasks": [task_document(task, handover.at) for task in handover.tasks],
        "on_call": [plain(one) for one in handover.on_call],
    }
    return Report("handover/v1", document, tuple(blocks))


def _incident(one: HandedIncident, now: datetime) -> list[Any]:
    incident, told = one.incident, one.update
    age = format_duration(seconds_between(incident.times.opened_at, now))
    rows: list[tuple[str, object]] = [
        ("state", f"{incident.state.value}, opened {age} ago" + (", a drill" if incident.drill else "")),
        ("where", incident.workload or incident.namespace),
        ("owner", incident.owner),
        *one.people.roles.items(),
        ("signals", signals_words(incident)),
        ("mitigation", _since(one.mitigation, one.mitigation_at, now)),
        ("last update", _since(told.conditions, told.at, now) if told is not None else None),
    ]
    if told is not None:
        rows += [(name, text) for name, text in (("actions", told.actions), ("needs", told.needs)) if text]
    due = update_words(one.people, now)
    rows += [("next update", due)] if due else []
    blocks: list[Any] = [
        Heading(f"#{incident.number} {incident.severity.value}: {incident.title}"),
        Fields(rows),
    ]
    if one.waiting:
        blocks.append(_waiting_view(one.waiting))
    if one.tasks:
        blocks.append(tasks_view(one.tasks, now))
    return blocks


def _since(text: str, at: datetime | None, now: datetime) -> str | None:
    if not text or at is None:
        return text or None
    return f"{text} ({format_duration(seconds_between(at, now))} ago)"


def _waiting_view(waiting: tuple[Waiting, ...]) -> Listing[Waiting]:
    columns: tuple[Column[Waiting], ...] = (
        Column("waits", lambda one: one.what, tone=lambda one: "warn", priority=0, folds=True),
        Column("to go on", lambda one: one.fix, priority=0, folds=True),
    )
    return Listing("handover-waiting/v1", columns, waiting)


def _document(one: HandedIncident, now: datetime) -> dict[str, Any]:
    incident = one.incident
    told = {name: plain(getattr(incident, name)) for name in _OF_INCIDENT}
    told |= {name: plain(getattr(incident.times, name)) for name in _OF_TIMES}
    told["workload"] = None if incident.workload is None else str(incident.workload)
    return {
        "incident": told,
        "people": standing_document(one.people, now),
        "update": plain(one.update),
        "mitigation": {"what": one.mitigation, "at": plain(one.mitigation_at)} if one.mitigation else None,
        "waiting": [plain(item) for item in one.waiting],
        "tasks": [task_document(task, now) for task in one.tasks],
    }
