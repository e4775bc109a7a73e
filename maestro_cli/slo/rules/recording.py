"""What Prometheus records of an objective: its error ratio over every window, and how its budget stands.

Invariant: the ratio over the whole period is weighted by events, as every other: a quiet night counts as
little as it has requests. A share of events that was never measured is not recorded, never zero.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.rules.naming import Names
from maestro_cli.slo.telling import telling_of

PERIOD_INTERVAL_SECONDS = 240.0  # below the five minutes after which Prometheus takes a sample as gone
_TOLD_NOW, _TOLD = "slo:counter_present:now", "slo:counter_present:period"
_DAY = 86400.0


def told_records(objective: Objective, names: Names) -> list[dict[str, Any]]:
    """Whether the counter of bad (or good) events is there, with its labels; none where nothing has to be
    there for no answer to count none.
    """
    telling = telling_of(objective.indicator)
    if not telling.may_be_none or not telling.now:
        return []
    return [_meta(_TOLD_NOW, telling.now, objective, names)]


def remembered_records(objective: Objective, names: Names) -> list[dict[str, Any]]:
    """Whether it was in the period, as `told_records` has it: reads all of them, so it is not asked often."""
    if not told_records(objective, names):
        return []
    period = prometheus_duration(objective.window_seconds)
    over_period = f"last_over_time({names.selector(_TOLD_NOW, objective)}[{period}])"
    return [_meta(_TOLD, over_period, objective, names)]


def ratio_record(objective: Objective, span_seconds: float, names: Names) -> dict[str, Any]:
    """The share of bad events over that long."""
    telling = telling_of(objective.indicator)
    either = " or ".join(names.selector(record, objective) for record in (_TOLD_NOW, _TOLD))
    told = telling.condition(f"({either})" if telling.now else "")
    return {
        "record": names.record(span_seconds),
        "expr": objective.error_ratio(prometheus_duration(span_seconds), grouping="", told=told),
        "labels": {**names.labels(objective), **names.spanning(span_seconds)},
    }


def bad_events(objective: Objective, span: str) -> str | None:
    """PromQL for how many events were bad over a range such as `5m`; None where only shares are told.

    Where no series of good events is there, all events were bad.
    """
    counters = objective.counters
    if counters is None:
        return None
    total, counted = (
        f"sum(increase({one}[{span}]))" for one in (counters.total, counters.good or counters.bad or "")
    )
    return f"({total} - ({counted} or 0 * {total}))" if counters.good is not None else counted


def burn_record(objective: Objective, span_seconds: float, names: Names) -> dict[str, Any]:
    """How many times too fast the budget is spent, over the shortest window."""
    expr = f"{names.ratio_of(objective, span_seconds)} / {objective.budget:.12g}"
    return _meta("slo:current_burn_rate:ratio", expr, objective, names)


def budget_records(objective: Objective, names: Names) -> list[dict[str, Any]]:
    """The whole period: its ratio, what was promised, and the share of the budget that is left.

    A record reads the one before it, so their order matters.
    """
    period = objective.window_seconds
    spent = "slo:period_burn_rate:ratio"
    found = [
        ratio_record(objective, period, names),
        _meta("slo:objective:ratio", f"vector({objective.target:.12g})", objective, names),
        _meta("slo:error_budget:ratio", f"vector({objective.budget:.12g})", objective, names),
        _meta("slo:time_period:days", f"vector({period / _DAY:.12g})", objective, names),
        _meta(
            spent, f"{names.ratio_of(objective, period)} / {objective.budget:.12g}", objective, names
        ),
        _meta(
            "slo:period_error_budget_remaining:ratio",
            f"1 - {names.selector(spent, objective)}", objective, names,
        ),
    ]  # fmt: skip
    return [*found, _info(objective, names)] if names.word == "sloth" else found


def _meta(record: str, expr: str, objective: Objective, names: Names) -> dict[str, Any]:
    return {"record": record, "expr": expr, "labels": names.labels(objective)}


def _info(objective: Objective, names: Names) -> dict[str, Any]:
    """What dashboards made for Sloth list objectives by."""
    info = _meta("sloth_slo_info", "vector(1)", objective, names)
    percent = f"{round(objective.target * 100, 10):.12g}"
    info["labels"] |= {"sloth_mode": "maestro", "sloth_objective": percent}
    return info
