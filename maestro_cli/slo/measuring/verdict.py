"""Whether an objective is met. Invariant: only what holds whatever was not seen is PASS or FAIL."""

from __future__ import annotations

import math

from maestro_cli.core.verdict import Judgement, Verdict
from maestro_cli.slo.measuring.slices import Ratio
from maestro_cli.slo.objectives import Objective

FEWEST_BAD = 10.0  # so many bad events should fit into the budget before a ratio says much
_Z = 1.959964  # 95 %


def judge_ratio(ratio: Ratio, target: float) -> Judgement:
    """PASS if even the low bound reaches the target, FAIL if not even the high one does."""
    if ratio.is_impossible:
        return _open(ratio, "more good events than events: the queries do not count the same")
    if ratio.value is None or ratio.bounds is None:
        return _open(ratio, "no traffic" if ratio.covered_minutes else "no data")
    low, high, value = ratio.bounds.low, ratio.bounds.high, ratio.value
    seen = f"{percent(value)} of {percent(target)}"
    if low >= target:
        return Judgement(Verdict.PASS, ratio.coverage, seen, value)
    if high < target:
        return Judgement(Verdict.FAIL, ratio.coverage, seen, value)
    why = f"{seen}; what was not seen leaves {percent(low)} to {percent(high)}"
    return Judgement(Verdict.INDETERMINATE, ratio.coverage, why, value)


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


def percent(ratio: float) -> str:
    """As many digits as tell it from 100 %: `99.95 %`, `99.9993 %`."""
    away = abs(1 - ratio)
    digits = 2 if away <= 0 or away >= 0.001 else min(2 - math.floor(math.log10(away * 100)), 9)
    return f"{ratio * 100:.{max(digits, 2)}f} %"


def _open(ratio: Ratio, why: str) -> Judgement:
    return Judgement(Verdict.INDETERMINATE, ratio.coverage, why, ratio.value)
