"""Set weight: the share of a Service's replicas that one of two Deployments behind it has.

A Service spreads requests evenly over its ready pods, so the share of replicas is about that of requests.

Invariant: only the named Deployment is scaled; the one beside it stays, so that taking back is one write too.
Where no Service has both behind it, or whole replicas come nowhere near the share, it is refused. Where an
autoscaler sets the replicas of the named one it is refused as a scale is; of the other one it is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from maestro_cli.changes.blast import pod_labels
from maestro_cli.changes.kinds.kind import Option, Permission, Request, share_of_one
from maestro_cli.changes.kinds.scale import Scale, autoscalers_of
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import BlastRadius, GateReason, Undo
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.changes.reach import reached_workloads, with_reach
from maestro_cli.core.errors import ActionFailed, ExitCode, UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef, WorkloadRef, parse_workload_ref

_TOLERANCE = 0.5  # of the share that was asked for: what whole replicas may be away from it


class SetWeight(Scale):
    """Parameters: `share` (0 to under 1), `beside` (the name of the other Deployment)."""

    name = "set-weight"
    options: ClassVar[Mapping[str, Option]] = {
        "share": Option(share_of_one, needed=True),
        "beside": Option(str, needed=True),
    }
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "deployments", "apps"),
        Permission("list", "services", named=False),
        Permission("patch", "deployments", "apps"),
    )
    unfit: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("StatefulSet", "DaemonSet"),
        ("only two Deployments are weighed against each other", "name a Deployment: deploy/NAME"),
    )

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Raises ActionFailed when the other one has no ready replica: there is nothing to be a share of."""
        ref, share, beside = workload.ref, request.parameters.get("share"), request.parameters.get("beside")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise UsageError(f"{share!r} is no share", fix="0 to under 1")
        if not isinstance(beside, str) or beside in ("", ref.name):
            raise UsageError("the Deployment beside it was not named", fix="beside: NAME")
        other = world.cluster.get_workload(beside_of(ref, beside))
        if not other.replicas_ready:
            raise ActionFailed(f"no replica of {other.ref} is ready; there is nothing to be a share of")
        wanted = replicas_for(float(share), other.replicas_ready)
        drafted = super().draft(world, workload, replace(request, parameters={"replicas": wanted}))
        comes_to = wanted / (wanted + other.replicas_ready)
        services = shared_services(world.cluster, workload, other) if wanted else ()
        against = () if services or not wanted else (_apart(workload, other),)
        behind = f" behind {', '.join(services)}" if services else ""
        return replace(
            drafted,
            parameters={"replicas": wanted, "share": float(share), "beside": beside},
            summary=f"give {ref} {comes_to:.3g} of the replicas beside {beside}{behind}: {drafted.summary}",
            undo=Undo(
                "scale", {"replicas": workload.replicas_wanted},
                f"scale {ref} back to {counted(workload.replicas_wanted, 'replica')}",
            ),
            objections=(*drafted.objections, *against, *_far_off(float(share), comes_to, other)),
            notes=(*drafted.notes, *_moved_by(world.cluster, other)),
        )  # fmt: skip

    def blast(self, world: World, found: Workload, draft: Draft, request: Request) -> BlastRadius:
        """It scales one, and with it alters who answers in the place of the other."""
        other = world.cluster.get_workload(beside_of(found.ref, draft.parameters["beside"]))
        blast = super().blast(world, found, draft, request)
        share = None
        if blast.replicas_after > blast.replicas_now:
            share = blast.replicas_after / (blast.replicas_after + other.replicas_ready)
        return with_reach(replace(blast, canary_share=share), reached_workloads([other]))


def beside_of(ref: ObjectRef, name: str) -> WorkloadRef:
    """The Deployment of that name beside this one; raises UsageError for what is no name."""
    return parse_workload_ref(f"deploy/{name}", namespace=ref.namespace)


def replicas_for(share: float, others: int) -> int:
    """So many replicas beside `others` that they are as near to the share as whole replicas come."""
    if not share:
        return 0
    exact = share * others / (1 - share)
    low, high = max(1, math.floor(exact)), max(1, math.ceil(exact))
    return min((low, high), key=lambda count: abs(count / (count + others) - share))


def shared_services(cluster: ClusterPort, one: Workload, other: Workload) -> Sequence[str]:
    """The names of the Services that take in the pods of both; raises Refused when they may not be listed."""
    labels = (pod_labels(one), pod_labels(other))
    return [
        service.name
        for service in cluster.list_services(one.ref.namespace)
        if all(map(service.takes, labels))
    ]


def _apart(workload: Workload, other: Workload) -> GateReason:
    return GateReason(
        "no-shared-service",
        ExitCode.GATE_NOT_MET,
        f"no Service has the pods of both {workload.ref} and {other.ref} behind it",
        why="the share of replicas is one of requests only where one Service spreads them over both",
        fix="give the pods of both the labels that the Service selects, and each a label of its own besides",
    )


def _far_off(share: float, comes_to: float, other: Workload) -> tuple[GateReason, ...]:
    """The objection that the nearest whole number of replicas is another share than was asked for."""
    if abs(comes_to - share) <= share * _TOLERANCE:
        return ()
    needed = math.ceil((1 - share) / share - 1e-9)  # 0.05 is a little more than it says
    reason = GateReason(
        "share-out-of-reach",
        ExitCode.GATE_NOT_MET,
        f"{counted(other.replicas_ready, 'replica')} of {other.ref} leave no share of {share:.3g}",
        why=f"one replica beside them is {comes_to:.3g} already",
        fix=f"ask for that share, or first: maestro scale {other.ref} --replicas {needed}",
    )
    return (reason,)


def _moved_by(cluster: ClusterPort, other: Workload) -> tuple[str, ...]:
    owners, _ = autoscalers_of(cluster, other.ref)
    return tuple(
        f"the autoscaler {one.name} sets the replicas of {other.ref}: the share moves with them"
        for one in owners
    )
