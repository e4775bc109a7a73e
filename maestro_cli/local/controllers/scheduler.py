"""A small scheduler.

Invariant: a pod is bound only to a node that is Ready, schedulable, tolerated, matches the pod's node
selector and required node affinity, and has room for its requests; pods of one owner are spread
over zones first, then nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.api import PODS, ApiError
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.world import NODE, World
from maestro_cli.local.objects import (
    Object,
    condition,
    condition_is_true,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    pod_phase,
    requirement_holds,
    timestamp,
    uid_of,
)

ZONE = "topology.kubernetes.io/zone"
_RETRY_SECONDS = 30.0
_NAME = "default-scheduler"


class Scheduler:
    """Binds pods that have no node."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("scheduler", self.sync)
        self.recorder = world.recorder(_NAME)
        world.pods.subscribe(self._pod_changed)
        world.nodes.subscribe(lambda old, new: self._retry_all())

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and _wants_node(new):
            self.queue.add(key_of(new))
        elif new is None or pod_phase(new) in {"Succeeded", "Failed"}:
            self._retry_all()

    def _retry_all(self) -> None:
        for pod in self._world.pods.by(NODE, ""):
            if _wants_node(pod):
                self.queue.add(key_of(pod))

    async def sync(self, key: str) -> None:
        """Find a node for one pod, or say why there is none."""
        pod = self._world.pods.get(key)
        if pod is None or not _wants_node(pod):
            return
        reasons: Counter[str] = Counter()
        fitting = []
        for node in self._world.nodes.all():
            reason = misfit(pod, node, self._on(node))
            if reason:
                reasons[reason] += 1
            else:
                fitting.append(node)
        if not fitting:
            await self._unschedulable(pod, reasons)
            return
        best = min(fitting, key=lambda node: self._crowding(pod, node))
        await self._bind(pod, name_of(best))

    def _on(self, node: Object) -> list[Object]:
        pods = self._world.pods.by(NODE, name_of(node))
        return [pod for pod in pods if pod_phase(pod) not in {"Succeeded", "Failed"}]

    def _crowding(self, pod: Object, node: Object) -> tuple[int, int, int, str]:
        """Pods of the same owner in the zone, on the node; all pods on the node; the name."""
        here = self._on(node)
        zone = labels_of(node).get(ZONE, name_of(node))
        neighbours = [
            each
            for other in self._world.nodes.all()
            if labels_of(other).get(ZONE, name_of(other)) == zone
            for each in self._on(other)
        ]
        return (_siblings(pod, neighbours), _siblings(pod, here), len(here), name_of(node))

    async def _bind(self, pod: Object, node: str) -> None:
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        try:
            await self._world.client.create_subresource(
                PODS, namespace_of(pod), name_of(pod), "binding", binding
            )
        except ApiError as refused:
            if refused.is_not_found or refused.is_conflict:
                return  # gone, or bound meanwhile: the watch will tell
            raise
        # the next pod must see this one on its node, and the watch may be a moment behind
        seen = await self._world.client.get(PODS, namespace_of(pod), name_of(pod))
        self._world.pods.note(seen)
        message = f"Successfully assigned {key_of(pod)} to {node}"
        self.recorder.record(pod, "Scheduled", message)

    async def _unschedulable(self, pod: Object, reasons: Counter[str]) -> None:
        total = len(self._world.nodes.all())
        words = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
        message = (
            f"0/{total} nodes are available: {words}." if total else "no nodes available to schedule pods"
        )
        self.queue.add_after(key_of(pod), _RETRY_SECONDS)
        told = condition(pod, "PodScheduled")
        if told is not None and told.get("message") == message:
            return
        self.recorder.record(pod, "FailedScheduling", message, warning=True)
        new = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastTransitionTime": timestamp(self._world.now()),
        }
        others = [
            entry
            for entry in (pod.get("status") or {}).get("conditions") or ()
            if entry.get("type") != "PodScheduled"
        ]
        patch = {"status": {"phase": "Pending", "conditions": [*others, new]}}
        try:
            await self._world.patch(PODS, pod, patch, "status")
        except ApiError as refused:
            if not refused.is_not_found:
                raise


def _wants_node(pod: Object) -> bool:
    return (
        not pod["spec"].get("nodeName")
        and not is_deleting(pod)
        and pod["spec"].get("schedulerName", _NAME) == _NAME
        and not pod["spec"].get("schedulingGates")
        and pod_phase(pod) not in {"Succeeded", "Failed"}
    )


def misfit(pod: Object, node: Object, already: Sequence[Object]) -> str:
    """Why the pod cannot go to the node, in the scheduler's words; "" when it can."""
    taint = next((taint for taint in _repelling(node) if not tolerated(pod, taint)), None)
    if taint is not None:
        if taint["key"] == "node.kubernetes.io/unschedulable":
            return "node(s) were unschedulable"
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    if not condition_is_true(node, "Ready"):
        return "node(s) were not ready"
    labels = labels_of(node)
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()) or not _affinity_holds(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    if len(already) >= parse_quantity(allocatable.get("pods", 110)):
        return "Too many pods"
    for resource in requested_resources(pod):
        used = sum(requested(each, resource) for each in already)
        if requested(pod, resource) and used + requested(pod, resource) > parse_quantity(
            allocatable.get(resource, 0)
        ):
            return f"Insufficient {resource}"
    return ""


def _repelling(node: Object) -> list[Object]:
    taints = [
        taint
        for taint in node["spec"].get("taints") or ()
        if taint.get("effect") in {"NoSchedule", "NoExecute"}
    ]
    if node["spec"].get("unschedulable"):
        taints.insert(0, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return taints


def tolerated(pod: Object, taint: Object) -> bool:
    """Whether one of the pod's tolerations covers the taint."""
    for toleration in pod["spec"].get("tolerations") or ():
        if toleration.get("effect") not in {None, "", taint.get("effect")}:
            continue
        if toleration.get("key") not in {None, "", taint["key"]}:
            continue
        if toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", ""):
            return True
    return False


def _affinity_holds(pod: Object, node: Object) -> bool:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    fields = {"metadata.name": name_of(node)}
    return any(
        all(requirement_holds(entry, labels_of(node)) for entry in term.get("matchExpressions") or ())
        and all(requirement_holds(entry, fields) for entry in term.get("matchFields") or ())
        for term in required.get("nodeSelectorTerms") or ()
    )


def requested(pod: Object, resource: str) -> float:
    """The most that the pod's containers request at a time: all of them, or an init container before that.

    Sidecars run beside all that come after them.
    """
    beside, most = 0.0, 0.0
    for container in pod["spec"].get("initContainers") or ():
        amount = parse_quantity(_requests(container).get(resource, 0))
        most = max(most, beside + amount)
        beside += amount if container.get("restartPolicy") == "Always" else 0
    own = sum(parse_quantity(_requests(each).get(resource, 0)) for each in pod["spec"]["containers"])
    return max(most, beside + own)


def requested_resources(pod: Object) -> list[str]:
    """What the pod's containers request anything of, by name."""
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return sorted({name for container in containers for name in _requests(container)})


def _requests(container: Object) -> Object:
    return (container.get("resources") or {}).get("requests") or {}


def _siblings(pod: Object, others: Sequence[Object]) -> int:
    """Pods of the same owner and template: a rollout's new pods spread among themselves."""
    owner = controller_of(pod)
    if owner is None:
        return 0
    count = 0
    for other in others:
        theirs = controller_of(other)
        count += theirs is not None and theirs.get("uid") == owner.get("uid") and not is_deleting(other)
    return count
