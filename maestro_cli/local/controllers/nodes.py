"""The life of nodes: lost leases, taints, and the pods of lost nodes.

Invariant: a node whose lease is not renewed is not Ready, its pods are not ready, and it gets no
new ones; its pods are deleted after their toleration, but none while every node is lost. Silence of the
API server is not silence of a node: time counts only while the API server answers, and starts anew for
all when it did not. Clocks of other machines do not matter: a lease is late by the time since this
process saw it change.
"""

from __future__ import annotations

import asyncio
import logging

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.api import NAMESPACES, NODES, PODS, ApiError
from maestro_cli.local.controllers.scheduler import tolerated
from maestro_cli.local.controllers.world import NODE, World
from maestro_cli.local.objects import (
    Object,
    condition,
    is_deleting,
    name_of,
    namespace_of,
    pod_is_ready,
    pod_phase,
    set_condition,
    timestamp,
    uid_of,
)

_STARTUP_SECONDS = 60.0  # what kube-controller-manager gives a node that has told nothing yet
_LOG = logging.getLogger(__name__)
_LEASES = "kube-node-lease"
_UNREACHABLE, _NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
_LOOK_SECONDS = 1.0
_NODE_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeController:
    """Looks at all nodes once a second."""

    def __init__(self, world: World, *, grace_seconds: float, evict_after_seconds: float) -> None:
        self._world = world
        self._grace = grace_seconds
        self._evict_after = evict_after_seconds
        self._clock = 0.0  # seconds in which the API server was there
        self._renewed: dict[
            str, tuple[str, float]
        ] = {}  # a node's uid: its lease's time, and when it was seen
        self._lost_since: dict[str, float] = {}
        self._homeless_since: dict[str, float] = {}
        self.recorder = world.recorder("node-controller")

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Look once, a second after the last time."""
        if not await self._hears():
            self._renewed.clear()
            self._lost_since.clear()
            self._homeless_since.clear()
            return
        self._clock += _LOOK_SECONDS
        nodes = self._world.nodes.all()
        for node in nodes:
            try:
                await self._look(node)
            except MaestroError as problem:
                if not (isinstance(problem, ApiError) and problem.is_conflict):
                    _LOG.warning("node %s: %s", name_of(node), problem.what)
        known = {uid_of(node) for node in nodes}
        self._renewed = {uid: seen for uid, seen in self._renewed.items() if uid in known}
        self._lost_since = {uid: since for uid, since in self._lost_since.items() if uid in known}
        if known == self._lost_since.keys():
            self._lost_since = dict.fromkeys(known, self._clock)  # more likely it is us who are lost
        else:
            await self._evict_from_lost()
        await self._bury_homeless()

    async def _hears(self) -> bool:
        """Whether the API server answers, and did not hang for so long that leases ran out meanwhile."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            await self._world.client.get(NAMESPACES, "", _LEASES)
        except MaestroError as problem:
            return isinstance(problem, ApiError) and problem.is_not_found
        return loop.time() - asked < self._grace / 2

    async def _look(self, node: Object) -> None:
        name, uid, now = name_of(node), uid_of(node), self._clock
        lease = self._world.informers["Lease"].get(f"{_LEASES}/{name}")
        renewed = str((lease or {}).get("spec", {}).get("renewTime", ""))
        if uid not in self._renewed or self._renewed[uid][0] != renewed:
            self._renewed[uid] = (renewed, now)
        ready = condition(node, "Ready")
        state = str(ready.get("status")) if ready is not None else "Unknown"
        if now - self._renewed[uid][1] > self._grace and state == "True":
            node = await self._mark_unknown(node)
            state = "Unknown"
        elif ready is None and now - self._renewed[uid][1] <= max(self._grace, _STARTUP_SECONDS):
            return  # its first status may still be on the way
        await self._set_taint(node, {"True": "", "False": _NOT_READY}.get(state, _UNREACHABLE))
        if state == "True":
            self._lost_since.pop(uid, None)
            return
        self._lost_since.setdefault(uid, now)
        await self._pods_not_ready(name)

    async def _mark_unknown(self, node: Object) -> Object:
        now = timestamp(self._world.now())
        conditions = (node.get("status") or {}).get("conditions") or []
        for kind in _NODE_CONDITIONS:
            new = {
                "type": kind,
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": now,
            }
            old = condition(node, kind) or {}
            heartbeat = {"lastHeartbeatTime": old.get("lastHeartbeatTime", now)}
            conditions = set_condition(conditions, new | heartbeat)
        message = f"Node {name_of(node)} status is now: NodeNotReady"
        self.recorder.record(node, "NodeNotReady", message)
        return await self._world.patch(NODES, node, _as_read(node, conditions), "status")

    async def _set_taint(self, node: Object, wanted: str) -> None:
        taints = node["spec"].get("taints") or []
        others = [taint for taint in taints if taint.get("key") not in {_UNREACHABLE, _NOT_READY}]
        present = {taint.get("key") for taint in taints} & {_UNREACHABLE, _NOT_READY}
        if present == ({wanted} if wanted else set()):
            return
        if wanted:
            now = timestamp(self._world.now())
            others.append({"key": wanted, "effect": "NoSchedule", "timeAdded": now})
            others.append({"key": wanted, "effect": "NoExecute", "timeAdded": now})
        patch = {"spec": {"taints": others or None}}
        version = {"metadata": {"resourceVersion": node["metadata"].get("resourceVersion")}}
        await self._world.patch(NODES, node, patch | version)

    async def _pods_not_ready(self, node: str) -> None:
        for pod in self._world.pods.by(NODE, node):
            if not pod_is_ready(pod):
                continue
            new = {
                "type": "Ready",
                "status": "False",
                "reason": "NodeNotReady",
                "message": "the node is lost",
                "lastTransitionTime": timestamp(self._world.now()),
            }
            conditions = set_condition(pod["status"].get("conditions") or [], new)
            self.recorder.record(pod, "NodeNotReady", "Node is not ready", warning=True)
            await self._world.patch(PODS, pod, _as_read(pod, conditions), "status")

    async def _evict_from_lost(self) -> None:
        for node in self._world.nodes.all():
            since = self._lost_since.get(uid_of(node))
            if since is None:
                continue
            try:
                await self._evict(node, self._clock - since)
            except MaestroError as problem:
                _LOG.warning("node %s: %s", name_of(node), problem.what)

    async def _evict(self, node: Object, lost_seconds: float) -> None:
        """Delete the pods whose toleration is over; `evict_after` caps it (a rehearsal is short)."""
        taints = [taint for taint in node["spec"].get("taints") or () if taint.get("effect") == "NoExecute"]
        for pod in self._world.pods.by(NODE, name_of(node)):
            if is_deleting(pod) or pod_phase(pod) in {"Succeeded", "Failed"}:
                continue
            # no taint yet: the cache does not know what was just written, and nobody is to go
            patience = min((_patience(pod, taint) for taint in taints), default=float("inf"))
            if patience == float("inf") or lost_seconds < min(patience, self._evict_after):
                continue
            words = f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}"
            self.recorder.record(pod, "TaintManagerEviction", words)
            await self._world.delete(PODS, pod)

    async def _bury_homeless(self) -> None:
        """Delete for good the pods of nodes that do not exist any more."""
        now, homeless = self._clock, set()
        for pod in self._world.pods.all():
            node = pod["spec"].get("nodeName")
            if not node or self._world.nodes.get(node) is not None:
                continue
            homeless.add(uid_of(pod))
            if now - self._homeless_since.setdefault(uid_of(pod), now) < self._grace:
                continue
            try:
                await self._world.client.delete(
                    PODS, namespace_of(pod), name_of(pod), uid=uid_of(pod), grace_seconds=0
                )
            except MaestroError as problem:
                _LOG.warning("pod %s: %s", name_of(pod), problem.what)
        self._homeless_since = {uid: at for uid, at in self._homeless_since.items() if uid in homeless}


def _as_read(thing: Object, conditions: list[Object]) -> Object:
    """A patch that replaces the whole list, and nothing that was written since."""
    version = thing["metadata"].get("resourceVersion")
    return {"metadata": {"resourceVersion": version}, "status": {"conditions": conditions}}


def _patience(pod: Object, taint: Object) -> float:
    """How many seconds the pod tolerates the taint; infinite without a limit, 0 without a toleration."""
    longest = 0.0
    for toleration in pod["spec"].get("tolerations") or ():
        if tolerated({"spec": {"tolerations": [toleration]}}, taint):
            seconds = toleration.get("tolerationSeconds")
            longest = max(longest, float("inf") if seconds is None else float(seconds))
    return longest
