"""The arithmetic of a rolling update.

Invariant: the ReplicaSets together never want more than replicas + surge pods, and no step takes
away an available pod that would leave fewer than replicas - unavailable. Formulas as in
kubernetes `pkg/controller/deployment/{rolling,sync}.go` and `util/deployment_util.go`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """One ReplicaSet as the arithmetic sees it; `age` orders by creation, 0 the oldest."""

    name: str
    wanted: int  # spec.replicas
    available: int = 0  # status.availableReplicas
    age: int = 0
    max_replicas: int | None = None  # annotation deployment.kubernetes.io/max-replicas


def int_or_percent(value: int | str, total: int, *, round_up: bool) -> int:
    """`3` or `"25%"` of total, rounded as told. Raises ValueError for anything else."""
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise ValueError(f"{value!r} is neither a number nor a percentage")
    percent = int(value[:-1])
    # integers, so that 7 % of 100 is 7 and not 7.000000000000001 rounded up
    return -(-percent * total // 100) if round_up else percent * total // 100


def fenceposts(surge: int | str, unavailable: int | str, replicas: int) -> tuple[int, int]:
    """(surge, unavailable) in pods: surge rounds up, unavailable down, and never both 0."""
    more = int_or_percent(surge, replicas, round_up=True)
    fewer = int_or_percent(unavailable, replicas, round_up=False)
    if more == 0 and fewer == 0:
        fewer = 1
    return more, min(fewer, replicas)


def grown_new(new_wanted: int, all_wanted: int, replicas: int, surge: int) -> int:
    """What the new ReplicaSet should want: as much as fits under replicas + surge."""
    if new_wanted >= replicas:
        return replicas
    room = replicas + surge - all_wanted
    return new_wanted if room <= 0 else new_wanted + min(room, replicas - new_wanted)


def shrunk_old(old: Sequence[Share], new: Share, replicas: int, unavailable: int) -> dict[str, int]:
    """What each old ReplicaSet should want after one step down; only those that change.

    Unhealthy old pods go first, oldest ReplicaSet first; then as many available ones as the
    minimum allows.
    """
    minimum = replicas - unavailable
    everything = sum(share.wanted for share in old) + new.wanted
    may_go = everything - minimum - (new.wanted - new.available)
    wanted = {share.name: share.wanted for share in old}
    oldest_first = sorted(old, key=lambda share: share.age)
    gone = 0
    for share in oldest_first:
        if gone >= may_go:
            break
        unhealthy = min(may_go - gone, max(share.wanted - share.available, 0))
        wanted[share.name] -= unhealthy
        gone += unhealthy
    spare = sum(share.available for share in old) + new.available - minimum
    if may_go > 0:
        for share in oldest_first:
            step = min(wanted[share.name], max(spare, 0))
            wanted[share.name] -= step
            spare -= step
    return {share.name: wanted[share.name] for share in old if wanted[share.name] != share.wanted}


def proportional(shares: Sequence[Share], replicas: int, surge: int, status_replicas: int) -> dict[str, int]:
    """What each active ReplicaSet should want when a Deployment is scaled in the middle of a rollout.

    Each gets its share of the difference, the largest first; the remainder goes to the first.
    """
    active = [share for share in shares if share.wanted > 0]
    to_add = (replicas + surge if replicas > 0 else 0) - sum(share.wanted for share in active)
    if to_add > 0:
        active.sort(key=lambda share: (-share.wanted, -share.age))
    else:
        active.sort(key=lambda share: (-share.wanted, share.age))
    wanted, added = {}, 0
    for share in active:
        part = _fraction(share, replicas, surge, status_replicas) if to_add else 0
        rest = to_add - added
        part = min(part, rest) if to_add > 0 else max(part, rest)
        wanted[share.name] = share.wanted + part
        added += part
    if active and to_add != added:
        first = active[0].name
        wanted[first] = max(wanted[first] + to_add - added, 0)
    return wanted


def _fraction(share: Share, replicas: int, surge: int, status_replicas: int) -> int:
    if replicas == 0:
        return -share.wanted
    base = share.max_replicas or status_replicas
    if base <= 0:
        return 0
    return math.floor(share.wanted * (replicas + surge) / base + 0.5) - share.wanted


def is_complete(replicas: int, updated: int, total: int, available: int, *, observed: bool) -> bool:
    """Whether a rollout is over: everything updated, nothing else left, all of it available."""
    return observed and updated == replicas and total == replicas and available == replicas
