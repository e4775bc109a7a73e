"""What is usual for a measure at this hour, and whether it is unusual now.

Invariant: pure, over frozen points; the same points give the same words. Distances are robust: a median and
the median absolute deviation (MAD) from it, which a few odd points in the past do not move (Iglewicz and
Hoaglin, How to Detect and Handle Outliers, 1993, who call 3.5 / 0.6745 = 5.2 MADs an outlier).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from maestro_cli.incidents.intake.anomalies.model import (
    PROFILES,
    Baseline,
    Measure,
    Points,
    Profile,
    Reading,
)

ENTER_MADS = (
    8.0  # twice as far as what ends one, and well beyond an outlier: five measures a minute are judged
)
EXIT_MADS = 4.0
SAMPLES = 3  # newest ones, all of which must be unusual, or usual again
SAMPLE_SECONDS = 60.0
NEAR = timedelta(minutes=30)  # of the same time of day
LEAST_DAYS, LEAST_SEASONAL_POINTS = 3, 12
ROLLING = timedelta(hours=3)
LEAST_ROLLING_POINTS = 60
LEAST_EVENTS = 50.0  # requests or judged answers in the window of one sample
_NORMAL_MAD = 0.6745  # of a standard normal deviation
_DAY = timedelta(days=1)


def seasonal_points(history: Points, at: datetime) -> tuple[list[float], str]:
    """The values near this time of day on earlier days, and in words which days: those of the same weekday
    if there are enough of them, else working days or weekends, else all; empty without enough (UTC)."""
    near = _near(history, at)
    weekday = at.strftime("%A")
    is_weekend = at.weekday() >= 5
    for words, belongs in (
        (f"at this hour on a {weekday}", lambda days: days % 7 == 0),
        (
            f"at this hour on {'weekends' if is_weekend else 'working days'}",
            lambda days: ((at - days * _DAY).weekday() >= 5) is is_weekend,
        ),
        ("at this hour", lambda days: True),
    ):
        chosen = [(days, value) for days, value in near if belongs(days)]
        if len({days for days, _ in chosen}) >= LEAST_DAYS and len(chosen) >= LEAST_SEASONAL_POINTS:
            return [value for _, value in chosen], words
    return [], ""


def _near(history: Points, at: datetime) -> list[tuple[int, float]]:
    """How many days ago each point near this time of day was, with its value; `history` is in order."""
    found: list[tuple[int, float]] = []
    days = 1
    while history and at - days * _DAY + NEAR >= history[0][0]:
        then = at - days * _DAY
        first = bisect_left(history, then - NEAR, key=_instant)
        last = bisect_right(history, then + NEAR, key=_instant)
        found += [(days, value) for _, value in history[first:last] if math.isfinite(value)]
        days += 1
    return found


def _instant(point: tuple[datetime, float]) -> datetime:
    return point[0]


def rolling_points(recent: Points, at: datetime) -> list[float]:
    """The values of the last hours, without the samples that are judged and those that lead to them."""
    until = at - timedelta(seconds=2 * SAMPLES * SAMPLE_SECONDS)
    return [value for instant, value in recent if at - ROLLING <= instant <= until and math.isfinite(value)]


def baseline_of(measure: Measure, history: Points, recent: Points, at: datetime) -> Baseline | None:
    """What is usual now; None when too little is known."""
    values, basis = seasonal_points(history, at)
    if not values:
        values, basis = rolling_points(recent, at), "over the hours before"
        if len(values) < LEAST_ROLLING_POINTS:
            return None
    profile = PROFILES[measure]
    scaled = sorted(map(profile.scaled, values))
    middle = median(scaled)
    spread = median(abs(value - middle) for value in scaled)
    low, high = (profile.plain(quantile(scaled, share)) for share in (0.1, 0.9))
    return Baseline(middle, spread, low, high, len(scaled), basis)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest of ordered values (definition 7 of Hyndman and Fan, 1996)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def judge(measure: Measure, baseline: Baseline | None, samples: Points, events: Points | None) -> Reading:
    """The newest samples against what is usual.

    `events` are how many requests or answers stood behind each sample; None for a measure of something else.
    """
    newest = samples[-SAMPLES:]
    if len(newest) < SAMPLES or not all(math.isfinite(value) for _, value in newest) or _has_gap(newest):
        return Reading("none", "samples are missing")
    if baseline is None:
        return Reading("none", "too little is known of what is usual")
    profile = PROFILES[measure]
    counts = _events_of(measure, baseline, newest, events)
    if counts is not None and min(counts, default=0.0) < LEAST_EVENTS:
        return Reading("none", "too few requests")
    offs = [
        _mads(profile, baseline, value, counts[index] if counts is not None else None)
        for index, (_, value) in enumerate(newest)
    ]
    changes = [profile.scaled(value) - baseline.median for _, value in newest]
    value, mads = newest[-1][1], offs[-1]
    for sign in profile.signs:
        if all(sign * off >= ENTER_MADS for off in offs) and all(
            sign * change >= profile.least_change for change in changes
        ):
            return Reading("unusual", "", value, mads, SAMPLES, baseline)
    is_usual = all(
        max(sign * off for sign in profile.signs) < EXIT_MADS
        or max(sign * change for sign in profile.signs) < profile.least_change / 2
        for off, change in zip(offs, changes, strict=True)
    )
    return Reading("usual" if is_usual else "between", "", value, mads, SAMPLES, baseline)


def _has_gap(samples: Points) -> bool:
    longest = timedelta(seconds=1.5 * SAMPLE_SECONDS)
    return any(later - earlier > longest for (earlier, _), (later, _) in pairwise(samples))


def _events_of(
    measure: Measure, baseline: Baseline, newest: Points, events: Points | None
) -> list[float] | None:
    """How many events there were, sample by sample; the usual ones where the rate itself is judged, so that a
    rate which falls to nothing is seen."""
    if measure is Measure.REQUEST_RATE:
        usual = PROFILES[measure].plain(baseline.median) * 2 * SAMPLE_SECONDS
        return [max(usual, value * 2 * SAMPLE_SECONDS) for _, value in newest]
    if events is None:
        return None
    known = dict(events)
    return [found if math.isfinite(found := known.get(instant, 0.0)) else 0.0 for instant, _ in newest]


def _mads(profile: Profile, baseline: Baseline, value: float, events: float | None) -> float:
    """How many MADs a value is off; chance alone moves a share of few events, by its binomial deviation."""
    least = profile.least_mad
    if profile.is_share and events:
        share = min(max(baseline.median, 1 / events), 1 - 1 / events)
        least = max(least, _NORMAL_MAD * math.sqrt(share * (1 - share) / events))
    return (profile.scaled(value) - baseline.median) / max(baseline.mad, least)


def explain(measure: Measure, reading: Reading) -> str:
    """`error ratio 4.1 %, usually 0.1 % to 0.3 % at this hour on working days, 14 MADs, for 3 samples`."""
    baseline = reading.baseline
    if baseline is None:
        return f"{measure.words}: no verdict, {reading.why}"
    usual = f"{_shown(measure, baseline.low)} to {_shown(measure, baseline.high)}"
    return (
        f"{measure.words} {_shown(measure, reading.value)}, usually {usual} {baseline.basis}"
        f" ({baseline.points} points), {abs(reading.mads):.0f} MADs, for {reading.samples} samples"
    )


def _shown(measure: Measure, value: float) -> str:
    if measure is Measure.REQUEST_RATE:
        return f"{value:.3g}/s"
    if measure is Measure.LATENCY:
        return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"
    # below 9.95 % both have one decimal: what is 10 % but for the last bit reads as 10 % does
    return f"{value * 100:.2g} %" if value < 0.0995 else f"{value * 100:.1f} %"
