"""What PromQL's `increase` says of the same counters, beside what was summed from raw samples.

Invariant: a remark, never a verdict. `increase` extrapolates, and knows no first value of a series; what gaps
and resets leave open anyway is no difference.
"""

from __future__ import annotations

import math
from datetime import timedelta

from maestro_cli.core.promql import promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.measuring.adding import add_up
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.steps import PART
from maestro_cli.slo.measuring.window import MINUTE
from maestro_cli.slo.ports import RawMetrics

DIFFERENCE = 0.01  # of a count: more than extrapolating to the ends of days makes of it
_DAY_SECONDS = 86400


def cross_check(measured: Measured, metrics: RawMetrics) -> str:
    """One query, by whole days (or the whole span, if it is shorter); raises what the port raises."""
    counters, minutes = measured.objective.counters, measured.minutes
    step = min(_DAY_SECONDS, measured.measured.minutes * MINUTE)
    many = measured.measured.minutes * MINUTE // step if step else 0
    if counters is None or minutes is None or measured.ratio is None or not many:
        return "not compared with PromQL: nothing was summed from raw samples"
    if measured.bounds is None:
        return f"not compared with PromQL: {measured.judgement.reason}"
    parts = {"counted": counters.bad or counters.good, "total": counters.total}
    window = prometheus_duration(step)
    query = " or ".join(
        f'label_replace(sum(increase({selector}[{window}])), "{PART}", {promql_string(part)}, "", "")'
        for part, selector in parts.items()
    )
    start = measured.measured.start
    told = dict.fromkeys(parts, 0.0)
    for one in metrics.steps(query, start, start + timedelta(seconds=step * many), step):
        told[one.labels.get(PART, "")] = math.fsum(value for value in one.values if math.isfinite(value))
    end = step * many // MINUTE
    total, good = add_up(minutes.total[:end]), add_up(minutes.good[:end])
    bad = told["counted"] if counters.bad is not None else told["total"] - told["counted"]
    open_ = (measured.bounds.high - measured.bounds.low) * total
    return _compared(1 - measured.coverage, open_, (total - good, total), (bad, told["total"]))


def _compared(unseen: float, open_: float, own: tuple[float, float], other: tuple[float, float]) -> str:
    """Bad and all events, of both; `unseen` is a share of the time, `open_` how many events are not known."""
    allowed = DIFFERENCE * own[0] + open_ + 1, (DIFFERENCE + unseen) * own[1] + open_ + 1
    figures = f"{other[0]:.1f} bad of {other[1]:.1f}, and {own[0]:.0f} of {own[1]:.0f} were counted"
    if all(abs(one - two) <= most for one, two, most in zip(own, other, allowed, strict=True)):
        return f"PromQL agrees: increase() gives {figures}"
    return (
        f"PROMQL DIFFERS by more than 1 % and what was not seen: increase() gives {figures}; it knows no "
        "first value of a series"
    )
