"""KRR's strategy `simple`, figure for figure, with its defaults.

Source: robusta-dev/krr, strategies/simple.py, integrations/prometheus/metrics and runner.py. Two oddities of
it are kept, for the figures are to be its: floats are rounded up as they are, noise included, and a
percentile is rounded to whole percents before it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from maestro_cli.cost.rightsizing.model import Amount, Proposal

PERCENTILE = 95
QUANTILE = round(PERCENTILE / 100, 2)
LEAST_POINTS = 100
HISTORY_SECONDS = 14 * 86_400
STEP_SECONDS = 75
_MEMORY_BUFFER = 15
_OOM_BUFFER = 25
_LEAST_CORES = 1 / 1000 * 10
_LEAST_BYTES = 1024**2 * 100


@dataclass(frozen=True, slots=True)
class KrrSeries:
    """What KRR's queries answer of one container, by pod: cores, bytes, how many points are behind each.

    `oom` are the limits that were too small; KRR looks at them with --use-oomkill-data alone.
    """

    cpu: Mapping[str, float] = field(default_factory=dict)
    cpu_points: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)
    memory_points: Mapping[str, float] = field(default_factory=dict)
    oom: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Which resources an autoscaler of the workload looks at; KRR says nothing of these."""

    cpu: bool = False
    memory: bool = False


def krr_proposal(series: KrrSeries, scaled: Scaled) -> Proposal:
    """What `krr simple` says of it."""
    return Proposal(_cpu(series, scaled.cpu), _memory(series, scaled.memory))


def _cpu(series: KrrSeries, is_scaled: bool) -> Amount:
    why = _nothing(series.cpu, series.cpu_points, is_scaled)
    if why:
        return Amount(None, why=why)
    cores = max(series.cpu.values())
    if math.isnan(cores):
        return Amount(None, why="No data")
    return Amount(max(math.ceil(cores * 10**3) / 10**3, _LEAST_CORES))


def _memory(series: KrrSeries, is_scaled: bool) -> Amount:
    why = _nothing(series.memory, series.memory_points, is_scaled)
    if why:
        return Amount(None, why=why)
    too_small = max(series.oom.values(), default=0.0)
    size = max(max(series.memory.values()) * (1 + _MEMORY_BUFFER / 100), too_small * (1 + _OOM_BUFFER / 100))
    precision = 1 / (1024**2)
    size = max(math.ceil(size * precision) / precision, _LEAST_BYTES)
    return Amount(size, size, "OOMKill detected" if too_small else "")


def _nothing(data: Mapping[str, float], points: Mapping[str, float], is_scaled: bool) -> str:
    if not data:
        return "No data"
    if sum(points.values()) < LEAST_POINTS:
        return "Not enough data"
    return "HPA detected" if is_scaled else ""


def one_job(found: Mapping[str, float]) -> float:
    """Of a pod that several jobs scrape, the kubelet's series, or that of the first job in their order."""
    return found["kubelet"] if "kubelet" in found else found[min(found)]
