"""Plans, decisions and the record of a change.

Invariant: frozen. A plan's digest covers everything that decides what would happen, so that consent
given to one digest is consent to nothing else. Text that came from the cluster is `Untrusted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from maestro_cli.changes.candidates.model import Judged
from maestro_cli.changes.served import Impact
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted


class State(Enum):
    """Where a change is.

    `waiting`: nothing was done, and a second person may approve it. `unknown` may have been applied, and must
    be probed before anything continues. `cancelled`: a person said no to the plan; `expired`: nobody said
    anything to it for a long time.
    """

    PLANNED = "planned"
    WAITING = "waiting"
    REFUSED = "refused"
    INTENDED = "intended"
    APPLIED = "applied"
    UNKNOWN = "unknown"
    VERIFIED = "verified"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UNDO_FAILED = "undo_failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


GIVEN_UP = frozenset({State.REFUSED, State.CANCELLED, State.EXPIRED})
FINISHED = GIVEN_UP | {State.VERIFIED, State.FAILED, State.ROLLED_BACK, State.UNDO_FAILED}
UNRESOLVED = frozenset({State.INTENDED, State.UNKNOWN})
UNSENT = frozenset({State.PLANNED, State.WAITING})
KILLED_FOR_MEMORY = "was killed for its memory"  # said of a pod in what the verification saw


@dataclass(frozen=True, slots=True)
class Target:
    """The one object a plan was made for, as it was then.

    `state` is a digest over what people decided about it (of a workload: uid, generation, revision,
    template, replicas, paused): it stays the same when a controller only reports status, though
    resourceVersion moves. `generation` is 0 where objects of its kind have none.
    """

    ref: ObjectRef
    uid: str
    resource_version: str
    generation: int
    state: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One path that differs; None means it is not there on that side."""

    path: Untrusted
    before: Untrusted | None
    after: Untrusted | None


@dataclass(frozen=True, slots=True)
class Diff:
    lines: tuple[DiffLine, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.lines


@dataclass(frozen=True, slots=True)
class BudgetHeadroom:
    """A disruption budget over pods that end; `namespace` is "" in old records: the target's own."""

    name: str
    allowed: int
    healthy: int
    desired_healthy: int
    expected: int
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class RecentChange:
    """Another change of the same target within the last hour; from the journal or seen in the cluster."""

    id: str
    kind: str
    actor: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reached:
    """An object besides the target that a change alters, ends or makes follow; `labels` None: not known."""

    ref: ObjectRef
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """In words, what of a change's reach could not be read; `namespace` is "" when it may be in any."""

    what: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What a change would touch.

    `replicas_ended` are those that end, to be replaced or for good. `namespace_share` is these over the
    namespace's live pods (0 to 1), None when the pods could not be read. `blind` says in words what could
    not be read. `waits`: the cluster holds the budgets, and the change waits for them. Of a change of a node:
    `nodes_left` that would still take new pods, and their `zones_left`;
    None when it does not touch nodes, or they could not be read. Of a silence: `alerts_hidden`, firing ones
    that it holds back or lets be heard. `namespaces`: those that it reaches besides the target's own.
    `reaches`: what it alters besides the target, for rules that are about some objects; `unread`: what of it
    is not known. `canary_share`: the most of the traffic (0 to 1) that a version newer than the stable one
    gets by it, where it had less; None where none gets more.
    """

    workloads: int
    replicas_now: int
    replicas_after: int
    replicas_ended: int = 0
    namespace_replicas: int | None = None
    namespace_share: float | None = None
    budgets: tuple[BudgetHeadroom, ...] = ()
    recent: tuple[RecentChange, ...] = ()
    blind: tuple[str, ...] = ()
    waits: bool = False
    nodes_left: int | None = None
    zones_left: tuple[str, ...] | None = None
    alerts_hidden: int | None = None
    namespaces: tuple[str, ...] = ()
    reaches: tuple[Reached, ...] = ()
    unread: tuple[Unread, ...] = ()
    impact: Impact | None = None
    canary_share: float | None = None

    @property
    def headroom(self) -> int | None:
        """Disruptions the tightest budget allows now; None when no budget covers the target."""
        return min((budget.allowed for budget in self.budgets), default=None)


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take a change back: a change of this kind with these parameters."""

    kind: str
    parameters: Mapping[str, Any]
    summary: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold after a change, and within how long."""

    text: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Risk:
    """What has to be accepted by its name (`code`); `two_person`: and approved by somebody else."""

    code: str
    what: str
    why: str
    two_person: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One change, ready to be gated. The plan's id becomes the change's id.

    `payload` is what is sent: parts of the target's spec by name. It stays in memory, because templates
    may hold secrets. The digest of the part that its kind writes is bound and recorded, and recovery makes
    the same payload again. `leaves` is the digest of that part as it is now. `pinned`: the caller named the
    goal. `gives_up`: what is left is not worth going back to. `was_up`: every replica was available.
    `objections` are what the kind itself found against the change; `cautions` what speaks against its goal
    without forbidding it: the gate warns of it, and the target's name is typed for a yes. `considered` is
    what it chose from, or weighed the goal against, and `notes` what a person should know before agreeing.
    `labels` are those of the target.
    """

    id: str
    kind: str
    target: Target
    parameters: Mapping[str, Any]
    summary: str
    diff: Diff
    blast: BlastRadius
    undo: Undo | None
    verify: Condition
    was_up: bool
    payload_digest: str
    created_at: datetime
    pinned: bool = False
    gives_up: bool = False
    objections: tuple[GateReason, ...] = ()
    risks: tuple[Risk, ...] = ()
    cautions: tuple[str, ...] = ()
    considered: tuple[Judged, ...] = ()
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    leaves: str = ""
    digest: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def plan_digest(plan: Plan) -> str:
    """SHA-256 (hex) over all of a plan but its id, time and payload (whose digest is covered)."""
    return digest(
        [
            plan.kind, plan.target, plan.parameters, plan.summary, plan.diff, plan.blast, plan.undo,
            plan.verify, plan.was_up, plan.payload_digest, plan.pinned, plan.gives_up, plan.objections,
            plan.leaves, plan.risks, plan.considered, plan.notes,
            plan.labels,
            *([plan.cautions] if plan.cautions != () else ()),  # older plans keep their digest
        ]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person (or the run acting for one) agreed to.

    `given` is an answered prompt, or `--yes`. `digest` is the plan that was shown; empty when the
    caller shows none. `typed_context` is what was typed for a protected context. `accepts` names the
    risks accepted one by one (`disruption-budget`); nothing else in a gate can be overridden.
    """

    given: bool
    digest: str = ""
    typed_context: str = ""
    accepts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Appeal:
    """What the requester of a waiting change said; `identity` as whom the cluster knows them, or empty."""

    identity: str
    typed_context: str = ""
    accepts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Approval:
    """A second person's word for one plan, by its digest; `identity` as in Appeal. Good until `until`."""

    by: str
    identity: str
    digest: str
    until: datetime


class Gate(Enum):
    ALLOWED = "allowed"
    REFUSED = "refused"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class GateReason:
    """Why a gate does not open, and the exit code that stands for it."""

    code: str
    exit_code: ExitCode
    what: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class GateDecision:
    outcome: Gate
    reasons: tuple[GateReason, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Gate.ALLOWED


@dataclass(frozen=True, slots=True)
class ChangeError:
    """An error as the journal keeps it; `type` is a class of core.errors."""

    type: str
    what: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What the journal says about one change.

    `applied_at` None in a finished change means that nothing was done. `left` is the digest of the part
    that its kind writes, as the write left it. `interrupted`: verification was stopped and can be resumed.
    `undo_of` and `undone_by` are change ids. `appeal` and `approval`: of a change that had to wait.
    """

    id: str
    key: str | None
    kind: str
    ref: ObjectRef
    actor: str
    cause: str
    state: State
    plan: Plan
    created_at: datetime
    updated_at: datetime
    dry_run: bool = False
    intended_at: datetime | None = None
    applied_at: datetime | None = None
    finished_at: datetime | None = None
    evidence: str = ""
    left: str = ""
    applied_generation: int = 0
    verify_failure: str = ""
    undo_wanted: bool = False
    interrupted: bool = False
    error: ChangeError | None = None
    decision: GateDecision | None = None
    undo_of: str | None = None
    undone_by: str | None = None
    appeal: Appeal | None = None
    approval: Approval | None = None

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def is_only_planned(self) -> bool:
        """Whether its plan may still be carried out, or again: it neither got past its gate nor waited."""
        failed_first = self.state is State.FAILED and self.intended_at is None and self.appeal is None
        return self.state is State.PLANNED or self.state in GIVEN_UP or failed_first

    @property
    def nothing_done(self) -> bool:
        """Finished, and the world is as it was."""
        return self.finished and self.applied_at is None
