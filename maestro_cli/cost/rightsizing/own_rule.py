"""maestro's own rule. Source: research, section 7.3.

A serving container requests so much processor time that 95 of 100 five-minute means fit, and 99 of 100 with
a quarter on top, and 15 % more. A batch container may wait: two thirds fit its request, 96 of 100 its
limit. Memory cannot wait: request and limit are the largest working set and 15 %, after a kill for memory
more than what it had then, as VPA has it.
"""

from __future__ import annotations

from maestro_cli.cost.rightsizing.model import MIB, Amount, Proposal, Size, Usage, Vector
from maestro_cli.cost.rightsizing.rounding import whole_mebibytes, whole_millicores
from maestro_cli.cost.rightsizing.thinness import WEEK_SECONDS, cpu_is_thin, memory_is_thin

MARGIN = 1.15
BURST = 1.25  # what a serving container may be over its request in one of a hundred five-minute means
LEAST_CORES = 0.010
LEAST_BYTES = 16 * MIB  # what a container runtime and an idle program take at the least
BATCH = ("Job", "CronJob")
_BUMP = 1.2
_LEAST_BUMP = 100 * MIB


def own_proposal(usage: Usage, now: Size, *, is_batch: bool, least_seconds: float = WEEK_SECONDS) -> Proposal:
    """What a container of that usage, which has that size now, should have."""
    return Proposal(_cpu(usage, is_batch, least_seconds), _memory(usage, now, least_seconds))


def _cpu(usage: Usage, is_batch: bool, least_seconds: float) -> Amount:
    thin = cpu_is_thin(usage, least_seconds)
    if thin:
        return Amount(None, why=thin)
    if is_batch:
        request, limit = _percentiles(usage.cpu, 66, 96)
        least = whole_millicores(request, LEAST_CORES)
        return Amount(least, max(whole_millicores(limit, LEAST_CORES), least))
    usual, busy = _percentiles(usage.cpu, 95, 99)
    return Amount(whole_millicores(max(usual, busy / BURST) * MARGIN, LEAST_CORES))


def _memory(usage: Usage, now: Size, least_seconds: float) -> Amount:
    thin = memory_is_thin(usage, least_seconds)
    peak = usage.peak
    if thin or peak is None:
        return Amount(None, why=thin)
    needed = peak * MARGIN
    why = ""
    if usage.killed is not None:
        had = max(peak, usage.killed.limit or now.memory_request or 0.0)
        needed = max(needed, had * _BUMP, had + _LEAST_BUMP)
        why = "it was killed for its memory"
    size = whole_mebibytes(needed, LEAST_BYTES)
    return Amount(size, size, why)


def _percentiles(values: Vector, *percents: float) -> list[float]:
    """Linear between the two nearest, as PromQL's quantile_over_time; the percentile is not rounded."""
    import numpy as np

    return [float(value) for value in np.percentile(values, percents)]
