"""The ReplicaSet controller.

Invariant: the number of active pods moves towards spec.replicas and never past it; a pod it made is
seen at once, so a second look does not make it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from maestro_cli.local.api import PODS, REPLICA_SETS, ApiError
from maestro_cli.local.controllers.ownership import claim, create_pod, delete_pod, tell_owners
from maestro_cli.local.controllers.progress import replicas_of
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.ranking import doomed_first
from maestro_cli.local.controllers.world import OWNER, World
from maestro_cli.local.objects import (
    Object,
    condition,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    parse_time,
    pod_is_active,
    pod_is_available,
    pod_is_ready,
    timestamp,
    uid_of,
)

_BURST = 500


class ReplicaSetController:
    """Keeps pods in line with ReplicaSets."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("replicaset", self.sync)
        self.recorder = world.recorder("replicaset-controller")
        world.replica_sets.subscribe(lambda old, new: self.queue.add(key_of(new or old or {})))
        tell_owners(world, world.replica_sets, self.queue)

    async def sync(self, key: str) -> None:
        """Make or delete pods of one ReplicaSet, then write its status."""
        replica_set = self._world.replica_sets.get(key)
        if replica_set is None:
            return
        pods = [pod for pod in await claim(self._world, replica_set, PODS) if pod_is_active(pod)]
        failure: ApiError | None = None
        if not is_deleting(replica_set):
            try:
                pods = await self._resize(replica_set, pods)
            except ApiError as refused:
                failure = refused
                pods = [pod for pod in self._world.pods.by(OWNER, uid_of(replica_set)) if pod_is_active(pod)]
        await self._write_status(replica_set, pods, failure)
        if failure is not None:
            raise failure

    async def _resize(self, replica_set: Object, pods: list[Object]) -> list[Object]:
        missing = replicas_of(replica_set) - len(pods)
        for _ in range(min(missing, _BURST)):
            pods = [*pods, await create_pod(self._world, self.recorder, replica_set)]
        if missing < 0:
            doomed = doomed_first(pods, self._related(replica_set), self._world.now())[
                : min(-missing, _BURST)
            ]
            for pod in doomed:
                await delete_pod(self._world, self.recorder, replica_set, pod)
            gone = {uid_of(pod) for pod in doomed}
            pods = [pod for pod in pods if uid_of(pod) not in gone]
        return pods

    def _related(self, replica_set: Object) -> list[Object]:
        """Active pods of all ReplicaSets of the same owner."""
        owner = controller_of(replica_set)
        family = self._world.replica_sets.by(OWNER, owner["uid"]) if owner is not None else [replica_set]
        pods = [pod for member in family for pod in self._world.pods.by(OWNER, uid_of(member))]
        return [pod for pod in pods if pod_is_active(pod)]

    async def _write_status(self, replica_set: Object, pods: list[Object], failure: ApiError | None) -> None:
        now = self._world.now()
        least = int(replica_set["spec"].get("minReadySeconds") or 0)
        wanted_labels = labels_of(replica_set["spec"]["template"]).items()
        counts = {
            "replicas": len(pods),
            "fullyLabeledReplicas": sum(wanted_labels <= labels_of(pod).items() for pod in pods),
            "readyReplicas": sum(map(pod_is_ready, pods)),
            "availableReplicas": sum(pod_is_available(pod, least, now) for pod in pods),
            "observedGeneration": metadata(replica_set).get("generation", 0),
        }
        status: Object = {name: value for name, value in counts.items() if value or name == "replicas"}
        conditions = _conditions(replica_set, failure, timestamp(now))
        if conditions:
            status["conditions"] = conditions
        if status != {"replicas": 0} | (replica_set.get("status") or {}):
            await self._world.update(REPLICA_SETS, replica_set | {"status": status}, "status")
        if counts["readyReplicas"] > counts["availableReplicas"]:
            self.queue.add_after(key_of(replica_set), _seconds_to_available(pods, least, now))


def _conditions(replica_set: Object, failure: ApiError | None, now: str) -> list[Object]:
    before = (replica_set.get("status") or {}).get("conditions") or []
    others = [entry for entry in before if entry["type"] != "ReplicaFailure"]
    if failure is None:
        return others
    if condition(replica_set, "ReplicaFailure") is not None:
        return list(before)
    told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure.what}
    return [*others, told | {"lastTransitionTime": now}]


def _seconds_to_available(pods: list[Object], least: int, now: datetime) -> float:
    """Seconds until the first ready pod has been ready for long enough, at least a tenth."""
    waits = []
    for pod in pods:
        ready = condition(pod, "Ready")
        since = (
            parse_time(ready.get("lastTransitionTime")) if ready and ready.get("status") == "True" else None
        )
        if since is not None:
            waits.append((since + timedelta(seconds=least) - now).total_seconds())
    return max(min((wait for wait in waits if wait > 0), default=0.0), 0.1)
