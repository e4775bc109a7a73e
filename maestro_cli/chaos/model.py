"""Experiments: what a file asks for, what is chosen by it, and what was found. Invariant: frozen."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from maestro_cli.chaos.arms import Comparison
from maestro_cli.chaos.burned import Burned
from maestro_cli.chaos.reach import acting
from maestro_cli.core.refs import ObjectRef, WorkloadRef

SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

GOOD_IN_A_ROW = 3  # looks that prove a recovery


@dataclass(frozen=True, slots=True)
class Count:
    """So many of what is there, or a share (0 to 1), rounded down, at least one; one of the two is set."""

    number: int | None = None
    share: float | None = None

    def of(self, there: int) -> int:
        if self.number is not None:
            return self.number
        return max(1, int((self.share or 0.0) * there)) if there else 0

    def __str__(self) -> str:
        return str(self.number) if self.number is not None else f"{self.share:.0%}"


@dataclass(frozen=True, slots=True)
class TargetRule:
    """Which objects may be chosen, and how many: the pods of a workload, or those of a selector's labels."""

    namespace: str
    workload: WorkloadRef | None
    selector: str
    count: Count = Count(number=1)

    def __str__(self) -> str:
        what = str(self.workload) if self.workload else f"pods of {self.namespace}"
        return f"{what} with {self.selector}" if self.selector else what


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """A fault that the method may inject: `name` is what actions call it, `fault` an entry of FAULTS."""

    name: str
    fault: str
    parameters: Mapping[str, Any]
    target: TargetRule
    line: int = 1


@dataclass(frozen=True, slots=True)
class StopCondition:
    """PromQL whose value, compared, ends an experiment; no value is no answer, and never a `no`."""

    query: str
    sign: str
    bound: float
    elsewhere: bool = False  # asked in the region that takes over

    def is_met(self, value: float) -> bool:
        return SIGNS[self.sign](value, self.bound)

    def __str__(self) -> str:
        where = " in the other region" if self.elsewhere else ""
        return f"{self.query} {self.sign} {self.bound:g}{where}"


@dataclass(frozen=True, slots=True)
class Tolerated:
    """How the steady state is sampled, and how much of it may be missed: more than `misses` (0 to 1) of all
    samples, or `in_a_row` misses, deviate.
    """

    every_seconds: float = 1.0
    misses: float = 0.0
    in_a_row: int = 3


@dataclass(frozen=True, slots=True)
class ArmQueries:
    """PromQL that counts bad requests of pods, and all; an arm is bad where more than `most` (0 to 1) are."""

    bad: str
    all: str
    most: float


@dataclass(frozen=True, slots=True)
class FailoverBounds:
    """How long a failover may take, and how much it may lose (None: any); how often a sentinel is written."""

    rto_seconds: float | None = None
    rpo_seconds: float | None = None
    every_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """What the response to an experiment is to be where it is a drill, in the words of a drill's scenario.

    `duration_seconds` is how long the fault may be in force at most while somebody responds; `lines` has the
    line of each key in the file.
    """

    alert: str
    runbook: str
    right_fix: str
    true_cause: str | None
    objective: str | None
    duration_seconds: float
    patience_seconds: float
    answers: Mapping[str, str] = field(default_factory=dict)
    repairs: str = ""
    lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What an experiment declares in its extension `maestro`; None where it leaves something out."""

    faults: tuple[FaultOrder, ...] = ()
    duration_seconds: float | None = None
    stop: tuple[StopCondition, ...] = ()
    objectives: tuple[str, ...] = ()
    control: int = 0
    tolerated: Tolerated = Tolerated()
    recovery_seconds: float = 60.0
    arms: ArmQueries | None = None
    failover: FailoverBounds = FailoverBounds()
    drill: ExpectedResponse | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """One file. `document` is what Chaos Toolkit runs; `guarded` None: nothing bounds what it does.

    `given` are a `configuration` and `secrets` of whoever runs it, which override its own.
    """

    name: str
    title: str
    description: str
    file: str
    digest: str
    document: Mapping[str, Any] = field(repr=False, compare=False)
    guarded: Guarded | None = None
    tags: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def acts(self) -> bool:
        """Whether anything of it may do more than look."""
        return any(True for _ in acting(self.document, self.given))

    @property
    def unbound(self) -> tuple[str, ...]:
        """What of it may do anything, past maestro's own actions: nothing bounds that."""
        return tuple(one.what for one in acting(self.document, self.given) if not one.is_bounded)

    @property
    def bounded(self) -> str:
        """Whether the guard bounds what it does, in words."""
        if not self.acts:
            return "it only looks"
        if self.guarded is None:
            return "no: nothing bounds what it may do"
        return f"but for {', '.join(self.unbound)}" if self.unbound else "yes"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that a fault could be put into.

    `whole`: it is not one of several that serve beside one another, but all of them. `parts` are the objects
    that it consists of, where it is several, as a zone is; of a node, those of the target that it runs.
    `eligible` False: it serves beside the others, and counts where shares and caps are taken, but the fault
    cannot be put into it.
    """

    ref: ObjectRef
    uid: str
    where: str = ""
    whole: bool = False
    parts: tuple[ObjectRef, ...] = ()
    eligible: bool = True


class Kind(Enum):
    """How a run of an experiment was ended early."""

    CONDITION = "stop condition"
    BURN = "budget burn"
    BLIND = "blind"
    ASKED = "asked"
    SIGINT = "interrupted"
    SIGTERM = "terminated"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why it was ended early; `by` is who asked."""

    kind: Kind
    why: str
    by: str = ""


class Injected(Enum):
    """What became of a fault: it proved to have an effect, did not, could not be put in, or met nothing."""

    EFFECTIVE = "effective"
    INEFFECTIVE = "ineffective"
    FAILED = "failed"
    NO_TARGETS = "no targets"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault of one run, put in at one time, with the proof of its effect."""

    name: str
    outcome: Injected
    why: str
    targets: tuple[str, ...] = ()
    seconds: float | None = None  # from the intent to the proof


@dataclass(frozen=True, slots=True)
class Recovery:
    """Whether things were as before after the undo of one fault, and how long that took.

    `is_cut_short`: somebody did not wait for the proof, or the steady state told nothing, and nobody knows.
    """

    name: str
    recovered: bool
    why: str
    seconds: float | None = None
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True)
class FailedOver:
    """What a failover from one region to another took and lost; None is not known, and never zero.

    `why` says how both are known, or why not. Of `written` sentinels, `newest` was there afterwards. The loss
    began at `lost_at` at the earliest, and was whole at `proved_at`. Not `is_felt`: no caller was unserved.
    It counts for the objectives of `service`; for none where nobody says of which ("").
    """

    of: str
    to: str
    lost_at: datetime
    proved_at: datetime
    is_felt: bool
    rto_seconds: float | None
    rpo_seconds: float | None
    why: tuple[str, str]
    written: int
    newest: int | None
    bounds: FailoverBounds = FailoverBounds()
    service: str = ""

    @property
    def unknown(self) -> list[str]:
        """Which of the two nobody can tell."""
        pairs = (("rto", self.rto_seconds), ("rpo", self.rpo_seconds))
        return [name for name, found in pairs if found is None]

    @property
    def passed(self) -> bool:
        """Whether both are known, and within their bounds."""
        pairs = (
            (self.rto_seconds, self.bounds.rto_seconds),
            (self.rpo_seconds, self.bounds.rpo_seconds),
        )
        return all(found is not None and (most is None or found <= most) for found, most in pairs)


@dataclass(frozen=True, slots=True)
class Watched:
    """How many looks at one thing were answered while faults were in force, and how many were not; `tail` is
    how many of those the last ones were.
    """

    what: str
    answers: int
    gaps: int
    tail: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What maestro saw, besides the Chaos Toolkit journal. `worker` is how the child ended, "" when well;
    `declared` are the names of the faults that were to be put in.
    """

    stop: Stop | None = None
    injections: tuple[Injection, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    undo_failures: tuple[str, ...] = ()
    residue: tuple[str, ...] = ()
    worker: str = ""
    tolerated: Tolerated = Tolerated()
    arms: Comparison | None = None
    watched: tuple[Watched, ...] = ()
    declared: tuple[str, ...] = ()
    failover: FailedOver | None = None
    burned: tuple[Burned, ...] = ()
