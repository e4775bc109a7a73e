"""Set weight: the share of a Service's replicas that one of two Deployments behind it has.

A Service spreads requests evenly over its ready pods, so the share of replicas is about that of requests.

Invariant: only the named Deployment is scaled; the one beside it stays, so that taking back is one write too.
Where an autoscaler sets the replicas of either, it is refused as a scale is, or the share does not last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from maestro_cli.changes.kinds.kind import Option, Request, share_of_one
from maestro_cli.changes.kinds.scale import Scale
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Undo
from maestro_cli.changes.ports import World
from maestro_cli.core.errors import ActionFailed, UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef


class SetWeight(Scale):
    """Parameters: `share` (0 to under 1), `beside` (the name of the other Deployment)."""

    name = "set-weight"
    options: ClassVar[Mapping[str, Option]] = {
        "share": Option(share_of_one, needed=True),
        "beside": Option(str, needed=True),
    }

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Raises ActionFailed when the other one has no ready replica: there is nothing to be a share of."""
        ref, share, beside = workload.ref, request.parameters.get("share"), request.parameters.get("beside")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise UsageError(f"{share!r} is no share", fix="0 to under 1")
        if not isinstance(beside, str) or beside in ("", ref.name):
            raise UsageError("the Deployment beside it was not named", fix="beside: NAME")
        other = world.cluster.get_workload(WorkloadRef("Deployment", ref.namespace, beside))
        if not other.replicas_ready:
            raise ActionFailed(f"no replica of {other.ref} is ready; there is nothing to be a share of")
        wanted = replicas_for(float(share), other.replicas_ready)
        drafted = super().draft(world, workload, replace(request, parameters={"replicas": wanted}))
        comes_to = wanted / (wanted + other.replicas_ready)
        return replace(
            drafted,
            parameters={"replicas": wanted, "share": float(share), "beside": beside},
            summary=f"give {ref} {comes_to:.3g} of the replicas beside {beside}: {drafted.summary}",
            undo=Undo(
                "scale", {"replicas": workload.replicas_wanted},
                f"scale {ref} back to {workload.replicas_wanted} replicas",
            ),
        )  # fmt: skip


def replicas_for(share: float, others: int) -> int:
    """So many replicas beside `others` that they are as near to the share as whole replicas come."""
    if not share:
        return 0
    exact = share * others / (1 - share)
    low, high = max(1, math.floor(exact)), max(1, math.ceil(exact))
    return min((low, high), key=lambda count: abs(count / (count + others) - share))
