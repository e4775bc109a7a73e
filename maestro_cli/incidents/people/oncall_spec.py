"""How an on-call file is written; what only the reader knows (names that have to exist) is not said here."""

from __future__ import annotations

from typing import Literal

import msgspec

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SeverityName = Literal["sev1", "sev2", "sev3", "sev4"]


class PersonSpec(msgspec.Struct, forbid_unknown_fields=True):
    """`channels` are secret references that hold the address of a webhook."""

    name: str = ""
    email: str = ""
    channels: list[str] = []


class HoursSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    from_: str
    until: str
    days: list[Day] = msgspec.field(default_factory=lambda: list(_DAYS))


class LayerSpec(msgspec.Struct, forbid_unknown_fields=True):
    people: list[str]
    start: str
    handoff: str = "7d"
    hours: list[HoursSpec] = []


class OverrideSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    person: str
    from_: str
    until: str
    reason: str = ""


class ScheduleSpec(msgspec.Struct, forbid_unknown_fields=True):
    """Layers of its own, or the id of a schedule at PagerDuty."""

    zone: str = "UTC"
    layers: list[LayerSpec] = []
    overrides: list[OverrideSpec] = []
    pagerduty: str = ""


class StepSpec(msgspec.Struct, forbid_unknown_fields=True):
    tell: list[str]
    after: str = "0"


class RepeatSpec(msgspec.Struct, forbid_unknown_fields=True):
    times: int
    every: str


class PolicySpec(msgspec.Struct, forbid_unknown_fields=True):
    steps: list[StepSpec]
    severities: list[SeverityName] = []
    repeat: RepeatSpec | None = None


class OnCallFile(msgspec.Struct, forbid_unknown_fields=True):
    maestro: Literal["oncall/v1"]
    people: dict[str, PersonSpec] = {}
    schedules: dict[str, ScheduleSpec] = {}
    policies: dict[str, PolicySpec] = {}
