"""The status of PodDisruptionBudgets.

Invariant: `disruptionsAllowed` is never more than the healthy pods beyond the desired number, and
percentages round up (`pkg/controller/disruption/disruption.go`). Where the desired number cannot be told,
nothing is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from maestro_cli.local.api import DISRUPTION_BUDGETS
from maestro_cli.local.controllers.progress import replicas_of
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.rollout import int_or_percent
from maestro_cli.local.controllers.world import NAMESPACE, World
from maestro_cli.local.informer import Informer
from maestro_cli.local.objects import (
    Object,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    parse_time,
    pod_is_ready,
    pod_phase,
    selector_matches,
    set_condition,
    timestamp,
    uid_of,
)


class NoScale(Exception):
    """A pod's controller that says no number of pods."""


_EVICTED_FOR = timedelta(minutes=2)  # after that an eviction that did not delete its pod is forgotten


def desired_healthy(spec: Object, expected: int, pods: int) -> tuple[int, int]:
    """(expected pods, desired healthy pods) of a budget; `expected` is the controllers' scale."""
    if spec.get("maxUnavailable") is not None:
        return expected, max(expected - int_or_percent(spec["maxUnavailable"], expected, round_up=True), 0)
    least = spec.get("minAvailable", 0)
    if isinstance(least, int):
        return pods, least
    return expected, int_or_percent(least, expected, round_up=True)


def still_disrupted(status: Object, pods: Sequence[Object], now: datetime) -> dict[str, str]:
    """The entries of `disruptedPods` whose eviction may still be under way."""
    alive = {name_of(pod) for pod in pods if not is_deleting(pod)}
    result = {}
    for name, text in (status.get("disruptedPods") or {}).items():
        at = parse_time(text)
        if name in alive and at is not None and now < at + _EVICTED_FOR:
            result[name] = text
    return result


class DisruptionController:
    """Keeps budgets' status in line with pods."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.recorder = world.recorder("controllermanager")
        self.queue = WorkQueue("disruption", self.sync)
        world.budgets.subscribe(lambda old, new: self.queue.add(key_of(new or old or {})))
        world.pods.subscribe(self._pod_changed)
        world.deployments.subscribe(self._owner_changed)
        world.replica_sets.subscribe(self._owner_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for budget in self._world.budgets.by(NAMESPACE, namespace_of(new or old or {})):
            selector = budget["spec"].get("selector")
            if any(pod is not None and selector_matches(selector, labels_of(pod)) for pod in (old, new)):
                self.queue.add(key_of(budget))

    def _owner_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None or new is None or replicas_of(old) != replicas_of(new):
            for budget in self._world.budgets.by(NAMESPACE, namespace_of(new or old or {})):
                self.queue.add(key_of(budget))

    async def sync(self, key: str) -> None:
        """Write the status of one budget."""
        budget = self._world.budgets.get(key)
        if budget is None or is_deleting(budget):
            return
        pods = [
            pod
            for pod in self._world.pods.by(NAMESPACE, namespace_of(budget))
            if selector_matches(_spec(budget).get("selector"), labels_of(pod))
            and pod_phase(pod) not in {"Succeeded", "Failed"}
        ]
        try:
            status = self._status(budget, pods)
        except NoScale as unknown:
            self.recorder.record(budget, "NoControllers", str(unknown), warning=True)
            status = self._fail_safe(budget, str(unknown))
        if status != (budget.get("status") or {}):
            await self._world.update(DISRUPTION_BUDGETS, budget | {"status": status}, "status")
        if status.get("disruptedPods"):
            self.queue.add_after(key, _EVICTED_FOR.total_seconds())

    def _status(self, budget: Object, pods: list[Object]) -> Object:
        now, before = self._world.now(), budget.get("status") or {}
        counts_pods = isinstance(_spec(budget).get("minAvailable"), int)
        scale = len(pods) if counts_pods else self._expected_scale(pods)
        expected, desired = desired_healthy(_spec(budget), scale, len(pods))
        disrupted = still_disrupted(before, pods, now)
        healthy = sum(
            pod_is_ready(pod) and not is_deleting(pod) and name_of(pod) not in disrupted for pod in pods
        )
        allowed = max(healthy - desired, 0) if expected > 0 else 0
        told = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        status: Object = {
            "observedGeneration": metadata(budget).get("generation", 0),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": self._conditions(budget, *told),
        }
        return status | ({"disruptedPods": disrupted} if disrupted else {})

    def _fail_safe(self, budget: Object, why: str) -> Object:
        failed = self._conditions(budget, "False", "SyncFailed", why)
        return (budget.get("status") or {}) | {"disruptionsAllowed": 0, "conditions": failed}

    def _conditions(self, budget: Object, status: str, reason: str, message: str = "") -> list[Object]:
        new = {
            "type": "DisruptionAllowed",
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": metadata(budget).get("generation", 0),
            "lastTransitionTime": timestamp(self._world.now()),
        }
        return set_condition((budget.get("status") or {}).get("conditions") or [], new)

    def _expected_scale(self, pods: Sequence[Object]) -> int:
        """The sum of what the pods' controllers want; a pod without one is not expected. Raises NoScale."""
        scales: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            if owner is None:
                continue
            replica_set = _found(self._world.replica_sets, pod, owner)
            above = controller_of(replica_set) if replica_set is not None else None
            top = _found(self._world.deployments, pod, above) if above is not None else replica_set
            if top is None:
                raise NoScale(f'found no controllers for pod "{name_of(pod)}"')
            scales[uid_of(top)] = replicas_of(top)
        return sum(scales.values())


def _found(informer: Informer, pod: Object, reference: Object) -> Object | None:
    """What the reference means, if it is of the informer's kind and still the same object."""
    found = informer.get(f"{namespace_of(pod)}/{reference['name']}")
    is_it = found is not None and reference.get("kind") == informer.resource.kind
    return found if is_it and found is not None and uid_of(found) == reference.get("uid") else None


def _spec(budget: Object) -> Object:
    """The spec, which a budget may lack: it then selects nothing."""
    return dict(budget.get("spec") or {})
