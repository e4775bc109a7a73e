"""The Deployment controller.

Invariant: a step changes the size of one side of a rollout (new up, or old down), then writes the
status; everything else follows from the next look.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.local.api import DEPLOYMENTS, REPLICA_SETS, ApiError
from maestro_cli.local.controllers import progress, revisions
from maestro_cli.local.controllers.ownership import claim
from maestro_cli.local.controllers.progress import bounds, count, replicas_of
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.rollout import Share, grown_new, proportional, shrunk_old
from maestro_cli.local.controllers.world import OWNER, World
from maestro_cli.local.objects import (
    Object,
    annotations_of,
    condition,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    pod_phase,
    selector_matches,
    uid_of,
)


@dataclass(slots=True)
class _View:
    """A Deployment and its ReplicaSets; `new` is None until it exists."""

    deployment: Object
    new: Object | None
    old: list[Object]

    @property
    def all(self) -> list[Object]:
        return [*self.old, *([self.new] if self.new is not None else [])]

    def taken(self, changed: Object) -> None:
        """Put a freshly written ReplicaSet in the place of its predecessor."""
        if self.new is not None and uid_of(self.new) == uid_of(changed):
            self.new = changed
        self.old = [changed if uid_of(rs) == uid_of(changed) else rs for rs in self.old]


class DeploymentController:
    """Keeps ReplicaSets in line with Deployments."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("deployment", self.sync)
        self.recorder = world.recorder("deployment-controller")
        world.deployments.subscribe(lambda old, new: self.queue.add(key_of(new or old or {})))
        world.replica_sets.subscribe(self._replica_set_changed)
        world.pods.subscribe(self._pod_changed)

    def _replica_set_changed(self, old: Object | None, new: Object | None) -> None:
        for replica_set in (old, new):
            if replica_set is None:
                continue
            owner = controller_of(replica_set)
            if owner is not None and owner.get("kind") == "Deployment":
                self.queue.add(f"{namespace_of(replica_set)}/{owner['name']}")
            elif owner is None:
                self._wake_matching(replica_set)

    def _wake_matching(self, orphan: Object) -> None:
        for deployment in self._world.deployments.by("namespace", namespace_of(orphan)):
            if selector_matches(deployment["spec"].get("selector"), labels_of(orphan)):
                self.queue.add(key_of(deployment))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        # only Recreate waits for pods to be gone; everything else shows in the ReplicaSets
        if new is not None and pod_phase(new) not in {"Succeeded", "Failed"}:
            return
        owner = controller_of(old or new or {})
        if owner is None or owner.get("kind") != "ReplicaSet":
            return
        replica_set = self._world.replica_sets.get(f"{namespace_of(old or new or {})}/{owner['name']}")
        if replica_set is not None:
            self._replica_set_changed(None, replica_set)

    async def sync(self, key: str) -> None:
        """Take one step for one Deployment."""
        deployment = self._world.deployments.get(key)
        if deployment is None or not _selects(deployment):
            return
        owned = await claim(self._world, deployment, REPLICA_SETS)
        new = revisions.find_new(deployment, owned)
        old = [rs for rs in owned if new is None or uid_of(rs) != uid_of(new)]
        view = _View(deployment, new, revisions.by_age(old))
        if is_deleting(deployment):
            await self._write_status(view)
            return
        await self._note_pause(view)
        if view.deployment["spec"].get("paused") or _was_scaled(view):
            await self._scale(view)
            if view.deployment["spec"].get("paused"):
                await self._clean_up(view)
            await self._write_status(view, progressing=False)
        elif (view.deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            await self._recreate(view)
        else:
            await self._roll(view)

    async def _roll(self, view: _View) -> None:
        if not await self._ensure_new(view):
            return
        new, replicas = view.new, replicas_of(view.deployment)
        assert new is not None
        surge, unavailable = bounds(view.deployment)
        total = sum(replicas_of(rs) for rs in view.all)
        wanted = grown_new(replicas_of(new), total, replicas, surge)
        if wanted != replicas_of(new):
            await self._resize(view, new, wanted)
        else:
            shares = [_share(rs, age) for age, rs in enumerate(view.old)]
            steps = shrunk_old(shares, _share(new, len(shares)), replicas, unavailable)
            for replica_set in list(view.old):
                if name_of(replica_set) in steps:
                    await self._resize(view, replica_set, steps[name_of(replica_set)])
        await self._finish(view)

    async def _recreate(self, view: _View) -> None:
        shrunk = False
        for replica_set in list(view.old):
            if replicas_of(replica_set) > 0:
                await self._resize(view, replica_set, 0)
                shrunk = True
        if not shrunk and not self._old_pods_run(view):
            if not await self._ensure_new(view):
                return
            assert view.new is not None
            if replicas_of(view.new) != replicas_of(view.deployment):
                await self._resize(view, view.new, replicas_of(view.deployment))
        await self._finish(view)

    async def _finish(self, view: _View) -> None:
        if progress.complete(view.deployment, view.deployment.get("status") or {}):
            await self._clean_up(view)
        await self._write_status(view)

    def _old_pods_run(self, view: _View) -> bool:
        pods = (pod for rs in view.old for pod in self._world.pods.by(OWNER, uid_of(rs)))
        return any(pod_phase(pod) not in {"Succeeded", "Failed"} for pod in pods)

    async def _ensure_new(self, view: _View) -> bool:
        """Make or update the new ReplicaSet and the Deployment's revision; False: look again later."""
        wanted = revisions.new_annotations(view.deployment, view.new, view.old)
        if view.new is None:
            if not await self._create_new(view, wanted):
                return False
        elif wanted != annotations_of(view.new) or _min_ready(view.new) != _min_ready(view.deployment):
            changed = view.new | {
                "metadata": view.new["metadata"] | {"annotations": wanted},
                "spec": view.new["spec"] | {"minReadySeconds": _min_ready(view.deployment)},
            }
            view.taken(await self._world.update(REPLICA_SETS, changed))
        if annotations_of(view.deployment).get(revisions.REVISION) != wanted[revisions.REVISION]:
            patch = {"metadata": {"annotations": {revisions.REVISION: wanted[revisions.REVISION]}}}
            view.deployment = await self._world.patch(DEPLOYMENTS, view.deployment, patch)
        if condition(view.deployment, "Progressing") is None and view.new is not None:
            message = f'Found new replica set "{name_of(view.new)}"'
            await self._put_progressing(view, "True", "FoundNewReplicaSet", message)
        return True

    async def _create_new(self, view: _View, annotations: dict[str, str]) -> bool:
        deployment = view.deployment
        collisions = int((deployment.get("status") or {}).get("collisionCount") or 0)
        hash_text = revisions.template_hash(deployment["spec"]["template"], collisions)
        replicas, (surge, _unavailable) = replicas_of(deployment), bounds(deployment)
        size = grown_new(0, sum(replicas_of(rs) for rs in view.old), replicas, surge)
        if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            size = replicas
        sizes = {revisions.DESIRED: str(replicas), revisions.MAXIMUM: str(replicas + surge)}
        body = revisions.build_replica_set(deployment, hash_text, size, annotations | sizes)
        try:
            view.new = await self._world.create(REPLICA_SETS, body, namespace_of(deployment))
        except ApiError as refused:
            if refused.is_already_exists:
                await self._collided(view, name_of(body), collisions)
                return False
            await self._put_progressing(view, "False", "ReplicaSetCreateError", refused.what)
            raise
        self._say_scaled(deployment, name_of(view.new), 0, size)
        message = f'Created new replica set "{name_of(view.new)}"'
        await self._put_progressing(view, "True", "NewReplicaSetCreated", message)
        return True

    async def _collided(self, view: _View, name: str, collisions: int) -> None:
        """A ReplicaSet of that name exists: ours and not yet seen, or another one with our hash."""
        found = await self._world.client.get(REPLICA_SETS, namespace_of(view.deployment), name)
        self._world.replica_sets.note(found)
        owner = controller_of(found)
        ours = owner is not None and owner.get("uid") == uid_of(view.deployment)
        template = view.deployment["spec"]["template"]
        if not (ours and revisions.same_template(found["spec"]["template"], template)):
            patch = {"status": {"collisionCount": collisions + 1}}
            await self._world.patch(DEPLOYMENTS, view.deployment, patch, "status")
        self.queue.add(key_of(view.deployment))

    async def _resize(self, view: _View, replica_set: Object, wanted: int) -> None:
        before, replicas = replicas_of(replica_set), replicas_of(view.deployment)
        surge, _unavailable = bounds(view.deployment)
        sizes = {revisions.DESIRED: str(replicas), revisions.MAXIMUM: str(replicas + surge)}
        annotations = annotations_of(replica_set) | sizes
        if before == wanted and annotations == annotations_of(replica_set):
            return
        changed = replica_set | {
            "metadata": replica_set["metadata"] | {"annotations": annotations},
            "spec": replica_set["spec"] | {"replicas": wanted},
        }
        view.taken(await self._world.update(REPLICA_SETS, changed))
        if before != wanted:
            self._say_scaled(view.deployment, name_of(replica_set), before, wanted)

    def _say_scaled(self, deployment: Object, name: str, before: int, after: int) -> None:
        word = "up" if after > before else "down"
        message = f"Scaled {word} replica set {name} from {before} to {after}"
        self.recorder.record(deployment, "ScalingReplicaSet", message)

    async def _scale(self, view: _View) -> None:
        """Bring the sizes in line with spec.replicas without moving the rollout on."""
        replicas, (surge, _unavailable) = replicas_of(view.deployment), bounds(view.deployment)
        active = [rs for rs in view.all if replicas_of(rs) > 0]
        if len(active) <= 1:
            only = active[0] if active else view.new or (view.old[-1] if view.old else None)
            if only is not None:
                await self._resize(view, only, replicas)
            return
        if view.new is not None and _is_saturated(view.new, replicas):
            for replica_set in active:
                if uid_of(replica_set) != uid_of(view.new):
                    await self._resize(view, replica_set, 0)
            return
        if (view.deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            return
        ordered = revisions.by_age(active)
        shares = [_share(rs, age) for age, rs in enumerate(ordered)]
        sizes = proportional(shares, replicas, surge, count(view.deployment, "replicas"))
        for replica_set in ordered:
            await self._resize(view, replica_set, sizes[name_of(replica_set)])

    async def _clean_up(self, view: _View) -> None:
        limit = view.deployment["spec"].get("revisionHistoryLimit", 10)
        for replica_set in revisions.surplus_history(view.old, 10 if limit is None else limit):
            await self._world.delete(REPLICA_SETS, replica_set)
            view.old.remove(replica_set)

    async def _note_pause(self, view: _View) -> None:
        if progress.deadline_seconds(view.deployment) is None:
            return
        current = condition(view.deployment, "Progressing")
        if current is not None and current.get("reason") == progress.TIMED_OUT:
            return
        paused = bool(view.deployment["spec"].get("paused"))
        noted = current is not None and current.get("reason") == "DeploymentPaused"
        if paused and not noted:
            await self._put_progressing(view, "Unknown", "DeploymentPaused", "Deployment is paused")
        elif not paused and noted:
            await self._put_progressing(view, "Unknown", "DeploymentResumed", "Deployment is resumed")

    async def _put_progressing(self, view: _View, status: str, reason: str, message: str) -> None:
        if progress.deadline_seconds(view.deployment) is None:
            return
        new = progress.new_condition("Progressing", status, reason, message, self._world.now())
        conditions = (view.deployment.get("status") or {}).get("conditions") or []
        others = [entry for entry in conditions if entry["type"] != "Progressing"]
        before = condition(view.deployment, "Progressing")
        if before is not None and before.get("status") == status:
            new["lastTransitionTime"] = before.get("lastTransitionTime", new["lastTransitionTime"])
        patch = {"status": {"conditions": [*others, new]}}
        view.deployment = await self._world.patch(DEPLOYMENTS, view.deployment, patch, "status")

    async def _write_status(self, view: _View, *, progressing: bool = True) -> None:
        deployment, now = view.deployment, self._world.now()
        if progressing:
            status = progress.rollout_status(deployment, view.all, view.new, now)
        else:
            status = progress.base_status(deployment, view.all, view.new, now)
        status = {name: value for name, value in status.items() if value not in (0, None)}
        if status != (deployment.get("status") or {}):
            await self._world.update(DEPLOYMENTS, deployment | {"status": status}, "status")
        left = progress.seconds_to_deadline(deployment | {"status": status}, now)
        if left is not None and not progress.complete(deployment, status):
            self.queue.add_after(key_of(deployment), max(left, 0.0) + 1.0)


def _selects(deployment: Object) -> bool:
    selector = deployment["spec"].get("selector") or {}
    return bool(selector.get("matchLabels") or selector.get("matchExpressions"))


def _min_ready(thing: Object) -> int:
    return int(thing["spec"].get("minReadySeconds") or 0)


def _share(replica_set: Object, age: int) -> Share:
    most = annotations_of(replica_set).get(revisions.MAXIMUM, "")
    return Share(
        name=name_of(replica_set),
        wanted=replicas_of(replica_set),
        available=count(replica_set, "availableReplicas"),
        age=age,
        max_replicas=int(most) if most.isdigit() else None,
    )


def _was_scaled(view: _View) -> bool:
    """Whether spec.replicas changed since the active ReplicaSets were last sized."""
    for replica_set in view.all:
        noted = annotations_of(replica_set).get(revisions.DESIRED, "")
        if replicas_of(replica_set) > 0 and noted.isdigit() and int(noted) != replicas_of(view.deployment):
            return True
    return False


def _is_saturated(new: Object, replicas: int) -> bool:
    return (
        replicas_of(new) == replicas
        and annotations_of(new).get(revisions.DESIRED) == str(replicas)
        and count(new, "availableReplicas") == replicas
    )
