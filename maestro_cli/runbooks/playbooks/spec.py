"""The file format of playbooks, `playbook/v1`, as its loader and its JSON schema know it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Mode = Literal["observe", "suggest", "auto"]
IncidentEvent = Literal["opened", "reopened", "severity-raised", "not-acknowledged"]
SeverityWord = Literal["sev1", "sev2", "sev3", "sev4"]
Moment = Literal["suggested", "begun", "waiting", "succeeded", "failed"]
Value = str | int | float
Attribute = str | int | float | bool | list[str] | None


class AlertSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A firing alert whose labels satisfy every matcher."""

    matchers: list[str]


class IncidentEventSpec(msgspec.Struct, forbid_unknown_fields=True):
    """Something that happened to an incident which still fires."""

    event: IncidentEvent
    after: str = ""
    severity: list[SeverityWord] = []
    matchers: list[str] = []


class ScheduleSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A time: five cron fields in a zone; `within` is how late it may still start."""

    cron: str
    zone: str = "UTC"
    within: str = "15m"


class PersonsParameterSpec(msgspec.Struct, forbid_unknown_fields=True):
    pattern: str = ""
    default: Value | None = None
    description: str = ""


class ManualSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A person, with values that are asked for."""

    params: dict[str, PersonsParameterSpec] = {}


class TriggerSpec(msgspec.Struct, forbid_unknown_fields=True):
    alert: AlertSpec | list[AlertSpec] | None = None
    incident: IncidentEventSpec | list[IncidentEventSpec] | None = None
    schedule: ScheduleSpec | list[ScheduleSpec] | None = None
    manual: ManualSpec | None = None


class CorrelationSpec(msgspec.Struct, forbid_unknown_fields=True):
    """Which of its signals are one incident, and how many within which time it takes to open one."""

    group_by: list[str] = []
    window: str = "10m"
    threshold: int = 1


class RolesSpec(msgspec.Struct, forbid_unknown_fields=True):
    commander: str = ""
    ops: str = ""
    scribe: str = ""
    liaison: str = ""


class IncidentSpec(msgspec.Struct, forbid_unknown_fields=True):
    severity: Literal["sev1", "sev2", "sev3", "sev4", "sev5"] = "sev3"
    title: str = ""
    roles: RolesSpec = msgspec.field(default_factory=RolesSpec)


class PolicySpec(msgspec.Struct, forbid_unknown_fields=True):
    mode: Mode = "suggest"
    max_runs_per_hour: int | None = None


class PartSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for", "as_": "as"}):
    """A fence of a runbook, as YAML; `kind` is its language, a mapping as `body` is written as YAML."""

    kind: str
    body: str | dict[str, Any] = ""
    title: Attribute = None
    needs: Attribute = None
    when: Attribute = None
    lock: Attribute = None
    cwd: Attribute = None
    mutates: Attribute = None
    approve: Attribute = None
    timeout: Attribute = None
    retries: Attribute = None
    backoff: Attribute = None
    expect: Attribute = None
    for_: Attribute = None
    within: Attribute = None
    status: Attribute = None
    match: Attribute = None
    secret: Attribute = None
    to: Attribute = None
    deliver: Attribute = None
    choices: Attribute = None
    pattern: Attribute = None
    capture: Attribute = None
    parallel: Attribute = None
    for_each: Attribute = None
    as_: Attribute = None
    concurrency: Attribute = None
    on_fail: Attribute = None


class InlineSpec(PartSpec, forbid_unknown_fields=True, rename={"for_": "for", "as_": "as"}, kw_only=True):
    """A step that is written here, with what serves it."""

    id: str
    pre: list[PartSpec] = []
    verify: list[PartSpec] = []
    undo: PartSpec | None = None
    probe: PartSpec | None = None


class ParameterSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"source": "from"}):
    """A parameter of steps that are written here, as in the front matter of a runbook."""

    source: str = ""
    pattern: str = ""
    default: Value | None = None
    description: str = ""


class StepSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"values": "with"}):
    """A runbook and the values it is given, or steps that are written here."""

    runbook: str = ""
    inline: list[InlineSpec] = []
    order: Literal["file", "needs"] = "file"
    params: dict[str, ParameterSpec] = {}
    values: dict[str, Value] = {}


class FailureSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"values": "with"}):
    """What follows a step that failed: another runbook, or a message to who is on call."""

    runbook: str = ""
    values: dict[str, Value] = {}
    page: str = ""


class NotificationSpec(msgspec.Struct, forbid_unknown_fields=True):
    to: str
    on: list[Moment]


class SampleSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A sample alert, and the id of the playbook that it must choose; `none` when it is none."""

    name: str
    labels: dict[str, Value]
    expect: str = ""
    firing: bool = True


class PlaybookSpec(msgspec.Struct, forbid_unknown_fields=True):
    maestro: Literal["playbook/v1"]
    id: str
    trigger: TriggerSpec
    steps: list[StepSpec]
    title: str = ""
    correlation: CorrelationSpec | None = None
    incident: IncidentSpec = msgspec.field(default_factory=IncidentSpec)
    policy: PolicySpec = msgspec.field(default_factory=PolicySpec)
    on_failure: Literal["stop"] | FailureSpec = "stop"
    notifications: list[NotificationSpec] = []
    tests: list[SampleSpec] = []
