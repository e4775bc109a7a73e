"""How far a rollout is: a workload, its revisions, and the pods of each.

Invariant: complete is only what kubectl calls so, and what reached every replica that takes it on; what does
not move on by itself is stalled or held back, and says by what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from maestro_cli.changes.kinds.held import left_behind
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.facts.cluster import Pod, Revision, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.refs import WorkloadRef

GAVE_UP = "ProgressDeadlineExceeded"
REVISION_HASH = "controller-revision-hash"
# A container that waits for one of these reasons does not start until somebody does something.
STUCK = frozenset(
    {
        "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError",
        "CreateContainerError", "RunContainerError", "ErrImageNeverPull",
    }
)  # fmt: skip


class Stage(Enum):
    COMPLETE = "complete"
    ROLLING = "rolling out"
    PAUSED = "paused"
    HELD = "held back"  # by an update strategy: nothing more comes by itself
    STALLED = "stalled"  # it passed its progress deadline, or a pod of it does not start


@dataclass(frozen=True, slots=True)
class RolloutPod:
    """A pod; `state` is its phase, or why a container of it does not run."""

    name: str
    state: str
    ready: bool
    restarts: int
    node: str
    message: str

    @property
    def is_stuck(self) -> bool:
        return self.state in STUCK


@dataclass(frozen=True, slots=True)
class RolloutRevision:
    """A revision that is the newest or has pods."""

    number: int
    name: str
    is_newest: bool
    images: tuple[str, ...]
    pods: tuple[RolloutPod, ...]


@dataclass(frozen=True, slots=True)
class Rollout:
    """`text` counts, `why` says what holds it up, if something does."""

    ref: WorkloadRef
    stage: Stage
    text: str
    why: str
    wanted: int
    updated: int
    ready: int
    available: int
    revisions: tuple[RolloutRevision, ...]


def read_rollout(cluster: ClusterPort, ref: WorkloadRef) -> Rollout:
    """The rollout as it is now; raises NotFound, Unreachable and Refused."""
    workload = cluster.get_workload(ref)
    revisions = cluster.list_revisions(ref)
    pods = cluster.list_pods(ref.namespace, selector=workload.selector)
    waits = [pod.name for pod in left_behind(cluster, workload)]
    return rollout_of(workload, revisions, pods, waits)


def rollout_of(
    workload: Workload, revisions: Sequence[Revision], pods: Sequence[Pod], waits: Sequence[str] = ()
) -> Rollout:
    """The rollout of a workload; `waits` are pods that it waits for before it goes on."""
    newest = max((one.number for one in revisions), default=0)
    tree = tuple(
        RolloutRevision(one.number, one.name, one.number == newest, one.images, found)
        for one in sorted(revisions, key=lambda one: one.number, reverse=True)
        if (found := _pods_of(workload, one, pods)) or one.number == newest
    )
    stage, why = _stage(workload, tree, waits)
    text = (
        f"{workload.replicas_updated} of {workload.replicas_wanted} updated,"
        f" {workload.replicas_available} available, {workload.replicas} in all"
    )
    return Rollout(
        workload.ref, stage, text, why, workload.replicas_wanted, workload.replicas_updated,
        workload.replicas_ready, workload.replicas_available, tree,
    )  # fmt: skip


def _stage(workload: Workload, tree: Sequence[RolloutRevision], waits: Sequence[str]) -> tuple[Stage, str]:
    behind = workload.replicas_wanted - workload.replicas_updated
    if not workload.is_observed:
        return Stage.ROLLING, "its controller has not seen the last change yet"
    if workload.is_rolled_out:
        wholly = workload.held_back >= workload.replicas_wanted
        if behind > 0 and wholly:
            return Stage.HELD, workload.held_why
        return Stage.COMPLETE, workload.held_why if behind > 0 else ""
    if workload.progress_reason == GAVE_UP:
        return Stage.STALLED, workload.progress_message or "it passed its progress deadline"
    stuck = [pod for one in tree for pod in one.pods if pod.is_stuck and (one.is_newest or pod.name in waits)]
    if stuck:
        others = f", and {counted(len(stuck) - 1, 'other')}" if len(stuck) > 1 else ""
        return Stage.STALLED, f"{stuck[0].name} is in {stuck[0].state}{others}"
    if workload.paused:
        return Stage.PAUSED, f"maestro rollout resume {workload.ref}"
    return Stage.ROLLING, f"it waits for {waits[0]}, which is not ready" if waits else ""


def _pods_of(workload: Workload, revision: Revision, pods: Sequence[Pod]) -> tuple[RolloutPod, ...]:
    if workload.ref.kind == "Deployment":
        own = [pod for pod in pods if pod.owner == revision.name]
    else:
        own = [
            pod for pod in pods
            if pod.owner == workload.ref.name and _hash(pod.labels) == revision.template_hash
        ]  # fmt: skip
    return tuple(map(_pod, sorted(own, key=lambda pod: pod.name)))


def _hash(labels: Mapping[str, str]) -> str:
    return labels.get(REVISION_HASH, "")


def _pod(pod: Pod) -> RolloutPod:
    halted = [one for one in pod.containers if one.state != "running"]
    state, message = pod.phase, ""
    if halted and pod.phase != "Succeeded":
        state = halted[0].reason or pod.phase
        message = halted[0].message or halted[0].last_reason
    if pod.deleting:
        state = "Terminating"
    return RolloutPod(pod.name, state, pod.ready, pod.restarts, pod.node, message)
