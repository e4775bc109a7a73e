"""Usages for tests of rules: two weeks of five-minute means unless they say otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maestro_cli.cost.rightsizing.model import OutOfMemory, Seen, Usage

DAY = 86_400.0
STEP = 300.0
START = 1_790_000_000.0 // DAY * DAY


def usage(
    cpu: Sequence[float] | float = 0.2,
    *,
    peaks: Sequence[float] = (2e8,) * 14,
    days: float = 14,
    week_seen: float = 1.0,
    memory_points: float | None = None,
    memory_seen: Seen | None = None,
    killed: OutOfMemory | None = None,
) -> Usage:
    """One pod of that processor time, repeated over the days, and one peak a day."""
    count = int(days * DAY / STEP)
    values = np.resize(np.asarray(cpu, dtype=np.float64), count)
    times = START + STEP * (1 + np.arange(count, dtype=np.float64))
    seen = Seen(float(times[-1] - times[0]) if count else 0.0, week_seen)
    return Usage(
        cpu=values,
        cpu_times=times,
        peaks=np.asarray(peaks, dtype=np.float64),
        peak_times=START + DAY * (1 + np.arange(len(peaks), dtype=np.float64)),
        memory_points=float(count if memory_points is None else memory_points),
        cpu_seen=seen,
        memory_seen=seen if memory_seen is None else memory_seen,
        killed=killed,
    )
