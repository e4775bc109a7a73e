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
from maestro_cli.cost.metering.model import ContainerRef, Matrix, Metered
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, PriceVersion, Resource
from maestro_cli.cost.waste.model import Kind, NotJudged, Waste

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    """A workload hour by hour: cores asked for and used, the share of its memory that was used, pods."""

    requested: NDArray[np.float64]
    used: NDArray[np.float64]
    memory_share: NDArray[np.float64]
    pods: NDArray[np.float64]
    has_gpu: bool


def idle_machines(
    metered: Metered, monthly: Mapping[str, float], floors: Mapping[str, int]
) -> Iterator[Waste | NotJudged]:
    """Zombie workloads, and those with far more replicas than their busiest hour needs.

    `monthly` is what a workload costs a month, `floors` the least replicas that its autoscaler wants, both by
    `str(ref_of(kind, namespace, name))`. The last hour may only have begun and counts for nothing.
    """
    hours = metered.hours.count - 1
    if hours < LEAST_HOURS:
        why = f"the window has {counted(hours, 'full hour')}, {LEAST_HOURS} are needed"
        yield from (NotJudged(kind, why) for kind in (Kind.ZOMBIE, Kind.OVER_REPLICATED))
        return
    if (least := float(metered.coverage[:hours].min())) < LEAST_COVERAGE:
        why = f"an hour was measured to {least:.0%} only"
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
    by_memory = float(hourly.memory_share.max()) * replicas
    if kind == _EVERY_NODE or hourly.has_gpu or not math.isfinite(by_memory):
        return None
    by_cpu = busiest / each
    needed = max(math.ceil(max(by_cpu, by_memory) * HEADROOM / BUSY_SHARE), LEAST_REPLICAS, floor)
    if replicas < needed + 2:
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

    requested, used = _full(metered.requested, Resource.CPU, rows), _full(metered.used, Resource.CPU, rows)
    memory = _full(metered.requested, Resource.MEMORY, rows), _full(metered.used, Resource.MEMORY, rows)
    gpu = metered.requested.get(Resource.GPU)
    there = np.isfinite(requested)
    pods = [_pods(metered.containers[row] for row, is_there in zip(rows, hour, strict=True) if is_there)
            for hour in there.T]  # fmt: skip
    blind = there & ~np.isfinite(used)
    asked = np.where(there.any(axis=0), np.nansum(np.where(there, requested, 0.0), axis=0), math.nan)
    spent = np.where(blind.any(axis=0), math.nan, np.nansum(np.where(there, used, 0.0), axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(there, memory[1], 0.0).sum(axis=0) / np.where(there, memory[0], 0.0).sum(axis=0)
    has_gpu = gpu is not None and bool((np.nan_to_num(gpu[rows]) > 0).any())
    return _Hourly(asked, spent, share, np.array(pods, dtype=np.float64), has_gpu)


def _full(matrices: Mapping[Resource, Matrix], resource: Resource, rows: list[int]) -> NDArray[np.float64]:
    """Those rows without the last hour."""
    return matrices[resource][rows, :-1]


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
    for one, all_hours in zip(metered.volumes, metered.volume_gib, strict=True):
        hours = all_hours[:-1]  # the last may only have begun
        if one.pods or not len(hours) or not np.isfinite(hours).all() or not (hours > 0).all():
            continue
        size = float(hours[-1])
        priced = None if version is None else version.storage_class(one.storage_class)
        monthly = None if priced is None else size * priced.per_gib_hour * HOURS_OF_A_MONTH
        claim = f"its claim {one.claim} is mounted by no pod" if one.claim else "no claim holds it"
        over = format_duration(len(hours) * 3600.0)
        evidence = f"{size:.3g} GiB of {one.storage_class or 'no class'}; {claim} in {over}"
        yield Waste(Kind.UNATTACHED, one.namespace, one.name, evidence, monthly=monthly)
