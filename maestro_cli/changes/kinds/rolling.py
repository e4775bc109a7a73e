"""What the kinds have in common that give a workload another pod template, which its replicas take on.

Invariant: a paused workload is refused, since it would roll nothing out; going back is a rollback to the
very template that was there, found by its digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from maestro_cli.changes.kinds.held import PODS, held_back, left_behind
from maestro_cli.changes.kinds.kind import CAUSE_ANNOTATION, Holds, Observation, Permission
from maestro_cli.changes.kinds.workload import WorkloadKind
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import GateReason, Plan, RecentChange, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import release_digest, template_digest
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.refs import ObjectRef

RECENT_SECONDS = 3600.0
_GAVE_UP = "ProgressDeadlineExceeded"


class RollingKind(WorkloadKind):
    """A kind whose change is rolled out; subclasses fill in `name`, `draft` and `spec`."""

    permissions = (
        Permission("get", "deployments", "apps"),
        Permission("list", "replicasets", "apps"),
        Permission("patch", "deployments", "apps"),
    )

    def whole(self, world: World, found: Workload, draft: Draft, now: datetime) -> Draft:
        return held_back(world.cluster, found, draft, now)

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        if not plan.parameters.get(PODS):
            return super().needs(plan)
        return (*super().needs(plan), Permission("delete", "pods", named=False))

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """Planned pods that the set still waits for instead of giving them the new template."""
        planned = plan.parameters.get(PODS) or {}
        if not planned:
            return {}
        left = left_behind(world.cluster, self.read(world, plan.target.ref))
        return {pod.uid: pod.ref for pod in left if pod.uid in planned}

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        """Delete one pod by its uid: it is not ready, so no disruption budget counts on it."""
        world.cluster.delete_pod(ref.namespace, ref.name, uid=uid)

    def part(self, spec: Spec) -> str:
        return release_digest(spec["template"])

    def cause(self, plan: Plan) -> str:
        """What `kubectl rollout history` shows as the reason."""
        return plan.summary

    def annotations(self, plan: Plan) -> dict[str, str | None]:
        return {**super().annotations(plan), CAUSE_ANNOTATION: f"maestro {self.cause(plan)} ({plan.id})"}

    def evidence(self, world: World, workload: Workload, plan: Plan) -> str:
        """The mark of the workload, or of one of its revisions, or the template itself."""
        found = super().evidence(world, workload, plan)
        if found:
            return found
        for revision in world.cluster.list_revisions(workload.ref):
            if f"({plan.id})" in revision.change_cause:
                return f"revision {revision.number} carries the mark of {plan.id}"
        if self.part_of(workload) == plan.payload_digest:
            return f"{workload.ref} has the planned template, without the mark of {plan.id}"
        return ""

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """As for every workload; a set that waits for a pod that nobody planned to end says so."""
        seen = super().observe(world, plan, left=left)
        if seen.holds is not Holds.NOT_YET or plan.target.ref.kind != "StatefulSet":
            return seen
        waits = left_behind(world.cluster, self.read(world, plan.target.ref))
        if not waits:
            return seen
        return Observation(Holds.NOT_YET, f"{seen.text}; it waits for {waits[0].ref}, which is not ready")

    def progress(self, workload: Workload, plan: Plan) -> Observation:
        """Rolled out by kubectl's conditions, as far as the workload takes the template on by itself."""
        text = (
            f"{workload.replicas_updated} of {workload.replicas_wanted} updated,"
            f" {workload.replicas_available} available, {workload.replicas} in all"
        )
        if workload.held_back and workload.replicas_updated < workload.replicas_wanted:
            text = f"{text}; {workload.held_why}"
        if workload.is_rolled_out:
            return Observation(Holds.YES, text)
        if workload.observed_generation >= workload.generation and workload.progress_reason == _GAVE_UP:
            return Observation(Holds.NEVER, f"{text}: the rollout exceeded its progress deadline")
        return Observation(Holds.NOT_YET, text)


def paused(workload: Workload) -> tuple[GateReason, ...]:
    """The objection to rolling out what is paused."""
    if not workload.paused:
        return ()
    reason = GateReason(
        "paused",
        ExitCode.GATE_NOT_MET,
        f"{workload.ref} is paused",
        why="a paused workload takes another template and rolls nothing out",
        fix=f"maestro rollout resume {workload.ref}",
    )
    return (reason,)


def seen(revisions: Sequence[Revision], now: datetime, written: Collection[str]) -> list[RecentChange]:
    """Revisions that others made within the hour, also by a maestro with another journal.

    Those of this journal are known by the digest of what they wrote: a cause may be a copy of theirs.
    """
    return [
        RecentChange(f"revision {revision.number}", "rollout", "", "seen", revision.created_at)
        for revision in revisions
        if seconds_between(revision.created_at, now) <= RECENT_SECONDS and not is_written(revision, written)
    ]


def is_written(revision: Revision, written: Collection[str]) -> bool:
    """Whether one of these digests is that of the revision's template."""
    return any(made(revision.template) in written for made in (release_digest, template_digest))


def back_to_now(workload: Workload) -> Undo:
    """The undo of every kind here that has one."""
    return Undo(
        "rollback",
        {"to_revision": workload.revision, "template": release_digest(workload.template)},
        f"roll {workload.ref} back to what revision {workload.revision} runs now",
    )
