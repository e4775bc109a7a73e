"""Scenarios and scorecards. Invariant: a score without a measurement is None, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from maestro_cli.core.refs import WorkloadRef

DETECT_BUDGET_SECONDS = 5 * 60.0
TRIAGE_BUDGET_SECONDS = 10 * 60.0
RESOLVE_BUDGET_SECONDS = 30 * 60.0
EXPERIMENTS = "chaos/"  # how names of drills begin that are experiments


class Breakage:
    """What a scenario breaks: a frozen dataclass that one of the families in `defects` knows."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class BadRelease(Breakage):
    """A release whose first container is another: `arguments` maps options to other values, `added` comes
    after them, `environment` maps variables to their values; an empty `image` leaves it.
    """

    change_cause: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicaFault(Breakage):
    """A fault of one replica's model server: `kind` and `parameters` as its fault injection has them.

    It meets that share of the requests for `model` ("" and None: it is about no requests; a version of None:
    whichever answers), and ends by itself after `seconds`. `place`, from 0 to below 1, says which of the
    ready replicas has it, in the order of their names.
    """

    kind: str
    parameters: Mapping[str, float]
    model: str
    version: int | None
    seconds: float
    share: float = 1.0
    place: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is broken, around which workload, which alert tells of it and which runbook answers that.

    `defect`, `true_cause` (the kind of suspect to name; None: not scored) and `right_fix` (a kind of change,
    or `RUNBOOK/STEP` for a step that is none; "": nothing that a runbook does) are the sealed truth. Without
    an `objective` no requests are counted. `answers` maps steps of the runbook to what the drill says in the
    place of the person whom they ask; at the step `repairs` that person also takes the defect away, as
    somebody beside the machine would. The alert is awaited for `patience_seconds`; where it is empty, nothing
    is to be noticed for so long.
    """

    name: str
    title: str
    description: str
    target: WorkloadRef
    objective: str | None
    true_cause: str | None
    right_fix: str
    defect: Breakage
    runbook: str
    alert: str = "ErrorBudgetBurn"
    answers: Mapping[str, str] = field(default_factory=dict)
    repairs: str = ""
    patience_seconds: float = DETECT_BUDGET_SECONDS


@dataclass(frozen=True, slots=True)
class ExperimentEnd:
    """How the run of an experiment ended; `reason` is the first that speaks against a pass, "" for none."""

    run: str
    name: str
    verdict: str
    exit_code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """What really was broken, known once the drill is over.

    `began` is when it was there, `ended_at` when it truly ended, where somebody recorded that; `subject` and
    `revision` are what a right suspect names, `words` say it to people. `is_mended`: the responders ended it;
    `fix_target` is what the right change is made to, when that is not the scenario's target. `experiment` is
    what broke it, where one did.
    """

    began: datetime
    subject: str
    words: str
    is_mended: bool
    revision: int | None = None
    ended_at: datetime | None = None
    fix_target: str = ""
    experiment: ExperimentEnd | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The healthy state before the defect; counters as they stood, None where nothing is counted."""

    at: datetime
    revision: int
    template: Mapping[str, Any]
    requests: float | None
    errors: float | None


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that the responders applied; `target` as references print."""

    kind: str
    target: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Accused:
    """A suspect that triage named, as it is compared with the truth; `score` from 0 to 1."""

    kind: str
    subject: str
    revision: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the responders did, read from the journal; the defaults are "nothing".

    `fixes` are in order, `run` says of the last runbook how it ended, `steps` are `RUNBOOK/STEP` of those
    that succeeded, `suspects` all that triage ranked, the strongest first.
    """

    incident: str = ""
    detected_at: datetime | None = None
    triaged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    suspect_kind: str = ""
    suspect_subject: str = ""
    suspect_revision: int | None = None
    fixes: tuple[Fix, ...] = ()
    run: str = ""
    steps: tuple[str, ...] = ()
    postmortem: str = ""
    suspects: tuple[Accused, ...] = ()


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
    """How the response went; `passed` when every phase is in budget and cause and fix are right.

    `cause_is_right` is None where the cause is not scored, `objective` where no requests are counted.
    """

    drill: str
    scenario: str
    alert: str
    objective: str | None
    incident: str
    injected_at: datetime
    phases: tuple[PhaseScore, ...]
    true_cause: str
    blamed: str
    cause_is_right: bool | None
    fix: str
    fix_is_right: bool
    run: str
    requests_served: float | None
    errors_served: float | None
    budget_share: float | None
    budget_seconds: float | None
    postmortem: str
    wall_seconds: float
    platform_seconds: float | None
    failure: str = ""
    experiment: ExperimentEnd | None = None

    @property
    def passed(self) -> bool:
        return not self.misses

    @property
    def misses(self) -> tuple[str, ...]:
        """What went wrong, in words."""
        late = [phase.miss for phase in self.phases if phase.miss]
        wrong = ["the wrong cause was blamed"] if self.cause_is_right is False else []
        failed = [f"the response stopped: {self.failure}"] if self.failure else []
        return (*failed, *late, *wrong, *(() if self.fix_is_right else ("the wrong fix was made",)))
