"""Where slices of time are judged, budgets are spent by slices, not by the events that were in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.target import days_in, spent_at
from maestro_cli.slo.objectives import Method, Slices
from maestro_cli.slo.report.model import METHOD, OF_SLICES, Line, SlaReport
from maestro_cli.slo.report.pictures import pictures_in
from maestro_cli.slo.report.shapes import budget_curve, days, spent_between, worst_hours
from maestro_cli.slo.report.text import report_markdown
from tests.unit.slo.measuring.told import START, Told, every, objective, series, span
from tests.unit.slo.report.month import ANSWERS, inputs, reported

DAY = span(1440)
HOUR = timedelta(hours=1)


def night(step: int) -> bool:
    return step < 60


def summed(rate: Callable[[int], float]) -> list[float]:
    found = [0.0]
    for step in range(1440):
        found.append(found[-1] + rate(step))
    return found


def measured(method: Method, slices: Slices | None = Slices(300.0, 0.95)) -> Measured:
    """Two events a minute in the first hour, half of them bad; a thousand a minute by day, all good."""
    ok = series(every(60, summed(lambda step: 1 if night(step) else 1000)), code="200")
    bad = series(every(60, summed(lambda step: 1 if night(step) else 0)), code="500")
    goal = replace(objective(0.99), method=method, slices=slices)
    return measure(goal, DAY, Outside(Told([ok, bad]), DAY.end + HOUR))


@pytest.mark.parametrize("method", [Method.TIMESLICES, Method.RATIO_TIMESLICES])
@pytest.mark.parametrize("slices", [Slices(300.0, 0.95), Slices(420.0, 0.95), None], ids=str)
def test_every_shape_spends_what_the_budget_lost(method: Method, slices: Slices | None) -> None:
    found = measured(method, slices)
    assert found.budget_consumed is not None
    assert found.budget_consumed > 1
    assert budget_curve(found)[-1][1] == pytest.approx(found.budget_left)
    assert spent_between(found, START, DAY.end) == pytest.approx(found.budget_consumed)
    assert sum(day.spent or 0.0 for day in days_in(found)) == pytest.approx(found.budget_consumed)
    at = spent_at(found)
    assert at is not None
    assert START < at < START + HOUR


def test_the_worst_hour_has_its_slices_and_not_its_events() -> None:
    ((hour, share),) = worst_hours(measured(Method.TIMESLICES))
    assert hour.start == START
    assert [hour.bad, hour.total] == pytest.approx([12, 12])
    assert share == pytest.approx(12 / 288 / 0.01)
    (day,) = days(measured(Method.TIMESLICES))
    assert day.shares[0] == pytest.approx(1.0)
    assert day.shares[1:] == (0.0,) * 23


def test_by_events_the_same_night_costs_nothing_worth_a_word() -> None:
    found = measured(Method.OCCURRENCES)
    assert budget_curve(found)[-1][1] > 0.99
    assert spent_at(found) is None


def test_a_slice_without_events_spends_nothing_and_allows_nothing() -> None:
    ok = series(every(60, [float(min(step, 600)) for step in range(1441)]), code="200")
    bad = series(every(60, [float(min(step, 60)) for step in range(1441)]), code="500")
    goal = replace(objective(0.5), method=Method.TIMESLICES, slices=Slices(300.0, 0.95))
    found = measure(goal, DAY, Outside(Told([ok, bad]), DAY.end + HOUR))
    assert found.ratio == pytest.approx(1 - 12 / 120, abs=0.01)
    assert budget_curve(found)[-1][1] == pytest.approx(found.budget_left)


def test_a_report_says_what_its_figures_are_of() -> None:
    sliced = replace(ANSWERS, method=Method.TIMESLICES, slices=Slices(300.0, 0.95))
    told = [reported(inputs(objectives=(one,)))[0] for one in (ANSWERS, sliced)]
    assert [one.method for one in told] == [METHOD, METHOD + OF_SLICES]
    assert [_words(one) for one in told] == [
        ("Bad events by hour and day", True, False),
        ("Bad slices by hour and day", False, True),
    ]


def _words(report: SlaReport) -> tuple[str, bool, bool]:
    line: Line = report.lines[0]
    text = report_markdown(report)
    return dict(pictures_in(line))["hours"], "bad | events" in text, "bad | slices" in text
