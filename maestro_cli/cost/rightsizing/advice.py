"""What is advised for a workload: each step with what it rests on, each refusal with its reason.

Invariant: `next` is what may be set in one change; where a step is refused it is what there is now. Nothing
is advised in silence: who is refused is told why, with the query that tells it again and what it said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from maestro_cli.cost.rightsizing.facts import Fact
from maestro_cli.cost.rightsizing.model import ContainerId, Proposal, Size, WorkloadId


class Decision(Enum):
    """What becomes of one resource of one container."""

    CUT = "cut"
    RAISE = "raise"
    KEEP = "keep"
    REFUSED = "refused"  # a cut that something forbids
    INSUFFICIENT = "insufficient"  # too little is known to say anything


class Place(Enum):
    """Where a container is written down."""

    CONTAINER = "containers"
    SIDECAR = "initContainers"
    INJECTED = "injected"  # into its pods, and not in the template


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a cut is refused or smaller than the rule has it, in a word, in a sentence, and by which facts."""

    code: str
    text: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One resource: now, what the rule wants in the end, what may be set next; cores or bytes."""

    decision: Decision
    now: float | None
    goal: float | None
    next: float | None
    reasons: tuple[Reason, ...] = ()

    @property
    def changes(self) -> bool:
        return self.decision in (Decision.CUT, Decision.RAISE)


@dataclass(frozen=True, slots=True)
class ContainerAdvice:
    """One container: its steps, the size that they lead to, and what each rule says."""

    container: ContainerId
    now: Size
    next: Size
    cpu: Step
    memory: Step
    own: Proposal
    krr: Proposal
    vpa: Proposal
    facts: tuple[Fact, ...] = ()
    pod_hours: float = 0.0
    hours: float = 0.0
    place: Place = Place.CONTAINER

    @property
    def changes(self) -> bool:
        return self.cpu.changes or self.memory.changes


@dataclass(frozen=True, slots=True)
class AutoscalerStep:
    """The target that goes on scaling at the same use: percent of the request.

    `is_alone`: it looks at nothing else, so that all of its metrics are known.
    """

    name: str
    now: float
    next: int
    is_alone: bool = True


@dataclass(frozen=True, slots=True)
class AutoscalerMove:
    """Bounds and target of an autoscaler; None: as it is."""

    name: str
    least: int | None = None
    most: int | None = None
    cpu: int | None = None
    is_alone: bool = True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a person may do and maestro does not do by itself."""

    code: str
    text: str
    facts: tuple[Fact, ...] = ()
    move: AutoscalerMove | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """One workload.

    `budgets` are shares of the error budgets of its objectives, as they were looked at; none: no objective
    guards it. `is_read`: its pod template was, so that what is injected is known.
    """

    workload: WorkloadId
    replicas: int
    containers: tuple[ContainerAdvice, ...]
    autoscaler: AutoscalerStep | None = None
    suggestions: tuple[Suggestion, ...] = ()
    budgets: tuple[Fact, ...] = ()
    is_read: bool = False
    pods: tuple[str, ...] = ()  # that there are now

    @property
    def changes(self) -> bool:
        return any(one.changes for one in self.containers)

    @property
    def cuts(self) -> bool:
        """Whether something falls that is set next."""
        steps = [step for one in self.containers for step in (one.cpu, one.memory)]
        return any(step.decision is Decision.CUT for step in steps)

    @property
    def refused(self) -> tuple[Reason, ...]:
        """Every reason for which something is refused, each once."""
        steps = [step for one in self.containers for step in (one.cpu, one.memory)]
        return tuple(
            dict.fromkeys(
                reason for step in steps if step.decision is Decision.REFUSED for reason in step.reasons
            )
        )
