"""The status and conditions of a Deployment.

Invariant: `observedGeneration` is written together with the counts it belongs to; a rollout that
makes no progress within its deadline says so, and nothing here ever rolls back.
Rules of kubernetes `pkg/controller/deployment/{sync,progress}.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from maestro_cli.local.controllers.rollout import fenceposts, is_complete
from maestro_cli.local.objects import (
    Object,
    condition,
    metadata,
    name_of,
    parse_time,
    set_condition,
    timestamp,
)

AVAILABLE_REASON = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
_NO_DEADLINE = 2**31 - 1


def replicas_of(thing: Object) -> int:
    """spec.replicas; 1 when unset."""
    value = thing["spec"].get("replicas")
    return 1 if value is None else int(value)


def count(thing: Object, name: str) -> int:
    """A status counter; 0 when unset."""
    return int((thing.get("status") or {}).get(name) or 0)


def bounds(deployment: Object) -> tuple[int, int]:
    """(surge, unavailable) in pods; (0, 0) for Recreate."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    surge, unavailable = rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%")
    return fenceposts(surge, unavailable, replicas_of(deployment))


def deadline_seconds(deployment: Object) -> int | None:
    """progressDeadlineSeconds, or None when there is no deadline."""
    value = deployment["spec"].get("progressDeadlineSeconds", 600)
    return None if value is None or value >= _NO_DEADLINE else int(value)


def new_condition(kind: str, status: str, reason: str, message: str, now: datetime) -> Object:
    """A Deployment condition with both of its times."""
    at = timestamp(now)
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": at,
        "lastTransitionTime": at,
    }


def _put(conditions: list[Object], new: Object) -> list[Object]:
    """`set_condition`, but a changed message alone changes nothing (SetDeploymentCondition upstream)."""
    for old in conditions:
        if old["type"] == new["type"] and (old["status"], old.get("reason")) == (
            new["status"],
            new["reason"],
        ):
            return conditions
    return set_condition(conditions, new)


def base_status(
    deployment: Object, replica_sets: Sequence[Object], new: Object | None, now: datetime
) -> Object:
    """Counts, observedGeneration and the Available condition; the other conditions as they were."""
    total = sum(count(rs, "replicas") for rs in replica_sets)
    available = sum(count(rs, "availableReplicas") for rs in replica_sets)
    old = deployment.get("status") or {}
    status: dict[str, Any] = {
        "observedGeneration": metadata(deployment).get("generation", 0),
        "replicas": total,
        "updatedReplicas": count(new, "replicas") if new is not None else 0,
        "readyReplicas": sum(count(rs, "readyReplicas") for rs in replica_sets),
        "availableReplicas": available,
        "unavailableReplicas": max(sum(replicas_of(rs) for rs in replica_sets) - available, 0),
    }
    if old.get("collisionCount"):
        status["collisionCount"] = old["collisionCount"]
    _surge, unavailable = bounds(deployment)
    if available >= replicas_of(deployment) - unavailable:
        told = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        told = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    status["conditions"] = _put(list(old.get("conditions") or ()), new_condition("Available", *told, now))
    return status


def rollout_status(
    deployment: Object, replica_sets: Sequence[Object], new: Object | None, now: datetime
) -> Object:
    """The whole status during a rollout, with Progressing and ReplicaFailure."""
    status = base_status(deployment, replica_sets, new, now)
    conditions: list[Object] = status["conditions"]
    current = condition(deployment, "Progressing")
    if deadline_seconds(deployment) is None:
        conditions = [entry for entry in conditions if entry["type"] != "Progressing"]
    else:
        settled = status["replicas"] == status["updatedReplicas"] and (
            current is not None and current.get("reason") == AVAILABLE_REASON
        )
        if not settled:
            conditions = _progressing(deployment, status, new, conditions, now)
    conditions = [entry for entry in conditions if entry["type"] != "ReplicaFailure"]
    failure = _failure(replica_sets, new)
    if failure is not None:
        before = condition(deployment, "ReplicaFailure") or failure
        conditions.append({"lastUpdateTime": failure.get("lastTransitionTime"), **before})
    status["conditions"] = conditions
    return {name: value for name, value in status.items() if value not in (0, None)}


def _progressing(
    deployment: Object, status: Object, new: Object | None, conditions: list[Object], now: datetime
) -> list[Object]:
    name = f'ReplicaSet "{name_of(new)}"' if new is not None else f'Deployment "{name_of(deployment)}"'
    if complete(deployment, status):
        told = new_condition(
            "Progressing", "True", AVAILABLE_REASON, f"{name} has successfully progressed.", now
        )
        return _put(conditions, told)
    if _moved(deployment, status):
        told = new_condition("Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.", now)
        current = condition(deployment, "Progressing")
        if current is not None and current.get("status") == "True":
            told["lastTransitionTime"] = current.get("lastTransitionTime", told["lastTransitionTime"])
        return [entry for entry in conditions if entry["type"] != "Progressing"] + [told]
    if timed_out(deployment, now):
        told = new_condition("Progressing", "False", TIMED_OUT, f"{name} has timed out progressing.", now)
        return _put(conditions, told)
    return conditions


def complete(deployment: Object, status: Object) -> bool:
    """Whether this status is the end of the rollout of the present generation."""
    return is_complete(
        replicas_of(deployment),
        status.get("updatedReplicas") or 0,
        status.get("replicas") or 0,
        status.get("availableReplicas") or 0,
        observed=int(status.get("observedGeneration") or 0) >= int(metadata(deployment).get("generation", 0)),
    )


def _moved(deployment: Object, status: Object) -> bool:
    """Whether the new status is better than the one on record."""
    old_updated, old_total = count(deployment, "updatedReplicas"), count(deployment, "replicas")
    return bool(
        status["updatedReplicas"] > old_updated
        or status["replicas"] - status["updatedReplicas"] < old_total - old_updated
        or status["readyReplicas"] > count(deployment, "readyReplicas")
        or status["availableReplicas"] > count(deployment, "availableReplicas")
    )


def timed_out(deployment: Object, now: datetime) -> bool:
    """Whether the last progress is longer ago than the deadline."""
    left = seconds_to_deadline(deployment, now)
    current = condition(deployment, "Progressing")
    if current is not None and current.get("reason") == TIMED_OUT:
        return True
    return left is not None and left <= 0


def seconds_to_deadline(deployment: Object, now: datetime) -> float | None:
    """Seconds until the deadline passes; None when none is running."""
    limit = deadline_seconds(deployment)
    current = condition(deployment, "Progressing")
    if limit is None or current is None or current.get("reason") in {AVAILABLE_REASON, TIMED_OUT}:
        return None
    since = parse_time(current.get("lastUpdateTime"))
    return None if since is None else limit - (now - since).total_seconds()


def _failure(replica_sets: Sequence[Object], new: Object | None) -> Object | None:
    for replica_set in ([new] if new is not None else []) + list(replica_sets):
        found = condition(replica_set, "ReplicaFailure")
        if found is not None and found.get("status") == "True":
            return found
    return None
