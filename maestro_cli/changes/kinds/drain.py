"""Drain: close a node to new pods, and have those end that a controller makes again elsewhere.

Invariant: the write closes the node; then the pods that were planned are evicted, each by its uid, and the
cluster holds their disruption budgets: one without headroom is waited for. Pods of daemon sets and static
pods stay. A pod that nobody makes again, or that keeps data on the node, ends only when that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from maestro_cli.changes.blast import drain_blast
from maestro_cli.changes.kinds.kind import (
    Holds,
    Observation,
    Option,
    Permission,
    Request,
    Reversal,
    yes_or_no,
)
from maestro_cli.changes.kinds.scheduling import SchedulingKind, node_name
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import BlastRadius, Diff, DiffLine, GateReason, Plan, Reached, Undo
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.changes.reach import owners_of, with_reach
from maestro_cli.core.errors import ExitCode, UsageError
from maestro_cli.core.facts.cluster import Node, Pod
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

_OVER = ("Succeeded", "Failed")


class Drain(SchedulingKind):
    """Parameters: `bare_pods` and `empty_dir` (bool, false): end pods that are lost, or whose data is."""

    name = "drain"
    flag = True
    opposite = "uncordon"
    state = "takes no new pods"
    does_more = True
    options: ClassVar[Mapping[str, Option]] = {
        "bare_pods": Option(yes_or_no),
        "empty_dir": Option(yes_or_no),
    }
    permissions = (
        Permission("get", "nodes"),
        Permission("list", "pods"),
        Permission("patch", "nodes"),
        Permission("create", "pods", subresource="eviction", named=False),
    )
    reversal = Reversal(
        "undo",
        "the node is opened again; controllers have made their pods elsewhere meanwhile",
        {"bare_pods": "pods that no controller makes again", "empty_dir": "what pods kept in an emptyDir"},
    )

    def draft(self, world: World, found: Node, request: Request) -> Draft:
        asked = {name: request.parameters.get(name, False) for name in self.options}
        if not all(isinstance(value, bool) for value in asked.values()):
            raise UsageError(f"{' and '.join(asked)} are true or false")
        pods = evicted(world.cluster.list_pods_on(found.name))
        closing = DiffLine(Untrusted("unschedulable"), Untrusted("false"), Untrusted("true"))
        lines = [DiffLine(Untrusted(str(pod.ref)), Untrusted(pod.phase), Untrusted("gone")) for pod in pods]
        return Draft(
            parameters={**asked, "pods": {pod.uid: str(pod.ref) for pod in pods}},
            summary=f"drain {found.ref} of {counted(len(pods), 'pod')}",
            spec={"unschedulable": True},
            diff=Diff((*([closing] if found.schedulable else []), *lines)),
            holds=f"{found.ref} takes no new pods, and is rid of {counted(len(pods), 'pod')}",
            undo=Undo("uncordon", {}, f"uncordon {found.ref}") if found.schedulable else None,
            ended=len(pods),
            objections=(
                *_unless(asked["bare_pods"], "bare-pods", [pod for pod in pods if not pod.owner],
                         "no controller makes them again", "--delete-bare-pods"),
                *_unless(asked["empty_dir"], "empty-dir", [pod for pod in pods if pod.local_data],
                         "their data in an emptyDir on the node would be lost", "--delete-empty-dir-data"),
            ),
        )  # fmt: skip

    def blast(self, world: World, found: Node, draft: Draft, request: Request) -> BlastRadius:
        gone = [pod for pod in world.cluster.list_pods_on(found.name) if pod.uid in draft.parameters["pods"]]
        owners, unread = owners_of(world.cluster, gone)
        ending = [Reached(pod.ref, dict(pod.labels)) for pod in gone]
        return with_reach(
            drain_blast(world.cluster, found, gone, recent=request.recent), [*ending, *owners], unread
        )

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """Planned pods that are there and not ending yet, by uid."""
        there = _planned(world.cluster, plan)
        return {pod.uid: pod.ref for pod in there if not pod.deleting}

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        """Evict one pod by its uid; raises GateNotMet when its budget has no headroom."""
        world.cluster.evict_pod(ref.namespace, ref.name, uid=uid)

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Still closed, the planned pods gone, and none come that would have to go as well.

        A node that is not ready cannot tell that a pod ended: there one counts as gone once it is told to
        end, and its controller makes another.
        """
        seen = super().observe(world, plan, left=left)
        if seen.holds is not Holds.YES:
            return seen
        there = world.cluster.list_pods_on(node_name(plan.target.ref))
        planned = plan.parameters["pods"]
        remain = [pod for pod in there if pod.uid in planned and pod.phase not in _OVER]
        ending = [pod for pod in remain if pod.deleting]
        if ending and len(ending) == len(remain) and not self.read(world, plan.target.ref).ready:
            text = f"{counted(len(ending), 'pod')} told to end on a node that does not answer"
            return Observation(Holds.YES, f"{plan.target.ref} {self.state}; {text}")
        if remain:
            gone = len(planned) - len(remain)
            text = f"rid of {gone} of {counted(len(planned), 'pod')}, not of {remain[0].ref}"
            return Observation(Holds.NOT_YET, text)
        came = [pod for pod in evicted(there) if pod.uid not in planned]
        if came:
            return Observation(Holds.NEVER, f"{came[0].ref} came to the node after the plan; plan again")
        return Observation(
            Holds.YES, f"{plan.target.ref} {self.state}, and is rid of {counted(len(planned), 'pod')}"
        )


def evicted(pods: Sequence[Pod]) -> list[Pod]:
    """Those of a node's pods that a drain ends: no static pods, none of a daemon set, none that ended."""
    return [
        pod for pod in pods
        if not pod.is_static and pod.owner_kind != "DaemonSet" and pod.phase not in _OVER
    ]  # fmt: skip


def _planned(cluster: ClusterPort, plan: Plan) -> list[Pod]:
    there = cluster.list_pods_on(node_name(plan.target.ref))
    return [pod for pod in evicted(there) if pod.uid in plan.parameters["pods"]]


def _unless(named: bool, code: str, pods: Sequence[Pod], why: str, flag: str) -> tuple[GateReason, ...]:
    if named or not pods:
        return ()
    names = ", ".join(str(pod.ref) for pod in pods[:3]) + (" and more" if len(pods) > 3 else "")
    option = flag.removeprefix("--delete-").removesuffix("-data").replace("-", "_")
    reason = GateReason(
        code, ExitCode.GATE_NOT_MET, f"{counted(len(pods), 'pod')} would be lost: {names}", why=why,
        fix=f"move them first, or name it: {flag} (in a runbook {option}: yes)",
    )  # fmt: skip
    return (reason,)
