"""Scenarios and scorecards. Invariant: a score without a measurement is None, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.refs import WorkloadRef

DETECT_BUDGET_SECONDS = 5 * 60.0
TRIAGE_BUDGET_SECONDS = 10 * 60.0
RESOLVE_BUDGET_SECONDS = 30 * 60.0


@dataclass(frozen=True, slots=True)
class BadRelease:
    """A release whose first container gets other argument values; `arguments` maps option to value."""

    change_cause: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReplicaFault:
    """A fault of one replica's model server: `kind` and `parameters` as its fault injection has them.

    It meets requests for `model`, and ends by itself after `seconds`.
    """

    kind: str
    parameters: Mapping[str, float]
    model: str
    version: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is broken, on which workload, and which objective notices.

    `defect`, `true_cause` (the kind of suspect to name) and `right_fix` are the sealed truth.
    """

    name: str
    title: str
    description: str
    target: WorkloadRef
    objective: str
    true_cause: str
    right_fix: str
    defect: BadRelease | ReplicaFault


@dataclass(frozen=True, slots=True)
class Truth:
    """What really was broken, known once the drill is over.

    `began` is when it was there, `ended_at` when it truly ended, where somebody recorded that; `subject` and
    `revision` are what a right suspect names, `words` say it to people. `is_mended`: the responders ended it.
    """

    began: datetime
    subject: str
    words: str
    is_mended: bool
    revision: int | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The healthy state before the defect; counters as they stood."""

    at: datetime
    revision: int
    template: Mapping[str, Any]
    requests: float
    errors: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the responders did, read from the journal; the defaults are "nothing"."""

    incident: str = ""
    detected_at: datetime | None = None
    triaged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    suspect_kind: str = ""
    suspect_subject: str = ""
    suspect_revision: int | None = None
    fix_kind: str = ""
    fix_target: str = ""
    fix_verified: bool = False
    postmortem: str = ""


@dataclass(frozen=True, slots=True)
class PhaseScore:
    """Seconds from the injection to the end of a phase, against its budget."""

    name: str
    seconds: float | None
    budget_seconds: float

    @property
    def met(self) -> bool:
        return self.seconds is not None and self.seconds <= self.budget_seconds

    @property
    def miss(self) -> str:
        """How it missed its budget, in words; empty when it did not."""
        if self.met:
            return ""
        return (
            f"{self.name} never happened"
            if self.seconds is None
            else f"{self.name} took longer than its budget"
        )


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How the response went; `passed` when every phase is in budget and cause and fix are right."""

    drill: str
    scenario: str
    incident: str
    injected_at: datetime
    phases: tuple[PhaseScore, ...]
    true_cause: str
    blamed: str
    cause_is_right: bool
    fix: str
    fix_is_right: bool
    requests_served: float | None
    errors_served: float | None
    budget_share: float | None
    budget_seconds: float | None
    postmortem: str
    wall_seconds: float
    platform_seconds: float | None
    failure: str = ""

    @property
    def passed(self) -> bool:
        return not self.misses

    @property
    def misses(self) -> tuple[str, ...]:
        """What went wrong, in words."""
        late = [phase.miss for phase in self.phases if phase.miss]
        wrong = [] if self.cause_is_right else ["the wrong cause was blamed"]
        failed = [f"the response stopped: {self.failure}"] if self.failure else []
        return (*failed, *late, *wrong, *(() if self.fix_is_right else ("the wrong fix was made",)))
