"""A selector that takes nothing is no proof that nothing failed, and a value that no counter has is none."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.target import at_target
from maestro_cli.slo.objectives import Counters, ErrorRatio, Indicator, Queries
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import Told, every, objective, series, span

HOURS = span(240)
OK_POINTS = every(60, [100.0 * n for n in range(241)])
OK = series(OK_POINTS, code="200")
FAILED = series(every(60, [float(n) for n in range(241)]), code="503", instance="other", name="x_total")


def _measured(indicator: Indicator, *found: RawSeries, target: float = 0.999) -> Measured:
    outside = Outside(Told(found), HOURS.end + timedelta(hours=1))
    return measure(replace(objective(target), indicator=indicator), HOURS, outside)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ('r_total{code=~"5xx"}', "no code such as 200 is taken by code=~"),
        ('r_total{status="500"}', "no series of r_total has the label status"),
        ("errors_total", "errors_total has no series as long as samples are kept"),
        ('r_total{code="5000"}', "no code such as 200 is taken by"),
        ('r_total{code=~"5..",instance="b"}', "no instance such as a is taken by"),
    ],
    ids=["no code", "no label", "no metric", "too long", "nobody"],
)
def test_a_selector_that_can_take_nothing_passes_nothing(bad: str, why: str) -> None:
    found = _measured(Counters("r_total", bad=bad), OK)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.judgement.reason.startswith(why)
    assert (found.ratio, found.good, found.total, found.bounds, found.budget_left) == (None,) * 5
    assert at_target(found, 0.5).judgement.verdict is Verdict.INDETERMINATE


def test_a_service_that_never_failed_passes_and_it_is_said_that_no_failure_was_ever_counted() -> None:
    found = _measured(Counters("r_total", bad='r_total{code=~"5.."}'), OK)
    assert (found.judgement.verdict, found.ratio) == (Verdict.PASS, 1.0)
    assert found.notes == (
        'no series was ever counted as bad, as long as samples are kept: code=~"5.." (there is 200)',
    )


def test_what_another_service_counted_tells_that_the_selector_takes_failures() -> None:
    other = series(every(60, [float(n) for n in range(241)]), code="503", service="other")
    mine = RawSeries({**OK.labels, "service": "mine"}, OK.times, OK.values)
    indicator = Counters('r_total{service="mine"}', bad='r_total{service="mine",code=~"5.."}')
    found = _measured(indicator, mine, other)
    assert (found.judgement.verdict, found.notes) == (Verdict.PASS, ())


@pytest.mark.parametrize("job", ['job="frud"', 'job=~"fraud-.*"', 'job!="fraud"'])
def test_failures_of_another_job_than_the_total_are_a_contradiction_and_pass_nothing(job: str) -> None:
    mine, failed = (
        RawSeries({**one.labels, "job": job}, one.times, one.values)
        for one, job in ((OK, "fraud"), (series(every(60, [1.0] * 241), code="503"), "pay"))
    )
    bad = f'r_total{{{job},code="500"}}'
    found = _measured(Counters('r_total{job="fraud"}', bad=bad), mine, failed)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.judgement.reason.startswith('the selectors contradict each other, job="fraud" and job')


def test_failures_of_another_metric_may_be_those_of_another_job() -> None:
    balancer = RawSeries({**OK.labels, "job": "balancer"}, OK.times, OK.values)
    counters = Counters('r_total{job="balancer"}', bad='x_total{job="app",code="500"}')
    app = RawSeries({**FAILED.labels, "job": "app"}, FAILED.times, FAILED.values)
    assert _measured(counters, balancer, app).judgement.verdict is Verdict.PASS


def test_a_value_of_any_length_is_shown_in_few_characters() -> None:
    long = series(OK_POINTS, code="L" * 100_000)
    (note,) = _measured(Counters("r_total", bad='r_total{code="x"}'), long).notes
    assert len(note) < 200


def test_good_events_that_nothing_counts_fail_nothing() -> None:
    found = _measured(Counters("r_total", good='r_total{outcome="ok"}'), OK)
    assert found.judgement.verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("value", [1e308, math.inf, math.nan, -1.0, 2.0**53], ids=str)
@pytest.mark.parametrize("many", [1, 241], ids=["once", "always"])
def test_a_value_that_no_counter_has_leaves_the_objective_open_with_its_series(
    value: float, many: int
) -> None:
    failed = series([*every(60, [value] * many), *every(60, [1.0] * (241 - many), 60.0 * many)], code="500")
    found = _measured(objective().indicator, OK, failed)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.judgement.reason.startswith('{__name__="r_total",code="500"')


@pytest.mark.parametrize("value", [math.inf, 1e308], ids=str)
def test_a_step_with_what_cannot_be_counted_is_not_covered(value: float) -> None:
    shares = series(every(300, [0.0] * 20 + [value] * 28, at=300), name="e")
    found = _measured(ErrorRatio("e[$window]"), shares)
    assert found.coverage == pytest.approx(20 / 48)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    both = [series(every(300, [5.0] * 48, at=300), maestro_part="total")]
    both.append(series(every(300, [math.nan] * 48, at=300), maestro_part="counted"))
    assert _measured(Queries("t[$window]", bad="b[$window]"), *both).judgement.reason == "no data"


def test_failures_without_any_traffic_are_no_time_without_traffic() -> None:
    both = [series(every(300, [0.0] * 48, at=300), maestro_part="total")]
    both.append(series(every(300, [2.0] * 48, at=300), maestro_part="counted"))
    assert _measured(Queries("t[$window]", bad="b[$window]"), *both).judgement.verdict is not Verdict.PASS


@pytest.mark.parametrize("how", ["descending", "shuffled", "twice"])
def test_samples_in_any_order_are_those_in_the_order_of_time(how: str) -> None:
    failed = series(every(60, [float(n // 9) for n in range(241)]), code="500")
    points = list(zip(OK.times, OK.values, strict=True))
    if how == "descending":
        points.reverse()
    elif how == "shuffled":
        points = points[100:] + points[:100]
    else:
        points = sorted([*points, *points[50:60]])
    mixed = RawSeries(OK.labels, [at for at, _ in points], [value for _, value in points])
    one, other = (_measured(objective().indicator, each, failed) for each in (OK, mixed))
    assert (one.good, one.total, one.bounds) == (other.good, other.total, other.bounds)


def test_what_is_exactly_the_target_is_kept_whatever_gaps_were_bridged() -> None:
    """7 of 7,000 a minute, with shares of gaps that no binary fraction is."""
    for length in (3, 7, 11):
        shown = [n for n in range(241) if not 100 <= n < 100 + length]
        total = series([(60.0 * n, 6993.0 * n) for n in shown], code="200")
        failed = series([(60.0 * n, 7.0 * n) for n in shown], code="500")
        found = _measured(objective().indicator, total, failed)
        assert found.judgement.verdict is Verdict.PASS, length
        assert found.budget_left == pytest.approx(1 - 1.0, abs=1e-9)
        assert f"{found.budget_left:.1%}" == "0.0%"
