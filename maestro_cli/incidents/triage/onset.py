"""When the trouble began, read from a series.

Invariant: pure. The beginning is the start of the excursion that was still on around the alert; a spike
that ended long before is not it, and a series that never left its baseline has none.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta

from maestro_cli.incidents.triage.model import Onset

Points = Sequence[tuple[datetime, float]]

_MAD_TO_SIGMA = 1.4826
_SIGMAS = 6.0


def threshold_of(values: Sequence[float], *, floor: float, factor: float) -> float:
    """What counts as away from the baseline: the larger of three measures over the lower half.

    `floor` is absolute, `factor` times the median relative, and six robust sigmas above the median.
    The lower half is the baseline, so that a long excursion does not raise its own threshold.
    """
    ordered = sorted(values)
    baseline = ordered[: max(len(ordered) // 2, 1)]
    median = statistics.median(baseline)
    deviation = statistics.median([abs(value - median) for value in baseline])
    return max(floor, factor * median, median + _SIGMAS * _MAD_TO_SIGMA * deviation)


def limit_of(points: Points, *, floor: float, factor: float) -> float:
    """`threshold_of` the finite values of a series; the floor when it has none."""
    values = [value for _, value in points if math.isfinite(value)]
    return threshold_of(values, floor=floor, factor=factor) if values else floor


def sharpen(onset: Onset, fine: Points, limit: float) -> Onset:
    """The same onset on a finer series that covers the time around it."""
    clean = [(at, value) for at, value in fine if math.isfinite(value)]
    first = next((at for at, value in clean if value > limit and at >= onset.earliest), None)
    if first is None or first > onset.at:
        return onset
    well = [at for at, value in clean if at < first and value <= limit]
    return Onset(first, max(well[-1], onset.earliest) if well else onset.earliest, onset.basis)


def find_onset(
    points: Points,
    alert_at: datetime,
    *,
    basis: str,
    floor: float,
    factor: float = 3.0,
    gap_seconds: float,
) -> Onset | None:
    """The start of the excursion that reaches the alert, or None when there is none.

    Points within `gap_seconds` of each other belong together, also when the series dips between.
    """
    clean = [(at, value) for at, value in points if math.isfinite(value)]
    if not clean:
        return None
    limit = limit_of(points, floor=floor, factor=factor)
    high = [at for at, value in clean if value > limit]
    gap = timedelta(seconds=gap_seconds)
    runs: list[list[datetime]] = []
    for at in high:
        if runs and at - runs[-1][-1] <= gap:
            runs[-1].append(at)
        else:
            runs.append([at])
    # An alert needs time to fire and none to be read: take the last run that began before it and
    # was on within a gap of it, else one that began just after.
    candidates = [run for run in runs if run[0] <= alert_at + gap and run[-1] >= alert_at - gap]
    if not candidates:
        return None
    begun = [run for run in candidates if run[0] <= alert_at]
    first = begun[-1][0] if begun else candidates[0][0]
    well = [at for at, value in clean if at < first and value <= limit]
    return Onset(first, well[-1] if well else first, basis)


def in_use(points: Points, seconds: float, since: datetime) -> Points:
    """A rate of requests from so long after it was last nothing: what only begins to be used is no surge.

    One that was asked for from `since` on and has no sample for `seconds` began with its first one: until its
    window is full, it is less than the requests that came.
    """
    window = timedelta(seconds=seconds)
    nothing = [at for at, value in points if value <= 0]
    if not nothing and points and points[0][0] > since + window:
        nothing = [points[0][0]]
    if not nothing:
        return points
    begin = nothing[-1] + window
    return [(at, value) for at, value in points if at > begin]


def surge(points: Points, onset: Onset) -> float | None:
    """How many times the usual rate the load was from the onset on; None without a baseline."""
    clean = [(at, value) for at, value in points if math.isfinite(value)]
    before = [value for at, value in clean if at < onset.earliest]
    after = [value for at, value in clean if at >= onset.at]
    if len(before) < 3 or not after:
        return None
    usual = statistics.median(before)
    return statistics.median(after) / usual if usual > 0 else None
