"""How long events took: by bucket and hour, for pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest

from maestro_cli.output.renderers.explained import explain_view
from maestro_cli.output.views import Heading, Listing
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.distribution import Distribution, distribution_of
from maestro_cli.slo.measuring.keeping import Nowhere
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.window import month_span
from maestro_cli.slo.objectives import Latency
from tests.unit.slo.report.month import ANSWERS, ASKED_AT, BAD, FAST, SPAN, Strict, requests


def outside() -> Outside:
    return Outside(Strict(requests(*BAD)), ASKED_AT, Nowhere())


@pytest.fixture(scope="module")
def found() -> Distribution:
    told = distribution_of(FAST, SPAN, outside())
    assert told is not None
    return told


def test_every_hour_is_there_once_and_what_is_no_boundary_is_none(found: Distribution) -> None:
    assert found.ends == (0.05, 0.2, math.inf)
    hours = 31 * 24 + 1 - 24
    assert len(found.hours) == hours
    assert found.events == pytest.approx((11_520 * hours, 360 * hours, 120 * hours))
    assert found.total == pytest.approx(12_000 * hours)


def test_days_are_those_of_the_zone_and_one_without_an_answer_is_not_known(found: Distribution) -> None:
    days = dict(found.days(SPAN))
    assert len(days) == 31
    eighth, ninth, long = (days[date(2026, 10, day)] for day in (8, 9, 25))
    assert eighth is not None, "of it two hours are the seventh of UTC"
    assert math.fsum(eighth) == pytest.approx(2 * 12_000)
    assert ninth is not None
    assert math.fsum(ninth) == pytest.approx(22 * 12_000)
    assert long is not None
    assert math.fsum(long) == pytest.approx(25 * 12_000), "clocks went back"
    empty = replace(found, hours=())
    assert {counts for _, counts in empty.days(SPAN)} == {None}
    assert empty.total == 0


def test_a_quantile_in_the_last_bucket_is_a_lower_bound(found: Distribution) -> None:
    low, high = found.quantile(0.48), found.quantile(0.999)
    assert low is not None
    assert high is not None
    assert (low[0], high[0]) == pytest.approx((0.025, 0.2))
    assert (low[1], high[1]) == (False, True)


def test_no_hour_is_of_another_period_where_the_zone_is_off_by_half_an_hour() -> None:
    month = month_span("2026-10", "Asia/Kolkata")
    told = distribution_of(FAST, month, outside())
    assert told is not None
    assert told.hours[0][0] == month.start + timedelta(minutes=30)
    assert told.hours[-1][0] + timedelta(hours=1) <= month.end
    assert math.fsum(math.fsum(counts or ()) for _, counts in told.days(month)) == pytest.approx(told.total)


def test_only_what_has_buckets_and_is_over_is_asked_for() -> None:
    asked = outside()
    assert distribution_of(ANSWERS, SPAN, asked) is None
    native = replace(FAST, indicator=Latency("d_seconds", 0.1, native=True))
    assert distribution_of(native, SPAN, asked) is None
    early = replace(asked, now=SPAN.start + timedelta(minutes=40))
    assert distribution_of(FAST, SPAN, early) is None
    assert asked.metrics.asked == []  # type: ignore[attr-defined]


def test_what_a_latency_rests_on_has_a_row_a_bucket_beside_what_is_promised(found: Distribution) -> None:
    at_a_bucket = replace(found, threshold_seconds=0.2)
    told = explain_view(Kept(FAST, measure(FAST, SPAN, outside()), None, distribution=at_a_bucket))
    (heading,) = (one for one in told.blocks if isinstance(one, Heading) and "took" in one.text)
    assert heading.text.startswith(f"how long events of {FAST.name} took: ")
    (rows,) = (one for one in told.blocks if isinstance(one, Listing) and one.schema == "sla-durations/v1")
    cells = [[str(column.cell(row)) for column in rows.columns] for row in rows.items]
    assert [row[:2] for row in cells] == [["50 ms", "96.0 %"], ["200 ms", "3.0 %"], ["more", "1.0 %"]]
    assert [row[3] for row in cells] == ["", FAST.name, ""]
    assert cells[0][2].count("\u2588") == 30
    assert [one["within_seconds"] for one in told.document["durations"]["buckets"]] == [0.05, 0.2, None]


def test_what_was_not_measured_has_no_durations() -> None:
    assert explain_view(Kept(FAST, None, None)).document["durations"] is None
