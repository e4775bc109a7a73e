"""Scale HPA: move the bounds between which an autoscaler keeps the replicas of a workload, or its target.

Invariant: the autoscaler alone sets the replicas. A lower maximum ends replicas at once, a higher minimum
starts some; what is within the new bounds stays. The target is the share of the CPU request, in percent, that
pods are to use on average; of an autoscaler that looks at something else it is not made up. Digests of plans
from before there were targets are of the bounds alone, and say no more than those.
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
from maestro_cli.changes.model import BlastRadius, Change, Diff, DiffLine, Plan, Reached, Target, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.reach import reached_workloads, with_reach
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import NotFound, Refused, UsageError
from maestro_cli.core.facts.cluster import Autoscaler, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef, WorkloadRef, ref_of
from maestro_cli.core.untrusted import Untrusted

MOST_TARGET = 1000  # percent: pods may use more than they request
_TARGET = "cpu"
_BOUNDS = {"min": "minReplicas", "max": "maxReplicas"}


class ScaleHpa(MarkedKind[Autoscaler]):
    """Parameters: `min`, `max` and `cpu` (int; of the CPU request, percent); one that is left out stays."""

    name = "scale-hpa"
    options: ClassVar[Mapping[str, Option]] = {name: Option(whole_number) for name in ("min", "max", "cpu")}
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "horizontalpodautoscalers", "autoscaling"),
        Permission("patch", "horizontalpodautoscalers", "autoscaling"),
    )

    def read(self, world: World, ref: ObjectRef) -> Autoscaler:
        if ref.kind != "HorizontalPodAutoscaler":
            raise UsageError(f"{ref} is not an autoscaler", fix="name an autoscaler: hpa/NAME")
        return world.cluster.get_autoscaler(ref.namespace, ref.name)

    def target(self, found: Autoscaler) -> Target:
        state = digest([*self._without_target(found), found.cpu_target])  # None too: see `is_as_planned`
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def is_as_planned(self, found: Autoscaler, plan: Plan) -> bool:
        """As it was then; a plan from before there were targets says nothing of the target."""
        return super().is_as_planned(found, plan) or digest(self._without_target(found)) == plan.target.state

    def _without_target(self, found: Autoscaler) -> list[object]:
        return [found.uid, found.least, found.most, found.target_name, self.mark_of(found)]

    def draft(self, world: World, found: Autoscaler, request: Request) -> Draft:
        least, most, cpu = _checked(found, request.parameters)
        workload, blind = _scaled(world, found)
        now = 0 if workload is None else workload.replicas_wanted
        after = min(max(now, least), most) if now else now
        before = self.spec_of(found)
        spec = {"minReplicas": least, "maxReplicas": most, _TARGET: cpu}
        lines = (
            DiffLine(Untrusted(name), Untrusted(str(before[name])), Untrusted(str(spec[name])))
            for name in spec if spec[name] != before[name]
        )  # fmt: skip
        of = f"{found.ref} of {found.target_kind.lower()}/{found.target_name}"
        return Draft(
            parameters=_parameters(least, most, cpu if cpu != found.cpu_target else None),
            summary=f"keep {least} to {counted(most, 'replica')} by {of},"
            f" which kept {found.least} to {found.most}{_by_cpu(found, cpu)}",
            spec=spec,
            diff=Diff(tuple(lines)),
            holds=f"{found.ref} keeps between {least} and {counted(most, 'replica')}",
            undo=Undo(
                self.name,
                _parameters(found.least, found.most, found.cpu_target if cpu != found.cpu_target else None),
                f"put {found.ref} back to {found.least} to {counted(found.most, 'replica')}"
                + ("" if cpu == found.cpu_target else f", at {found.cpu_target} % of the CPU request"),
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
        bounds = {_BOUNDS[name]: plan.parameters[name] for name in _BOUNDS}
        return {**bounds, _TARGET: plan.parameters.get("cpu", found.cpu_target)}

    def spec_of(self, found: Autoscaler) -> Spec:
        return {"minReplicas": found.least, "maxReplicas": found.most, _TARGET: found.cpu_target}

    def part(self, spec: Spec) -> str:
        least, most, cpu = spec["minReplicas"], spec["maxReplicas"], spec[_TARGET]
        return _of_bounds(least, most) if cpu is None else digest(["bounds", least, most, cpu])

    def is_payload(self, spec: Spec, plan: Plan) -> bool:
        alone = _of_bounds(spec["minReplicas"], spec["maxReplicas"])
        return super().is_payload(spec, plan) or alone == plan.payload_digest

    def is_left(self, change: Change, undo: Plan) -> bool:
        there = undo.undo  # puts back what is there now
        alone = "" if there is None else _of_bounds(there.parameters["min"], there.parameters["max"])
        return super().is_left(change, undo) or alone in {change.left, change.plan.payload_digest} - {""}

    def is_as_left(self, change: Change, later: Change) -> bool:
        was = {change.left, change.plan.payload_digest}
        given = later.plan.parameters if later.kind == self.name else {}
        again = bool(given) and _of_bounds(given["min"], given["max"]) in was
        return again or super().is_as_left(change, later)

    def is_written(self, found: Autoscaler, plan: Plan, left: str) -> bool:
        alone = _of_bounds(found.least, found.most)
        return super().is_written(found, plan, left) or alone in (left, plan.payload_digest)

    def mark_of(self, found: Autoscaler) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Autoscaler:
        ref, spec = plan.target.ref, plan.payload
        return world.cluster.write_autoscaler(
            ref.namespace, ref.name, uid=plan.target.uid, resource_version=resource_version,
            least=spec["minReplicas"], most=spec["maxReplicas"], cpu=spec[_TARGET],
            annotations=self.annotations(plan), dry_run=dry_run,
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
        if "cpu" in plan.parameters:
            text = f"{seen.text}; {text}"
        within = found.least <= workload.replicas_wanted <= found.most
        there = within and workload.replicas_ready == workload.replicas_wanted
        return Observation(Holds.YES if there else Holds.NOT_YET, text)

    def progress(self, found: Autoscaler, plan: Plan) -> Observation:
        text = f"{found.ref} keeps between {found.least} and {counted(found.most, 'replica')}"
        if "cpu" in plan.parameters:
            text += f", at {found.cpu_target} % of the CPU request"
        return Observation(Holds.YES, text)


def _of_bounds(least: int, most: int) -> str:
    """The digest of a part from before there were targets, and of one that has none."""
    return digest(["bounds", least, most])


def _parameters(least: int, most: int, cpu: int | None) -> dict[str, int]:
    return {"min": least, "max": most, **({} if cpu is None else {"cpu": cpu})}


def _by_cpu(found: Autoscaler, cpu: int | None) -> str:
    return (
        "" if cpu == found.cpu_target else f", at {cpu} % of the CPU request instead of {found.cpu_target} %"
    )


def _checked(found: Autoscaler, given: Mapping[str, Any]) -> tuple[int, int, int | None]:
    cpu = _checked_target(found, given.get("cpu"))
    if cpu is None and all(given.get(name) is None for name in _BOUNDS):
        raise UsageError("scale-hpa needs min, max or both, or cpu", fix="min: 2, max: 10")
    least = found.least if given.get("min") is None else given["min"]
    most = found.most if given.get("max") is None else given["max"]
    for name, value in (("min", least), ("max", most)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_REPLICAS:
            raise UsageError(f"{name} cannot be {value!r}", fix=f"1 to {MAX_REPLICAS}")
    if least > most:
        raise UsageError(f"min {least} is above max {most}", fix="move both: min and max")
    return least, most, found.cpu_target if cpu is None else cpu


def _checked_target(found: Autoscaler, cpu: object) -> int | None:
    if cpu is None:
        return None
    if found.cpu_target is None:
        raise UsageError(
            f"{found.ref} does not scale by the share of the CPU request that is used", fix="leave cpu out"
        )
    if isinstance(cpu, bool) or not isinstance(cpu, int) or not 1 <= cpu <= MOST_TARGET:
        raise UsageError(f"cpu cannot be {cpu!r}", fix=f"1 to {MOST_TARGET}, percent of the request")
    return cpu


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
