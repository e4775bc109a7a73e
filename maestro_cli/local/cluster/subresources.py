"""What stands under an object: scale, status, eviction, binding, finalize.

Invariant: each is a change through the registry, so preconditions, dry run and validation hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maestro_cli.local.cluster import kinds
from maestro_cli.local.cluster.kinds import Kind
from maestro_cli.local.cluster.registry import Outcome, Registry, delete_options, now, stamp
from maestro_cli.local.cluster.selectors import selector_of, selector_text
from maestro_cli.local.cluster.shapes import conform
from maestro_cli.local.cluster.status import (
    ApiError,
    Names,
    Object,
    bad_request,
    conflict,
    invalid,
    invalid_value,
    required,
    success,
)

_SCALE = Names("autoscaling", "scales", "Scale")
_BINDING = Names("", "pods/binding", "Binding")
_BLOCKED = "Cannot evict pod as it would violate the pod's disruption budget."


def scale_of(obj: Object) -> Object:
    """The autoscaling/v1 Scale of a workload."""
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: metadata[field] for field in kept if field in metadata},
        "spec": {"replicas": obj["spec"]["replicas"]},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": selector_text(obj["spec"].get("selector")),
        },
    }


def write_scale(
    registry: Registry,
    kind: Kind,
    namespace: str,
    name: str,
    change: Callable[[Object], Any],
    *,
    dry_run: bool,
) -> Outcome:
    """Set a workload's replicas to those of the Scale that `change` makes. Raises ApiError 422."""

    def set_replicas(obj: Object) -> Object:
        scale = conform("Scale", "v1", change(scale_of(obj)), "Scale")
        replicas = scale.get("spec", {}).get("replicas", 0)
        if replicas < 0:
            problem = invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
            raise invalid(_SCALE, name, [problem])
        asked = scale.get("metadata", {})
        for field in ("resourceVersion", "uid"):
            if asked.get(field):
                obj["metadata"][field] = asked[field]
        obj["spec"]["replicas"] = replicas
        return obj

    outcome = registry.update(kind, namespace, name, set_replicas, dry_run=dry_run)
    return Outcome(scale_of(outcome.object))


def bind(registry: Registry, namespace: str, name: str, body: Any, *, dry_run: bool) -> Object:
    """Place a pod on a node (`pods/binding`). Raises ApiError 409 when it is already placed."""
    body = conform("Binding", "v1", body or {}, "Binding")
    node = body.get("target", {}).get("name", "")
    if not node:
        raise invalid(Names("", "pods", "Binding"), name, [required("target.name")])
    current = registry.get(kinds.PODS, namespace, name)
    metadata = current.object["metadata"]
    if metadata.get("deletionTimestamp"):
        raise conflict(_BINDING, name, f"pod {name} is being deleted, cannot be assigned to a host")
    if current.object["spec"].get("nodeName"):
        placed = current.object["spec"]["nodeName"]
        why = f'pod {name} is already assigned to node "{placed}"'
        raise conflict(_BINDING, name, why)
    uid = body.get("metadata", {}).get("uid")
    if uid and uid != metadata["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
        raise conflict(kinds.PODS.names, name, why)

    def place(pod: Object) -> Object:
        pod["spec"]["nodeName"] = node
        annotations = body.get("metadata", {}).get("annotations")
        if annotations:
            pod["metadata"].setdefault("annotations", {}).update(annotations)
        return pod

    registry.update(kinds.PODS, namespace, name, place, dry_run=dry_run)
    registry.update(kinds.PODS, namespace, name, _scheduled, part="status", dry_run=dry_run)
    return success(code=201)


def _scheduled(pod: Object) -> Object:
    return _with_condition(pod, "PodScheduled")


def _with_condition(pod: Object, kind: str, **words: str) -> Object:
    """The pod with a condition that holds, since now."""
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    conditions[:] = [one for one in conditions if one.get("type") != kind]
    conditions.append({"type": kind, "status": "True", "lastTransitionTime": stamp(now()), **words})
    return pod


def evict(registry: Registry, namespace: str, name: str, body: Any, *, dry_run: bool) -> Object:
    """Delete a pod if its disruption budget allows (k8s pkg/registry/core/pod/storage/eviction.go).

    Raises ApiError 429 when the budget is used up, 500 when several budgets select the pod.
    """
    body = conform("Eviction", "v1", body or {}, "Eviction")
    if body.get("metadata", {}).get("name") != name:
        raise bad_request("name in URL does not match name in Eviction object")
    options = delete_options(body.get("deleteOptions"))
    dry_run = dry_run or bool(options.get("dryRun"))
    pod = registry.get(kinds.PODS, namespace, name).object
    if _needs_budget(pod):
        labels = pod["metadata"].get("labels", {})
        budgets = [
            version.object
            for version in registry.store.list(kinds.BUDGETS.shelf, namespace)
            if selector_of(version.object.get("spec", {}).get("selector")).matches(labels)
        ]
        if len(budgets) > 1:
            why = "which the eviction subresource does not support."
            raise ApiError(500, "InternalError", f"This pod has more than one PodDisruptionBudget, {why}")
        if budgets and not _free_anyway(pod, budgets[0]):
            _spend(registry, namespace, name, budgets[0], dry_run=dry_run)
    _mark_evicted(registry, namespace, name, options, dry_run=dry_run)
    registry.delete(kinds.PODS, namespace, name, options, dry_run=dry_run)
    return success(code=201)


def _mark_evicted(registry: Registry, namespace: str, name: str, options: Object, *, dry_run: bool) -> None:
    """Have the pod's conditions say why it goes, under the preconditions of its deletion, which move on."""
    wanted = options.get("preconditions", {})

    def mark(pod: Object) -> Object:
        pod["metadata"] |= {field: value for field, value in wanted.items() if value}
        return _with_condition(
            pod, "DisruptionTarget", reason="EvictionByEvictionAPI", message="Eviction API: evicting"
        )

    marked = registry.update(kinds.PODS, namespace, name, mark, part="status", dry_run=dry_run).object
    if wanted.get("resourceVersion") and not dry_run:
        wanted["resourceVersion"] = marked["metadata"]["resourceVersion"]


def _needs_budget(pod: Object) -> bool:
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Pending", "Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def _free_anyway(pod: Object, budget: Object) -> bool:
    """An unready pod may go when policy says so, or when enough others are healthy."""
    conditions = pod.get("status", {}).get("conditions", [])
    if any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions):
        return False
    if budget.get("spec", {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status", {})
    desired, current = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    return bool(0 < desired <= current)


def _spend(registry: Registry, namespace: str, pod: str, budget: Object, *, dry_run: bool) -> None:
    name = budget["metadata"]["name"]
    status = budget.get("status", {})
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        cause = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(cause, retry_after_seconds=10)
    if status.get("disruptionsAllowed", 0) <= 0:
        needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _too_many(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently")

    def spend(obj: Object) -> Object:
        obj["status"]["disruptionsAllowed"] -= 1
        obj["status"].setdefault("disruptedPods", {})[pod] = stamp(now())
        return obj

    registry.update(kinds.BUDGETS, namespace, name, spend, part="status", dry_run=dry_run)


def _too_many(cause: str, retry_after_seconds: int = 0) -> ApiError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if retry_after_seconds:
        details["retryAfterSeconds"] = retry_after_seconds
    return ApiError(429, "TooManyRequests", _BLOCKED, details)
