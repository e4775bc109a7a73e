"""What all kinds have in common that write to one object.

Invariant: a kind says what it writes and when that holds; how a plan is made of it, found again after a
crash and compared is here, and the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from maestro_cli.changes.candidates.model import Judged
from maestro_cli.changes.kinds.kind import (
    CHANGE_ANNOTATION,
    UNDONE,
    Found,
    Holds,
    Observation,
    Option,
    Permission,
    Probe,
    Request,
    Reversal,
    Sent,
)
from maestro_cli.changes.model import (
    BlastRadius,
    Change,
    Condition,
    Diff,
    GateReason,
    Plan,
    RecentChange,
    Risk,
    Target,
    Undo,
    plan_digest,
)
from maestro_cli.changes.ports import World
from maestro_cli.core.errors import NotFound, NothingToChange, UsageError
from maestro_cli.core.refs import ObjectRef, WorkloadRef

Spec = Mapping[str, Any]
T = TypeVar("T", bound=Found)


@dataclass(frozen=True, slots=True)
class Draft:
    """What one kind makes of a request; everything else in a plan is the same for all kinds.

    `parameters` are recorded, so they hold no secret. `spec` is what is written; `holds` what is true
    afterwards; `ended` how many replicas end; `after` how many are wanted then (None: as many as now).
    """

    parameters: Mapping[str, Any]
    summary: str
    spec: Spec
    diff: Diff
    holds: str
    undo: Undo | None
    ended: int = 0
    after: int | None = None
    objections: tuple[GateReason, ...] = ()
    recent: Sequence[RecentChange] = ()
    blind: Sequence[str] = ()
    pinned: bool = False
    gives_up: bool = False
    risks: tuple[Risk, ...] = ()
    cautions: tuple[str, ...] = ()
    considered: tuple[Judged, ...] = ()
    notes: tuple[str, ...] = ()


class WritingKind(ABC, Generic[T]):
    """A kind of change; what is abstract each kind answers itself."""

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}
    permissions: ClassVar[tuple[Permission, ...]]
    does_more: ClassVar[bool] = False  # than its write; the diff says what
    reversal: ClassVar[Reversal] = UNDONE

    # What each kind answers

    @abstractmethod
    def read(self, world: World, ref: ObjectRef) -> T:
        """The target as it is now; raises NotFound."""

    @abstractmethod
    def target(self, found: T) -> Target:
        """What a plan binds of it."""

    @abstractmethod
    def draft(self, world: World, found: T, request: Request) -> Draft:
        """What is to be written; raises UsageError, ActionFailed and GateNotMet."""

    def whole(self, world: World, found: T, draft: Draft, now: datetime) -> Draft:
        """The draft with what the target itself adds to every change of this sort."""
        return draft

    @abstractmethod
    def blast(self, world: World, found: T, draft: Draft, request: Request) -> BlastRadius:
        """What the change would touch."""

    @abstractmethod
    def is_up(self, found: T) -> bool:
        """Whether what the change may bring down is well now."""

    def was_up(self, found: T, draft: Draft) -> bool:
        """The same, where what was drafted tells more of it."""
        return self.is_up(found)

    @abstractmethod
    def spec(self, world: World, found: T, plan: Plan) -> Spec:
        """What a recorded plan writes, made again; raises NotFound when it cannot be."""

    @abstractmethod
    def part(self, spec: Spec) -> str:
        """Digest of the part that this kind writes, of a spec as `spec_of` gives it."""

    @abstractmethod
    def spec_of(self, found: T) -> Spec:
        """The parts that kinds write, as they are now."""

    @abstractmethod
    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> T:
        """Write it, under the target's uid and this resourceVersion."""

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        return self.permissions

    def objections(self, plan: Plan) -> tuple[GateReason, ...]:
        """What the blast radius of a plan has against it."""
        return ()

    def notes(self, found: T) -> tuple[str, ...]:
        """What a person should know of the target before agreeing."""
        return ()

    def labels(self, world: World, found: T) -> Mapping[str, str]:
        """Of the target, for rules that are about labels; a target without labels has none."""
        labels = getattr(found, "labels", None)
        if labels is None and isinstance(found.ref, WorkloadRef):
            labels = world.cluster.get_workload(found.ref).labels
        return dict(labels or {})

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        return {}

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        """One of the steps that `pending` names; a kind without steps is asked for none."""
        raise NotImplementedError(f"{self.name} has no steps")

    def repetition(self, plan: Plan, before: RecentChange) -> GateReason | None:
        return None

    # The same for all

    def is_as_planned(self, found: T, plan: Plan) -> bool:
        return self.target(found).state == plan.target.state

    def part_of(self, found: T) -> str:
        return self.part(self.spec_of(found))

    def plan(self, world: World, request: Request) -> Plan:
        """Raises what `draft` raises, and NothingToChange."""
        unknown = sorted(set(request.parameters) - self.known_parameters())
        if unknown:
            taken = ", ".join(self.options) or "it takes none"
            raise UsageError(f"{self.name} has no parameter {unknown[0]!r}", fix=taken)
        found = self.read(world, request.ref)
        draft = self.whole(world, found, self.draft(world, found, request), request.now)
        before, after = self.part_of(found), self.part(draft.spec)
        if before == after and (draft.diff.is_empty or not self.does_more):
            raise NothingToChange(
                f"there is nothing to change in {request.ref}", why=f"it is to be so already: {draft.holds}"
            )
        plan = Plan(
            id=request.change_id,
            kind=self.name,
            target=self.target(found),
            labels=self.labels(world, found),
            parameters=draft.parameters,
            summary=draft.summary,
            diff=draft.diff,
            blast=self.blast(world, found, draft, request),
            undo=draft.undo,
            verify=Condition(draft.holds, request.timeout_seconds),
            was_up=self.was_up(found, draft),
            payload_digest=after,
            created_at=request.now,
            pinned=draft.pinned,
            gives_up=draft.gives_up,
            objections=draft.objections,
            risks=draft.risks,
            cautions=draft.cautions,
            considered=draft.considered,
            notes=(*self.notes(found), *draft.notes),
            leaves=before,
            payload=draft.spec,
        )
        plan = replace(plan, objections=(*plan.objections, *self.objections(plan)))
        return replace(plan, digest=plan_digest(plan))

    def is_left(self, change: Change, undo: Plan) -> bool:
        return undo.leaves in (change.left, change.plan.payload_digest)

    def is_as_left(self, change: Change, later: Change) -> bool:
        was = {change.left, change.plan.payload_digest} - {""}
        return bool(was & {later.left, later.plan.payload_digest})

    def is_payload(self, spec: Spec, plan: Plan) -> bool:
        """Whether it has the digest that was agreed to."""
        return self.part(spec) == plan.payload_digest

    def known_parameters(self) -> frozenset[str]:
        return frozenset(self.options)

    def reload(self, world: World, plan: Plan) -> Plan:
        """Make the payload again; only what has the digest that was agreed to is taken."""
        spec = self.spec(world, self.read(world, plan.target.ref), plan)
        if not self.is_payload(spec, plan):
            raise NotFound(
                f"what change {plan.id} was to write cannot be made again",
                why=f"{plan.target.ref} changed since",
                fix="plan again",
            )
        return replace(plan, payload=spec)

    @abstractmethod
    def probe(self, world: World, plan: Plan) -> Probe:
        """What became of a write that may have been sent."""

    @abstractmethod
    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Whether the change holds; `left` is the digest of the part that was written."""


class MarkedKind(WritingKind[T]):
    """A kind whose write leaves a mark on an object that stays."""

    @abstractmethod
    def progress(self, found: T, plan: Plan) -> Observation:
        """Whether what was written has taken effect."""

    def is_written(self, found: T, plan: Plan, left: str) -> bool:
        """Whether what was written is there still; `left` is the digest of what the write left."""
        return self.part_of(found) in (left, plan.payload_digest)

    @abstractmethod
    def mark_of(self, found: T) -> str:
        """The mark that the last change left, or ""."""

    def annotations(self, plan: Plan) -> dict[str, str | None]:
        """The mark by which the write is found again."""
        return {CHANGE_ANNOTATION: plan.id}

    def evidence(self, world: World, found: T, plan: Plan) -> str:
        """What shows that the write reached a target that is no longer as planned, or ""."""
        if self.mark_of(found) == plan.id:
            return f"{found.ref} carries the mark of {plan.id}"
        return ""

    def probe(self, world: World, plan: Plan) -> Probe:
        """Look for the mark that the write leaves.

        What people decide about the target (see Target.state) being as planned proves that nothing was
        written, and `resourceVersion` keeps a late write from landing beside a repeated one.
        """
        ref = plan.target.ref
        try:
            found = self.read(world, ref)
        except NotFound:
            return Probe(Sent.GONE, f"{ref} no longer exists")
        if found.uid != plan.target.uid:
            return Probe(Sent.GONE, f"{ref} was deleted and made again")
        if self.is_as_planned(found, plan):
            return Probe(Sent.NOT_APPLIED, f"{ref} is as it was when planned", found)
        evidence = self.evidence(world, found, plan)
        if evidence:
            # After one write only, what is there now is what that write left (with the server's defaults).
            alone = found.generation == plan.target.generation + 1
            left = self.part_of(found) if alone else plan.payload_digest
            return Probe(Sent.APPLIED, evidence, found, left)
        moved = f" (generation {plan.target.generation} → {found.generation})" if found.generation else ""
        return Probe(Sent.UNKNOWN, f"{ref} changed{moved} and nothing carries the mark of {plan.id}", found)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Still what was written, and in effect."""
        try:
            found = self.read(world, plan.target.ref)
        except NotFound as error:
            return Observation(Holds.SUPERSEDED, error.what)
        if found.uid != plan.target.uid:
            return Observation(Holds.SUPERSEDED, f"{found.ref} was deleted and made again")
        if not self.is_written(found, plan, left):
            return Observation(Holds.SUPERSEDED, f"somebody changed {found.ref} since")
        return self.progress(found, plan)
