"""The file format of incident rules, `incident-rules/v1`, as its loader and its JSON schema know it."""

from __future__ import annotations

from typing import Literal

import msgspec

SeverityWord = Literal["sev1", "sev2", "sev3", "sev4", "none"]


class FlappingSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A signal that comes back `times` times within so long is held as firing, and reopens nothing."""

    times: int = 4
    within: str = "30m"


class RuleSpec(msgspec.Struct, forbid_unknown_fields=True):
    """Signals that every matcher takes; those with the same values of `group_by` are one incident.

    Without `group_by` they are grouped by their workload; with an empty one all of them are one. With `same`
    those of a node and of what runs there, and of a workload and of what it needs, are one where they began
    within `window`. An incident
    opens once `threshold` of them fire that began within `window` of one another, and is reopened for
    `reopen_window` after its end. The watch resolves it once all its signals resolved, or the first of them;
    by default it never does, and a person or a response does.
    """

    id: str
    matchers: list[str] = []
    group_by: list[str] | None = None
    same: list[Literal["workload", "node", "dependency"]] | None = None
    window: str = "10m"
    threshold: int = 1
    reopen_window: str = "15m"
    flapping: FlappingSpec | Literal["off"] = msgspec.field(default_factory=FlappingSpec)
    resolve_on: Literal["all", "first", "never"] = "never"
    title: str = ""


class StormSpec(msgspec.Struct, forbid_unknown_fields=True):
    """More than `threshold` keys that begin within `window` are one incident for each value of `group_by`."""

    threshold: int = 20
    window: str = "5m"
    group_by: list[str] = []
    title: str = ""


class RulesSpec(msgspec.Struct, forbid_unknown_fields=True):
    """`severities` adds words to the shipped table; `none` is a word that never opens an incident.

    `dependencies` are the workloads (`namespace/name`) that each workload needs. `storm` is when so much
    begins at once that it is one incident; `off` is never. `heartbeats` are alerts that only say "I am
    alive"; they are added to the shipped ones. A rule that matched nothing for `unused_after` is told.
    """

    maestro: Literal["incident-rules/v1"]
    rules: list[RuleSpec] = []
    severities: dict[str, SeverityWord] = {}
    unknown_severity: Literal["sev1", "sev2", "sev3"] | None = None
    heartbeats: list[str] = []
    dependencies: dict[str, list[str]] = {}
    storm: StormSpec | Literal["off"] | None = None
    unused_after: str = ""
