"""Which pods a ReplicaSet gives up first.

Invariant: an unready pod goes before a ready one. Order of kubernetes
`pkg/controller/controller_utils.go ActivePodsWithRanks`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from maestro_cli.local.objects import (
    Object,
    annotations_of,
    condition,
    metadata,
    parse_time,
    pod_is_ready,
    pod_phase,
    uid_of,
)

_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}
_COST = "controller.kubernetes.io/pod-deletion-cost"


def doomed_first(pods: Sequence[Object], related: Sequence[Object], now: datetime) -> list[Object]:
    """The pods in the order of deletion; `related` are all pods of the same owner's owner, for spreading."""
    crowd = Counter(pod["spec"].get("nodeName") or "" for pod in related)
    return sorted(pods, key=lambda pod: _rank(pod, crowd, now))


def _rank(pod: Object, crowd: Counter[str], now: datetime) -> tuple[Any, ...]:
    node = pod["spec"].get("nodeName") or ""
    ready = pod_is_ready(pod)
    return (
        bool(node),
        _PHASE_ORDER.get(pod_phase(pod), 2),
        ready,
        _cost(pod),
        -crowd[node],
        _log_age(_ready_since(pod), now) if ready else 0,
        -max((status.get("restartCount", 0) for status in _statuses(pod)), default=0),
        _log_age(parse_time(metadata(pod).get("creationTimestamp")), now),
        uid_of(pod),
    )


def _cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(_COST, "0"))
    except ValueError:
        return 0


def _statuses(pod: Object) -> list[Object]:
    return (pod.get("status") or {}).get("containerStatuses") or []


def _ready_since(pod: Object) -> datetime | None:
    found = condition(pod, "Ready")
    return None if found is None else parse_time(found.get("lastTransitionTime"))


def _log_age(since: datetime | None, now: datetime) -> int:
    """Ages in powers of two: pods of about the same age are equals, so that the choice is spread."""
    seconds = max((now - (since or datetime(1970, 1, 1, tzinfo=UTC))).total_seconds(), 0.0)
    return int(math.log2(seconds + 1))
