"""Roles, tasks and status updates as data.

Invariant: a role is an attribute with times, never a state; a task outlives the incident it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maestro_cli.incidents.model import Severity


class Role(StrEnum):
    COMMANDER = "commander"
    OPS = "ops"
    SCRIBE = "scribe"
    LIAISON = "liaison"


@dataclass(frozen=True, slots=True)
class Turn:
    """One person in one role; `until` is None while it lasts. `by` is who said so."""

    incident: str
    role: Role
    person: str
    since: datetime
    by: str
    until: datetime | None = None


class TaskKind(StrEnum):
    """TASK is to be done during the incident, ACTION (an action item) because of it."""

    TASK = "task"
    ACTION = "action"


class TaskState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Task:
    """`number` counts over all incidents; `ended_by`, `ended_at`, `reason` are of done and dropped ones."""

    number: int
    incident: str
    incident_number: int
    kind: TaskKind
    text: str
    owner: str | None
    due_at: datetime | None
    state: TaskState
    created_at: datetime
    created_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    reason: str = ""

    def is_overdue(self, now: datetime) -> bool:
        return self.state is TaskState.OPEN and self.due_at is not None and now > self.due_at


class Audience(StrEnum):
    INTERNAL = "internal"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of how it stands, what is being done, what is needed, and for whom it is."""

    conditions: str = ""
    actions: str = ""
    needs: str = ""
    audience: Audience = Audience.INTERNAL


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What people were told: the conditions, the actions under way, and what is needed."""

    incident: str
    seq: int
    at: datetime
    by: str
    conditions: str
    actions: str
    needs: str
    audience: Audience


# How long after an incident opened, or was last told of, the next update is due while it is open.
UPDATE_EVERY: Mapping[Severity, timedelta] = {
    Severity.SEV1: timedelta(minutes=20),
    Severity.SEV2: timedelta(hours=1),
    Severity.SEV3: timedelta(hours=4),
    Severity.SEV4: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class UpdateClock:
    """When the next status update is due, None once the incident is over; `snoozed`: a person moved it."""

    last_at: datetime | None
    due_at: datetime | None
    snoozed: bool = False

    def is_overdue(self, now: datetime) -> bool:
        return self.due_at is not None and now > self.due_at


@dataclass(frozen=True, slots=True)
class Standing:
    """What lists show of the people of one incident."""

    roles: Mapping[str, str]
    clock: UpdateClock
    open_tasks: int
    overdue_tasks: int
