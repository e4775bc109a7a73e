"""Roles, tasks and status updates as views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.incidents.people.model import Standing, StatusUpdate, Task, Turn


def roles_view(turns: Sequence[Turn]) -> Listing[Turn]:
    """Every turn in a role, the oldest first."""
    columns: tuple[Column[Turn], ...] = (
        Column("role", lambda turn: turn.role.value),
        Column("person", lambda turn: turn.person, priority=0),
        Column("since", lambda turn: turn.since),
        Column(
            "until",
            lambda turn: turn.until or "now",
            tone=lambda turn: "dim" if turn.until else "good",
            priority=1,
        ),
        Column("said by", lambda turn: turn.by, priority=3),
        Column("incident", lambda turn: turn.incident, wide=True),
    )
    return Listing("incident-roles/v1", columns, turns, empty="nobody has a role")


def tasks_view(tasks: Sequence[Task], now: datetime) -> Listing[Task]:
    """What is open, the next due first; JSON says of each whether it is overdue."""
    columns: tuple[Column[Task], ...] = (
        Column("no", lambda task: str(task.number), right=True),
        Column("incident", lambda task: f"#{task.incident_number}", right=True, priority=1),
        Column("kind", lambda task: task.kind.value, priority=3),
        Column("state", lambda task: _state(task, now), tone=lambda task: _tone(task, now), priority=1),
        Column("due", lambda task: task.due_at),
        Column("owner", lambda task: task.owner, priority=1),
        Column("task", lambda task: task.text, priority=1, folds=True),
        Column("ended by", lambda task: task.ended_by, wide=True),
        Column("why", lambda task: task.reason, wide=True),
    )
    return Listing(
        "incident-tasks/v1", columns, tasks, document=lambda task: task_document(task, now), empty="no task"
    )


def task_document(task: Task, now: datetime) -> dict[str, Any]:
    document: dict[str, Any] = plain(task)
    return {**document, "overdue": task.is_overdue(now)}


def _state(task: Task, now: datetime) -> str:
    if task.due_at is not None and task.is_overdue(now):
        return f"overdue {format_duration(seconds_between(task.due_at, now))}"
    return task.state.value


def _tone(task: Task, now: datetime) -> str:
    if task.is_overdue(now):
        return "bad"
    return {"open": "warn", "done": "good"}.get(task.state.value, "dim")


def updates_view(updates: Sequence[StatusUpdate]) -> Listing[StatusUpdate]:
    columns: tuple[Column[StatusUpdate], ...] = (
        Column("time", lambda told: told.at),
        Column("by", lambda told: told.by),
        Column("status", lambda told: told.audience.value, priority=3),
        Column("conditions", lambda told: told.conditions, priority=1, folds=True),
        Column("actions", lambda told: told.actions, priority=2, folds=True),
        Column("needs", lambda told: told.needs, priority=1, folds=True),
        Column("seq", lambda told: str(told.seq), right=True, wide=True),
    )
    return Listing("incident-updates/v1", columns, updates, empty="no status update")


def update_words(standing: Standing, now: datetime) -> str | None:
    """When the next status update is due, for people; None when none is."""
    due = standing.clock.due_at
    if due is None:
        return None
    if standing.clock.is_overdue(now):
        return f"overdue {format_duration(seconds_between(due, now))}"
    return f"in {format_duration(seconds_between(now, due))}" + (" (snoozed)" * standing.clock.snoozed)


def tasks_words(standing: Standing) -> str | None:
    if not standing.open_tasks:
        return None
    return f"{standing.open_tasks}" + (f", {standing.overdue_tasks} overdue" * bool(standing.overdue_tasks))


def standing_rows(standing: Standing, now: datetime) -> list[tuple[str, object]]:
    """Labelled lines for one incident; what there is nothing to say of is left out."""
    rows: list[tuple[str, object]] = [*standing.roles.items()]
    rows += [("last update", standing.clock.last_at)] if standing.clock.last_at else []
    for name, words in (("next update", update_words(standing, now)), ("open tasks", tasks_words(standing))):
        rows += [(name, words)] if words else []
    return rows


def standing_document(standing: Standing, now: datetime) -> dict[str, Any]:
    return {
        "roles": dict(standing.roles),
        "last_update_at": plain(standing.clock.last_at),
        "update_due_at": plain(standing.clock.due_at),
        "update_overdue": standing.clock.is_overdue(now),
        "update_snoozed": standing.clock.snoozed,
        "open_tasks": standing.open_tasks,
        "overdue_tasks": standing.overdue_tasks,
    }
