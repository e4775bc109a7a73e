"""Scale HPA: move the bounds between which an autoscaler keeps the replicas of a workload.

Invariant: the autoscaler alone sets the replicas. A lower maximum ends replicas at once, a higher minimum
starts some; what is within the new bounds stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.blast import blast_radius
from maestro_cli.changes.kinds.kind import (
    CHANGE_ANNOTATION,
    Holds,
    Observation,
    Option,
    Permission,
    Request,
    whole_number,
)
from maestro_cli.changes.kinds.scale import MAX_REPLICAS
from maestro_cli.changes.kinds.writing import Draft, MarkedKind, Spec
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, Plan, Reached, Target, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.reach import reached_workloads, with_reach
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import NotFound, Refused, UsageError
from maestro_cli.core.facts.cluster import Autoscaler, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef, WorkloadRef, ref_of
from maestro_cli.core.untrusted import Untrusted

_BOUNDS = {"min": "minReplicas", "max": "maxReplicas"}


class ScaleHpa(MarkedKind[Autoscaler]):
    """Parameters: `min` and `max` (int); one that is left out stays."""

    name = "scale-hpa"
    options: ClassVar[Mapping[str, Option]] = {"min": Option(whole_number), "max": Option(whole_number)}
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "horizontalpodautoscalers", "autoscaling"),
        Permission("patch", "horizontalpodautoscalers", "autoscaling"),
    )

    def read(self, world: World, ref: ObjectRef) -> Autoscaler:
        if ref.kind != "HorizontalPodAutoscaler":
            raise UsageError(f"{ref} is not an autoscaler", fix="name an autoscaler: hpa/NAME")
        return world.cluster.get_autoscaler(ref.namespace, ref.name)

    def target(self, found: Autoscaler) -> Target:
        state = digest([found.uid, found.least, found.most, found.target_name, self.mark_of(found)])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: Autoscaler, request: Request) -> Draft:
        least, most = _checked(found, request.parameters)
        workload, blind = _scaled(world, found)
        now = 0 if workload is None else workload.replicas_wanted
        after = min(max(now, least), most) if now else now
        before = {"minReplicas": found.least, "maxReplicas": found.most}
        spec = {"minReplicas": least, "maxReplicas": most}
        lines = (
            DiffLine(Untrusted(name), Untrusted(str(before[name])), Untrusted(str(spec[name])))
            for name in spec if spec[name] != before[name]
        )  # fmt: skip
        of = f"{found.ref} of {found.target_kind.lower()}/{found.target_name}"
        return Draft(
            parameters={"min": least, "max": most},
            summary=f"keep {least} to {counted(most, 'replica')} by {of},"
            f" which kept {found.least} to {found.most}",
            spec=spec,
            diff=Diff(tuple(lines)),
            holds=f"{found.ref} keeps between {least} and {counted(most, 'replica')}",
            undo=Undo(
                self.name,
                {"min": found.least, "max": found.most},
                f"put {found.ref} back to {found.least} to {counted(found.most, 'replica')}",
            ),
            ended=max(0, now - after),
            after=after,
            blind=blind,
        )

    def blast(self, world: World, found: Autoscaler, draft: Draft, request: Request) -> BlastRadius:
        workload, _ = _scaled(world, found)
        if workload is None:
            blast = BlastRadius(
                workloads=1, replicas_now=0, replicas_after=0, recent=tuple(request.recent),
                blind=tuple(draft.blind),
            )  # fmt: skip
            return with_reach(blast, [Reached(_scaled_ref(found))])
        blast = blast_radius(
            world.cluster, workload, replicas_ended=draft.ended, replicas_after=draft.after or 0,
            recent=request.recent, blind=draft.blind,
        )  # fmt: skip
        return with_reach(blast, reached_workloads([workload]))

    def is_up(self, found: Autoscaler) -> bool:
        """What it scales is judged by its own conditions; going back to the old bounds is never worse."""
        return True

    def spec(self, world: World, found: Autoscaler, plan: Plan) -> Spec:
        return {_BOUNDS[name]: plan.parameters[name] for name in _BOUNDS}

    def spec_of(self, found: Autoscaler) -> Spec:
        return {"minReplicas": found.least, "maxReplicas": found.most}

    def part(self, spec: Spec) -> str:
        return digest(["bounds", spec["minReplicas"], spec["maxReplicas"]])

    def mark_of(self, found: Autoscaler) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Autoscaler:
        ref, spec = plan.target.ref, plan.payload
        return world.cluster.write_autoscaler(
            ref.namespace, ref.name, uid=plan.target.uid, resource_version=resource_version,
            least=spec["minReplicas"], most=spec["maxReplicas"], annotations=self.annotations(plan),
            dry_run=dry_run,
        )  # fmt: skip

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """The bounds are as written, and the replicas within them where a controller follows it."""
        seen = super().observe(world, plan, left=left)
        if seen.holds is not Holds.YES:
            return seen
        found = self.read(world, plan.target.ref)
        workload, _ = _scaled(world, found)
        if workload is None or not found.is_driven or not workload.replicas_wanted:
            return seen
        text = f"{workload.ref} wants {workload.replicas_wanted}, {workload.replicas_ready} are ready"
        within = found.least <= workload.replicas_wanted <= found.most
        there = within and workload.replicas_ready == workload.replicas_wanted
        return Observation(Holds.YES if there else Holds.NOT_YET, text)

    def progress(self, found: Autoscaler, plan: Plan) -> Observation:
        return Observation(
            Holds.YES, f"{found.ref} keeps between {found.least} and {counted(found.most, 'replica')}"
        )


def _checked(found: Autoscaler, given: Mapping[str, Any]) -> tuple[int, int]:
    if all(given.get(name) is None for name in _BOUNDS):
        raise UsageError("scale-hpa needs min, max or both", fix="min: 2, max: 10")
    least = found.least if given.get("min") is None else given["min"]
    most = found.most if given.get("max") is None else given["max"]
    for name, value in (("min", least), ("max", most)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_REPLICAS:
            raise UsageError(f"{name} cannot be {value!r}", fix=f"1 to {MAX_REPLICAS}")
    if least > most:
        raise UsageError(f"min {least} is above max {most}", fix="move both: min and max")
    return least, most


def _scaled_ref(found: Autoscaler) -> ObjectRef:
    return ref_of(found.target_kind, found.namespace, found.target_name)


def _scaled(world: World, found: Autoscaler) -> tuple[Workload | None, list[str]]:
    """The workload whose replicas it sets, and in words what could not be seen."""
    ref = _scaled_ref(found)
    try:
        if not isinstance(ref, WorkloadRef):
            raise UsageError(f"{found.target_kind} is not a kind of workload")
        return world.cluster.get_workload(ref), []
    except (Refused, NotFound, UsageError) as error:
        return None, [f"workload that {found.ref} scales: {error.what}"]
