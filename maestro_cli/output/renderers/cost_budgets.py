"""Budgets of money, and what a month will come to, as views; amounts are rounded here and nowhere before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import change_words, money
from maestro_cli.core.quantities import counted
from maestro_cli.output.money import amount_cell, known_amount
from maestro_cli.output.renderers.cost_words import hour_words, key_columns
from maestro_cli.output.strips import sparkline
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.budgets.causes import Difference
    from maestro_cli.cost.budgets.forecast import Forecast
    from maestro_cli.cost.budgets.model import BudgetReport, BudgetStanding, ExplainedAnomaly
    from maestro_cli.cost.budgets.outlook import Outlook, RowOutlook
    from maestro_cli.cost.budgets.spend import DaySpend

_SPARK_WIDTH = 62


def budgets_view(report: BudgetReport) -> Report:
    """Every budget of the month, with its verdict."""
    rows: Listing[BudgetStanding] = Listing(
        "cost-budgets-items/v1", budget_columns(report.currency), report.items, document=_item
    )
    fields = [("month", _month(report)), *_origin(report)]
    blocks: list[Fields | Listing[Any] | Lines] = [Fields(fields), rows]
    blocks += _notes(report)
    return Report("cost-budgets/v1", _document(report), tuple(blocks), rows=rows)


def budget_columns(currency: str) -> tuple[Column[BudgetStanding], ...]:
    return (
        Column("budget", lambda one: one.budget.name),
        Column("of", lambda one: str(one.budget.where) or "the whole bill", priority=3),
        Column(f"{currency} a month", lambda one: amount_cell(one.budget.amount), right=True, priority=2),
        Column(
            "spent", lambda one: amount_cell(one.standing.forecast.to_date.amount), right=True, priority=1
        ),
        Column("used", lambda one: _share(one.standing.used), right=True, priority=1),
        Column("burn", lambda one: _digits(one.standing.burn), right=True, priority=2),
        Column("forecast", lambda one: _interval(one.standing.forecast), right=True, priority=2),
        Column(
            "verdict",
            lambda one: one.standing.judgement.verdict.value,
            tone=lambda one: verdict_tone(one.standing.judgement.verdict.value),
            priority=1,
        ),
        Column("coverage", lambda one: f"{one.standing.judgement.coverage:.0%}", right=True, priority=3),
        Column("why", _why, priority=1, folds=True),
    )


def budget_view(report: BudgetReport) -> Report:
    """One budget: its month, its days, and those that were dear or cheap, with what made them so."""
    (one,) = report.items
    standing, found = one.standing, one.standing.forecast
    rows: list[tuple[str, object]] = [
        ("budget", f"{one.budget.name}: {money(one.budget.amount, report.currency)} a month"),
        ("of", f"{one.budget.where}" or "the whole bill"),
        ("owner", one.budget.owner or None),
        (
            "unused capacity",
            {"row": "not counted"}.get(one.budget.idle.value, f"shared by {one.budget.idle.value}"),
        ),
        ("month", _month(report)),
        ("verdict", standing.judgement.verdict.value),
        ("why", _why(one)),
        (
            "spent",
            f"{known_amount(found.to_date.amount) or 'not known'}, "
            f"{_share(standing.used) or 'not known'} of it",
        ),
        ("coverage", f"{found.to_date.coverage:.0%} of the month so far"),
        ("burn", _digits(standing.burn)),
        ("forecast", _interval(found)),
        ("how", _how(found)),
        ("runs out", standing.runs_out and hour_words(standing.runs_out)),
        *_origin(report),
    ]
    dear: Listing[ExplainedAnomaly] = Listing(
        "cost-budget-anomalies/v1",
        (
            Column("day", lambda day: day.anomaly.day.isoformat()),
            Column("cost", lambda day: amount_cell(day.anomaly.amount), right=True),
            Column("expected", lambda day: amount_cell(day.anomaly.expected), right=True),
            Column("deviations", lambda day: f"{day.anomaly.score:+.1f}", right=True, priority=3),
            Column("what differed", _causes, priority=1, folds=True),
        ),
        one.anomalies,
        document=_anomaly,
        empty=_no_anomaly(one),
    )
    blocks: list[Fields | Heading | Listing[Any] | Lines] = [Fields(rows)]
    blocks += [Lines(_days_line(one.days))]
    blocks += [Heading("Days that were dear or cheap"), dear, *_notes(report)]
    return Report(
        "cost-budget/v1", {**_document(report), "days": [_day(day) for day in one.days]}, tuple(blocks), dear
    )


def outlook_view(found: Outlook, limit: int) -> Report:
    """What the month comes to: in all, then the rows that will cost most."""
    allocation = found.allocation
    ordered = sorted(found.rows, key=lambda row: (-(row.forecast.total or 0.0), row.kind.value, row.keys))
    shown = ordered[:limit] if limit else ordered
    rows: Listing[RowOutlook] = Listing(
        "cost-forecast-rows/v1",
        (
            *key_columns(allocation.grouping),
            Column("spent", lambda row: amount_cell(row.forecast.to_date.amount), right=True, priority=1),
            Column("forecast", lambda row: _interval(row.forecast), right=True, priority=1),
            Column("a day", lambda row: amount_cell(row.forecast.per_day), right=True, priority=3),
            Column("not known", lambda row: row.forecast.reason or None, priority=3, folds=True),
        ),
        shown,
        document=lambda row: _row(row, allocation.grouping),
    )
    fields: list[tuple[str, object]] = [
        ("month", f"{found.whole.to_date.month} (UTC), {_elapsed(found.whole)} over"),
        ("spent", f"{allocation.currency} {known_amount(found.whole.to_date.amount) or 'not known'}"),
        ("coverage", f"{found.whole.to_date.coverage:.0%} of the month so far"),
        ("forecast", f"{allocation.currency} {_interval(found.whole) or 'not known'}"),
        ("how", _how(found.whole)),
        ("not known", found.whole.reason or None),
        ("of", allocation.where or None),
        ("prices", found.prices),
        ("record", found.digest or None),
    ]
    blocks: list[Fields | Listing[Any] | Lines] = [Fields(fields), Lines(_days_line(found.days)), rows]
    if len(shown) < len(found.rows):
        blocks.append(Lines(f"{counted(len(found.rows) - len(shown), 'more row')}: --limit 0 shows all"))
    blocks += [Lines(f"no price for {text}: amounts are lower bounds") for text in allocation.unpriced]
    document = {
        "cluster": allocation.cluster,
        "currency": allocation.currency,
        "at": found.now,
        "month": str(found.whole.to_date.month),
        "by": list(allocation.grouping),
        "where": allocation.where,
        "total": _forecast(found.whole),
        "days": [_day(day) for day in found.days],
        "items": [_row(row, allocation.grouping) for row in ordered],
        "unpriced": list(allocation.unpriced),
        "prices": found.prices,
        "record": found.digest or None,
    }
    return Report("cost-forecast/v1", document, tuple(blocks), rows=rows)


def _document(report: BudgetReport) -> dict[str, Any]:
    return {
        "cluster": report.cluster,
        "currency": report.currency,
        "at": report.now,
        "since": report.since,
        "prices": report.prices,
        "record": report.digest or None,
        "items": [_item(one) for one in report.items],
        "unpriced": list(report.unpriced),
        "notes": list(report.notes),
    }


def _item(one: BudgetStanding) -> dict[str, Any]:
    standing, budget = one.standing, one.budget
    return {
        "budget": budget.name,
        "amount": budget.amount,
        "currency": budget.currency,
        "where": str(budget.where),
        "idle": "none" if budget.idle.value == "row" else budget.idle.value,
        "owner": budget.owner,
        "origin": budget.origin,
        "month": str(standing.forecast.to_date.month),
        "used": standing.used,
        "burn": standing.burn,
        "warned_of": standing.crossed,
        "warn": list(budget.warn),
        "forecast": _forecast(standing.forecast),
        "forecast_over": standing.forecast_over,
        "runs_out": standing.runs_out,
        "verdict": standing.judgement.verdict.value,
        "coverage": standing.judgement.coverage,
        "reason": standing.judgement.reason,
        "judged_days": one.judged_days,
        "anomalies": [_anomaly(day) for day in one.anomalies],
    }


def _forecast(found: Forecast) -> dict[str, Any]:
    return {
        "spent": found.to_date.amount,
        "coverage": found.to_date.coverage,
        "unmeasured_days": found.to_date.unmeasured_days,
        "total": found.total,
        "low": found.low,
        "high": found.high,
        "probability": found.probability,
        "per_day": found.per_day,
        "days_left": found.days_left,
        "whole_days": found.whole_days,
        "by_weekday": found.by_weekday,
        "reason": found.reason,
    }


def _anomaly(day: ExplainedAnomaly) -> dict[str, Any]:
    found = day.anomaly
    return {
        "day": found.day.isoformat(),
        "amount": found.amount,
        "expected": found.expected,
        "excess": found.excess,
        "score": found.score,
        "reference": found.reference.isoformat(),
        "repriced": day.repriced,
        "explained": day.explained,
        "differences": [
            {
                "workload": one.keys[0],
                "kind": one.kind.value,
                "way": one.way.value,
                "amount": one.amount,
                "of_price": one.of_price,
                "components": {component.value: amount for component, amount in one.components.items()},
                "happenings": [
                    {"at": event.at, "what": event.what, "ref": event.ref} for event in one.happenings
                ],
            }
            for one in day.differences
        ],
    }


def _row(row: RowOutlook, grouping: Sequence[str]) -> dict[str, Any]:
    keys = dict(zip(grouping, row.keys, strict=True))
    return {"keys": keys, "kind": row.kind.value, **_forecast(row.forecast)}


def _day(day: DaySpend) -> dict[str, Any]:
    return {"day": day.day.isoformat(), "amount": day.amount, "coverage": day.coverage, "over": day.over}


def _causes(day: ExplainedAnomaly) -> str:
    if not day.differences:
        return "the day that it is compared with is not in the window"
    told = "; ".join(_difference(one) for one in day.differences)
    against = f" (against {day.anomaly.reference.isoformat()}"
    if day.explained is not None:
        against += f"; these are {day.explained:.0%} of the difference"
    return told + against + ("; other prices held)" if day.repriced else ")")


def _difference(one: Difference) -> str:
    name = one.keys[0] or one.kind.value
    text = f"{name} {one.way.value} {change_words(one.amount)}"
    if one.of_price:
        text += f", of which {change_words(one.of_price)} by price"
    done = ", ".join(f"{event.what} at {event.at:%m-%d %H:%M} UTC ({event.ref})" for event in one.happenings)
    return f"{text} [{done}]" if done else text


def _no_anomaly(one: BudgetStanding) -> str:
    if not one.judged_days:
        return "no day had fourteen before it to be judged by: --history 28d, as far as Prometheus remembers"
    return f"none of {counted(one.judged_days, 'day')} of the month that could be judged"


def _why(one: BudgetStanding) -> str:
    standing = one.standing
    parts = [standing.judgement.reason]
    if standing.crossed is not None and standing.crossed < 1:
        parts.append(f"past {standing.crossed:.0%}")
    if standing.forecast_over and standing.used is not None and standing.used <= 1:
        left = f", on {standing.runs_out:%m-%d}" if standing.runs_out is not None else ""
        parts.append(f"will be over{left}")
    if one.anomalies:
        parts.append(f"{counted(len(one.anomalies), 'unusual day')}")
    return "; ".join(parts)


def _how(found: Forecast) -> str | None:
    if found.per_day is None:
        return None
    week = ", each day left by its weekday" if found.by_weekday else ""
    rate = f"{known_amount(found.per_day)} a day (mean of 7 days, the latest weigh most)"
    return f"{rate} × {found.days_left:.1f} days left{week}, from {counted(found.whole_days, 'whole day')}"


def _interval(found: Forecast) -> str | None:
    if found.total is None:
        return None
    if found.low is None or found.high is None:
        return f"{known_amount(found.total)}"
    span = f"{known_amount(found.low)} to {known_amount(found.high)}"
    return f"{known_amount(found.total)} ({span}, {found.probability:.0%})"


def _days_line(days: Sequence[DaySpend]) -> str:
    amounts = [day.amount / day.over if day.amount is not None and day.over > 0 else None for day in days]
    most = max((one for one in amounts if one is not None), default=0.0)
    if not amounts or not most > 0:
        return "no day was measured"
    shown = days[-_SPARK_WIDTH:]
    line = sparkline(amounts[-_SPARK_WIDTH:], _SPARK_WIDTH, 0.0, most)
    return f"{shown[0].day.isoformat()} {line} {shown[-1].day.isoformat()}, up to {known_amount(most)} a day"


def _month(report: BudgetReport) -> str:
    if not report.items:
        return f"{report.now:%Y-%m} (UTC)"
    found = report.items[0].standing.forecast
    return f"{found.to_date.month} (UTC), {_elapsed(found)} over"


def _elapsed(found: Forecast) -> str:
    return f"{1 - found.days_left / found.to_date.month.days:.0%}"


def _origin(report: BudgetReport) -> list[tuple[str, object]]:
    return [
        ("metered from", hour_words(report.since)),
        ("to", hour_words(report.now)),
        ("prices", f"{report.prices}, in {report.currency}"),
        ("record", report.digest or None),
    ]


def _notes(report: BudgetReport) -> list[Lines]:
    return [Lines("\n".join(report.notes))] if report.notes else []


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


def _digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
