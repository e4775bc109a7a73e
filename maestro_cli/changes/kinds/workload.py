"""What all kinds have in common that write to the spec of one workload.

Invariant: a kind says what it writes and when that holds; how a plan is made of it, sent, marked, found
again after a crash and compared is here, and the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from maestro_cli.changes.blast import blast_radius
from maestro_cli.changes.kinds.kind import (
    CHANGE_ANNOTATION,
    Holds,
    Observation,
    Option,
    Permission,
    Probe,
    Request,
    Sent,
)
from maestro_cli.changes.model import Condition, Diff, GateReason, Plan, RecentChange, Undo, plan_digest
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.changes.template import target_of
from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.cluster import Workload

Spec = Mapping[str, Any]


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


class WorkloadKind:
    """A kind of change; subclasses fill in `name`, `draft`, `spec`, `part` and `progress`."""

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "deployments", "apps"),
        Permission("patch", "deployments", "apps"),
    )

    # What each kind answers

    def draft(self, cluster: ClusterPort, workload: Workload, request: Request) -> Draft:
        raise NotImplementedError

    def spec(self, cluster: ClusterPort, workload: Workload, plan: Plan) -> Spec:
        """What a recorded plan writes, made again; raises NotFound when it cannot be."""
        raise NotImplementedError

    def part(self, spec: Spec) -> str:
        """Digest of the part that this kind writes, of a spec with `template`, `replicas` and `paused`."""
        raise NotImplementedError

    def progress(self, workload: Workload, plan: Plan) -> Observation:
        """Whether what was written has taken effect."""
        raise NotImplementedError

    def annotations(self, plan: Plan) -> dict[str, str | None]:
        """The mark by which the write is found again."""
        return {CHANGE_ANNOTATION: plan.id}

    def evidence(self, cluster: ClusterPort, workload: Workload, plan: Plan) -> str:
        """What shows that the write reached a workload that is no longer as planned, or ""."""
        if workload.annotations.get(CHANGE_ANNOTATION) == plan.id:
            return f"{workload.ref} carries the mark of {plan.id}"
        return ""

    def repetition(self, plan: Plan, before: RecentChange) -> GateReason | None:
        return None

    # The same for all

    def part_of(self, workload: Workload) -> str:
        return self.part(spec_of(workload))

    def plan(self, cluster: ClusterPort, request: Request) -> Plan:
        """Raises what `draft` raises, and GateNotMet when there is nothing to change."""
        unknown = sorted(set(request.parameters) - self.known_parameters())
        if unknown:
            taken = ", ".join(self.options) or "it takes none"
            raise UsageError(f"{self.name} has no parameter {unknown[0]!r}", fix=taken)
        workload = cluster.get_workload(request.ref)
        draft = self.draft(cluster, workload, request)
        before, after = self.part_of(workload), self.part(draft.spec)
        if before == after:
            raise GateNotMet(
                f"there is nothing to change in {request.ref}", why=f"it is to be so already: {draft.holds}"
            )
        wanted = workload.replicas_wanted if draft.after is None else draft.after
        plan = Plan(
            id=request.change_id,
            kind=self.name,
            target=target_of(workload),
            parameters=draft.parameters,
            summary=draft.summary,
            diff=draft.diff,
            blast=blast_radius(
                cluster, workload, replicas_ended=draft.ended, replicas_after=wanted,
                recent=[*request.recent, *draft.recent], blind=draft.blind,
            ),
            undo=draft.undo,
            verify=Condition(draft.holds, request.timeout_seconds),
            was_up=workload.is_rolled_out and workload.replicas_available >= workload.replicas_wanted,
            payload_digest=after,
            created_at=request.now,
            pinned=draft.pinned,
            gives_up=draft.gives_up,
            objections=draft.objections,
            leaves=before,
            payload=draft.spec,
        )  # fmt: skip
        return replace(plan, digest=plan_digest(plan))

    def known_parameters(self) -> frozenset[str]:
        return frozenset(self.options)

    def reload(self, cluster: ClusterPort, plan: Plan) -> Plan:
        """Make the payload again; only what has the digest that was agreed to is taken."""
        spec = self.spec(cluster, cluster.get_workload(plan.target.ref), plan)
        if self.part(spec) != plan.payload_digest:
            raise NotFound(
                f"what change {plan.id} was to write cannot be made again",
                why=f"{plan.target.ref} changed since",
                fix="plan again",
            )
        return replace(plan, payload=spec)

    def apply(
        self, cluster: ClusterPort, plan: Plan, *, resource_version: str, dry_run: bool = False
    ) -> Workload:
        return cluster.write_spec(
            plan.target.ref,
            uid=plan.target.uid,
            resource_version=resource_version,
            spec=plan.payload,
            annotations=self.annotations(plan),
            dry_run=dry_run,
        )

    def probe(self, cluster: ClusterPort, plan: Plan) -> Probe:
        """Look for the mark that the write leaves.

        What people decide about a workload (see Target.state) being as planned proves that nothing was
        written, and `resourceVersion` keeps a late write from landing beside a repeated one.
        """
        ref = plan.target.ref
        try:
            workload = cluster.get_workload(ref)
        except NotFound:
            return Probe(Sent.GONE, f"{ref} no longer exists")
        if workload.uid != plan.target.uid:
            return Probe(Sent.GONE, f"{ref} was deleted and made again")
        if target_of(workload).state == plan.target.state:
            return Probe(Sent.NOT_APPLIED, f"{ref} is as it was when planned", workload)
        evidence = self.evidence(cluster, workload, plan)
        if evidence:
            # After one write only, what is there now is what that write left (with the server's defaults).
            alone = workload.generation == plan.target.generation + 1
            left = self.part_of(workload) if alone else plan.payload_digest
            return Probe(Sent.APPLIED, evidence, workload, left)
        return Probe(
            Sent.UNKNOWN,
            f"{ref} changed (generation {plan.target.generation} → {workload.generation})"
            f" and nothing carries the mark of {plan.id}",
            workload,
        )

    def observe(self, workload: Workload, plan: Plan, *, left: str) -> Observation:
        """Still what was written, and in effect."""
        if workload.uid != plan.target.uid:
            return Observation(Holds.SUPERSEDED, f"{workload.ref} was deleted and made again")
        if self.part_of(workload) not in (left, plan.payload_digest):
            return Observation(Holds.SUPERSEDED, f"somebody changed {workload.ref} since")
        return self.progress(workload, plan)


def spec_of(workload: Workload) -> Spec:
    """The parts of a workload's spec that kinds write, as they are now."""
    return {
        "template": workload.template,
        "replicas": workload.replicas_wanted,
        "paused": workload.paused,
    }
