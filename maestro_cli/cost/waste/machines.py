"""Workloads, replicas and volumes that are paid for and hardly used, from what was metered.

Invariant: a thing that was not there, or not measured, in each hour of the window is not judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.core.refs import ref_of
from maestro_cli.cost.metering.model import ContainerRef, Metered
from maestro_cli.cost.prices.model import PriceVersion, Resource
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MONTH_HOURS = 730.5
LEAST_HOURS = 24
LEAST_COVERAGE = 0.95
ZOMBIE_SHARE = 0.01  # of the requested CPU, in the busiest hour
HEADROOM = 1.25  # over the busiest hour
BUSY_SHARE = 0.8  # of its request that a replica may be busy
LEAST_REPLICAS = 2
_EVERY_NODE = "DaemonSet"
_SHORT = {"Deployment": "deploy", "StatefulSet": "sts"}
_ENDS = ("Job", "CronJob")
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Hourly:
    """A workload hour by hour: cores asked for and used, and pods that were there."""

    requested: NDArray[np.float64]
    used: NDArray[np.float64]
    pods: NDArray[np.float64]


def idle_machines(
    metered: Metered, monthly: Mapping[str, float], floors: Mapping[str, int]
) -> Iterator[Waste | NotJudged]:
    """Zombie workloads, and those with far more replicas than their busiest hour needs.

    `monthly` is what a workload costs a month, `floors` the least replicas that its autoscaler or disruption
    budget wants, both by `str(ref_of(kind, namespace, name))`.
    """
    if metered.hours.count < LEAST_HOURS:
        why = f"the window has {counted(metered.hours.count, 'hour')}, {LEAST_HOURS} are needed"
        yield from (NotJudged(kind, why) for kind in (Kind.ZOMBIE, Kind.OVER_REPLICATED))
        return
    if float(metered.coverage.min()) < LEAST_COVERAGE:
        why = f"an hour was measured to {float(metered.coverage.min()):.0%} only"
        yield from (NotJudged(kind, why) for kind in (Kind.ZOMBIE, Kind.OVER_REPLICATED))
        return
    for key, hourly in sorted(_by_workload(metered).items()):
        name = str(ref_of(key[1], key[0], key[2]))
        found = _judged(key, hourly, monthly.get(name), floors.get(name, 0))
        if found is not None:
            yield found


def _judged(key: Key, hourly: _Hourly, monthly: float | None, floor: int) -> Waste | None:
    import numpy as np

    namespace, kind, name = key
    whole = np.isfinite(hourly.requested) & np.isfinite(hourly.used) & (hourly.pods > 0)
    if not whole.all() or not (hourly.requested > 0).all():
        return None  # not there, not measured or without a request in some hour
    busiest, asked = float(hourly.used.max()), float(hourly.requested.min())
    over = format_duration(len(hourly.used) * 3600.0)
    if busiest < ZOMBIE_SHARE * asked:
        evidence = f"used {busiest:.2g} cores at most in an hour of {over}, of {asked:.3g} that it asks for"
        return Waste(Kind.ZOMBIE, namespace, f"{kind}/{name}", evidence, monthly=monthly)
    replicas = float(hourly.pods[-1])
    each = float(hourly.requested[-1]) / replicas
    needed = max(math.ceil(busiest * HEADROOM / (each * BUSY_SHARE)), LEAST_REPLICAS, floor)
    if replicas < needed + 2 or kind == _EVERY_NODE:
        return None
    evidence = (
        f"{replicas:.0f} replicas; its busiest hour of {over} used {busiest:.3g} cores, "
        f"for which {needed} with {each:.3g} each are enough"
    )
    saved = None if monthly is None else monthly * (replicas - needed) / replicas
    short = _SHORT.get(kind)
    target = quote(f"{namespace}/{short}/{name}")
    remedy = f"maestro scale {target} --replicas {needed}" if short else ""
    return Waste(Kind.OVER_REPLICATED, namespace, f"{kind}/{name}", evidence, monthly=saved, remedy=remedy)


def _by_workload(metered: Metered) -> dict[Key, _Hourly]:
    rows: dict[Key, list[int]] = {}
    for index, one in enumerate(metered.containers):
        if one.workload and one.workload_kind not in _ENDS:
            rows.setdefault((one.namespace, one.workload_kind, one.workload), []).append(index)
    return {key: _hourly(metered, found) for key, found in rows.items()}


def _hourly(metered: Metered, rows: list[int]) -> _Hourly:
    import numpy as np

    requested, used = metered.requested[Resource.CPU][rows], metered.used[Resource.CPU][rows]
    there = np.isfinite(requested)
    pods = [_pods(metered.containers[row] for row, is_there in zip(rows, hour, strict=True) if is_there)
            for hour in there.T]  # fmt: skip
    blind = there & ~np.isfinite(used)
    asked = np.where(there.any(axis=0), np.nansum(np.where(there, requested, 0.0), axis=0), math.nan)
    spent = np.where(blind.any(axis=0), math.nan, np.nansum(np.where(there, used, 0.0), axis=0))
    return _Hourly(asked, spent, np.array(pods, dtype=np.float64))


def _pods(containers: Iterable[ContainerRef]) -> int:
    return len({one.pod for one in containers})


def unattached_volumes(metered: Metered, version: PriceVersion | None) -> Iterator[Waste | NotJudged]:
    """Volumes that were there in each hour and that no pod mounted in any."""
    import numpy as np

    if not metered.volumes:
        return
    if not any(one.pods for one in metered.volumes):
        yield NotJudged(Kind.UNATTACHED, "no mount of any volume was told by kube-state-metrics")
        return
    for one, hours in zip(metered.volumes, metered.volume_gib, strict=True):
        if one.pods or not np.isfinite(hours).all() or not (hours > 0).all():
            continue
        size = float(hours[-1])
        priced = None if version is None else version.storage_class(one.storage_class)
        monthly = None if priced is None else size * priced.per_gib_hour * MONTH_HOURS
        claim = f"its claim {one.claim} is mounted by no pod" if one.claim else "no claim holds it"
        over = format_duration(len(hours) * 3600.0)
        evidence = f"{size:.3g} GiB of {one.storage_class or 'no class'}; {claim} in {over}"
        yield Waste(Kind.UNATTACHED, one.namespace, one.name, evidence, monthly=monthly)
