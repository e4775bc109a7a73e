"""Whether an objective is met. Invariant: only what holds whatever was not seen is PASS or FAIL."""

from __future__ import annotations

import math

from maestro_cli.core.quantities import counted
from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.slo.measuring.model import Bounds, Measured
from maestro_cli.slo.measuring.slices import ROUNDING, Ratio, minute_target
from maestro_cli.slo.objectives import Objective

FEWEST_BAD = 10.0  # so many bad events should fit into the budget before a ratio says much
_Z = 1.959964  # 95 %
_DIGITS = 9  # of a percentage, at most: more is not in a float


def judge_ratio(ratio: Ratio, target: float, why_open: str = "", *, is_bracketed: bool = False) -> Judgement:
    """PASS if even the low bound reaches the target, FAIL if not even the high one does.

    `why_open` is why nothing may be stated, whatever was counted. Where `is_bracketed`, the ratio is known by
    its bounds alone.
    """
    if why_open:
        return _open(ratio, why_open)
    if ratio.is_impossible:
        return _open(ratio, "more good events than events: the queries do not count the same")
    if ratio.value is None or ratio.bounds is None:
        return _open(ratio, "no traffic" if ratio.covered_minutes else "no data")
    return judge_bounds(None if is_bracketed else ratio.value, ratio.bounds, ratio.coverage, target)


def reaches(ratio: float, target: float) -> bool:
    """Whether it is at least the target, but for what adding up rounds."""
    return ratio >= target - ROUNDING


def judge_bounds(value: float | None, bounds: Bounds, coverage: float, target: float) -> Judgement:
    """By what holds at both ends; without a value they are those of the buckets beside a threshold."""
    between = f"{percent(bounds.low, target)} to {percent(bounds.high, target)}"
    seen = f"{between if value is None else percent(value, target)} of {percent(target, value)}"
    if reaches(bounds.low, target):
        return Judgement(Verdict.PASS, coverage, seen, value)
    if not reaches(bounds.high, target):
        return Judgement(Verdict.FAIL, coverage, seen, value)
    why = f"{seen}; " + ("no bucket tells" if value is None else f"what was not seen leaves {between}")
    return Judgement(Verdict.INDETERMINATE, coverage, why, value)


def wilson(good: float, total: float) -> tuple[float, float]:
    """The interval that holds the true ratio with 95 %. Raises ValueError without events."""
    if total <= 0:
        raise ValueError("no events")
    share, square = min(max(good / total, 0.0), 1.0), _Z * _Z
    middle = share + square / (2 * total)
    width = _Z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    scale = 1 + square / total
    return max((middle - width) / scale, 0.0), min((middle + width) / scale, 1.0)


def notes_on(ratio: Ratio, objective: Objective) -> list[str]:
    """What has to be known of a ratio besides its bounds."""
    found = []
    if ratio.is_clamped:
        found.append("a little more good events than events were counted: taken as 100 %")
    if ratio.idle_slices:
        found.append(f"{ratio.idle_slices} slices had no traffic and are not judged")
    if 0 < ratio.total * objective.budget < FEWEST_BAD:
        low, high = wilson(ratio.good, ratio.total)
        found.append(
            f"little traffic: {ratio.total:.0f} events allow {ratio.total * objective.budget:.2g} bad ones; "
            f"the true ratio is {percent(low)} to {percent(high)} with 95 %"
        )
    return found


def percent(ratio: float, beside: float | None = None) -> str:
    """As many digits as tell it from 100 %, and from what stands beside it: `99.8996 %` of 99.9 %."""
    away = abs(1 - ratio) * 100
    digits = 2 if away <= 0 or away >= 0.1 else min(2 - math.floor(math.log10(away)), _DIGITS)
    if beside is not None and beside != ratio:
        fitting = range(digits, _DIGITS)
        digits = next((n for n in fitting if f"{ratio * 100:.{n}f}" != f"{beside * 100:.{n}f}"), _DIGITS)
    whole, _, rest = f"{ratio * 100:.{digits}f}".partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')} %"


def bad_minutes_words(measured: Measured) -> str:
    """`12 minutes with less than 99.9 % good`; "" where that is not known."""
    if measured.bad_minutes is None:
        return ""
    minutes = counted(measured.bad_minutes, "minute")
    return f"{minutes} with less than {percent(minute_target(measured.objective))} good"


def _open(ratio: Ratio, why: str) -> Judgement:
    return Judgement(Verdict.INDETERMINATE, ratio.coverage, why, ratio.value)
