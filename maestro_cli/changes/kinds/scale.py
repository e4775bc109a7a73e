"""Scale: set how many replicas a workload wants.

Invariant: what an autoscaler owns is not scaled by hand, because it would set its own number again within
seconds. To and from zero it may be: an autoscaler leaves a workload alone that wants no replica.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Holds, Observation, Option, Request, whole_number
from maestro_cli.changes.kinds.workload import WorkloadKind
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Diff, DiffLine, GateReason, Plan, Undo
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import ExitCode, Refused, UsageError
from maestro_cli.core.facts.cluster import Autoscaler, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted

# What a whole cluster is made for: kubernetes.io/docs/setup/best-practices/cluster-large
MAX_REPLICAS = 150_000


class Scale(WorkloadKind):
    """Parameters: `replicas` (int)."""

    name = "scale"
    options: ClassVar[Mapping[str, Option]] = {"replicas": Option(whole_number, needed=True)}
    unfit: ClassVar[Mapping[str, tuple[str, str]]] = {
        "DaemonSet": (
            "a DaemonSet has no number of replicas: it runs one pod on each node that its template selects",
            "change which nodes those are: maestro node cordon NODE, or the nodeSelector of its template",
        )
    }

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        ref, now = workload.ref, workload.replicas_wanted
        wanted = _checked(request.parameters.get("replicas"))
        owners, blind = autoscalers_of(world.cluster, ref)
        objections = tuple(_owned(owner, workload, wanted) for owner in owners) if now and wanted else ()
        return Draft(
            parameters={"replicas": wanted},
            summary=f"scale {ref} from {now} to {counted(wanted, 'replica')}",
            spec={"replicas": wanted},
            diff=Diff((DiffLine(Untrusted("replicas"), Untrusted(str(now)), Untrusted(str(wanted))),)),
            holds=f"{ref} has {counted(wanted, 'replica')} ready"
            if wanted
            else f"no replica of {ref} is left",
            undo=Undo(self.name, {"replicas": now}, f"scale {ref} back to {counted(now, 'replica')}"),
            ended=max(0, workload.replicas - wanted),
            after=wanted,
            objections=objections,
            blind=blind,
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        return {"replicas": plan.parameters["replicas"]}

    def part(self, spec: Spec) -> str:
        return digest(["replicas", spec["replicas"]])

    def progress(self, workload: Workload, plan: Plan) -> Observation:
        """As many ready as wanted; with none wanted, none left at all."""
        wanted = workload.replicas_wanted
        text = f"{workload.replicas_ready} of {wanted} ready, {workload.replicas} in all"
        seen = workload.observed_generation >= workload.generation
        there = workload.replicas_ready if wanted else workload.replicas
        return Observation(Holds.YES if seen and there == wanted else Holds.NOT_YET, text)


def _checked(replicas: object) -> int:
    if isinstance(replicas, bool) or not isinstance(replicas, int) or not 0 <= replicas <= MAX_REPLICAS:
        raise UsageError(
            "scale needs a number of replicas" if replicas is None else f"{replicas!r} is no such number",
            fix=f"replicas: 0 to {MAX_REPLICAS}",
        )
    return replicas


def autoscalers_of(cluster: ClusterPort, ref: WorkloadRef) -> tuple[list[Autoscaler], list[str]]:
    """Those that set the replicas of this workload, and in words what could not be seen."""
    try:
        found = cluster.list_autoscalers(ref.namespace)
    except Refused:
        return [], [f"autoscalers of {ref.namespace}: one of them may set the replicas again"]
    return [one for one in found if (one.target_kind, one.target_name) == (ref.kind, ref.name)], []


def _owned(owner: Autoscaler, workload: Workload, wanted: int) -> GateReason:
    grows, ref = wanted > workload.replicas_wanted, workload.ref
    least = wanted if grows else min(owner.least, wanted)
    most = max(owner.most, wanted) if grows else wanted
    return GateReason(
        "autoscaler",
        ExitCode.GATE_NOT_MET,
        f"the autoscaler {owner.name} sets the replicas of {ref}",
        why=f"it keeps them between {owner.least} and {owner.most}, and would take this change back",
        fix=f"move its bounds instead: maestro set hpa {owner.name} -n {ref.namespace}"
        f" --min {least} --max {most}",
    )
