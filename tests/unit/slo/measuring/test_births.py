"""The first value of a series counts where it certainly happened in the span, and is a doubt elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.counts import Counts, counts_of
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL
from maestro_cli.slo.measuring.samples import piece_of
from maestro_cli.slo.measuring.slices import Tally, ratio_of
from maestro_cli.slo.objectives import Method
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import T0, Told, every, objective, piece, series, span

MINUTES = 120
LATER = 3600.0  # when the target comes that was not scraped before
SPAN = span(MINUTES)
STEADY = series(every(15, [50.0 * n for n in range(4 * MINUTES)]), code="200")


def _came(code: str, first: float, rate: float, at: float = LATER, instance: str = "b") -> RawSeries:
    """A series that comes with this value and goes up by the rate a scrape."""
    many = int((MINUTES * 60 - at) / 15)
    return series(every(15, [first + rate * n for n in range(many)], at=at), instance=instance, code=code)


def _bad_share(counts: Counts) -> tuple[float, float]:
    bounds = ratio_of(Tally(counts, counts_bad=True), Method.OCCURRENCES, None).bounds
    assert bounds is not None
    return 1 - bounds.high, 1 - bounds.low


def _counts(*found: RawSeries) -> Counts:
    return counts_of([piece(found, MINUTES)], SPAN)


def test_a_series_that_comes_a_scrape_after_its_old_target_is_as_old_as_that_may_be() -> None:
    """12,000 failures of days in which nobody looked are none of this span for sure, nor none for sure."""
    counts = _counts(STEADY, _came("200", 1e6, 15.0), _came("500", 12_000.0, 0.0, at=LATER + 15))
    assert sum(counts.counted) == 0
    low, high = _bad_share(counts)
    assert low == 0
    assert high > 12_000 / (sum(counts.total) + 12_000) - 1e-9
    assert counts.doubted_births == 2


def test_more_than_a_target_can_have_counted_in_a_scrape_is_a_doubt_whenever_it_comes() -> None:
    counts = _counts(STEADY, series(every(15, [90_000.0] * 100, at=3000), code="500"))
    assert (_bad_share(counts)[0], counts.doubted_births) == (0, 1)
    busy = _counts(STEADY, series(every(15, [40.0] * 100, at=3000), code="500"))
    assert (sum(busy.counted), busy.doubted_births) == (40, 0)


def test_a_small_value_beside_a_large_one_of_the_same_process_is_as_old_as_that() -> None:
    counts = _counts(STEADY, _came("200", 1e6, 15.0), _came("500", 8.0, 0.0))
    assert sum(counts.counted) == 0
    assert _bad_share(counts)[1] > 8 / (sum(counts.total) + 8) - 1e-9


def test_a_process_that_has_just_begun_counts_from_nothing() -> None:
    counts = _counts(STEADY, _came("200", 60.0, 15.0), _came("500", 8.0, 0.0), _came("503", 2.0, 0.0, 3900))
    assert sum(counts.counted) == 8
    assert (counts.births, counts.doubted_births, dict(counts.doubts)) == (3, 0, {})


def test_a_series_that_is_born_while_nobody_looks_at_its_target_is_of_that_gap() -> None:
    points = [
        (at, value) for at, value in every(15, [50.0 * n for n in range(400, 880)]) if not 600 <= at < 960
    ]
    born = series(every(15, [300.0] * 400, at=960), code="500")
    counts = _counts(series(points, code="200"), born)
    (bridge,) = counts.bridges
    assert (bridge.first, bridge.end, bridge.counted) == (9, 17, 300)
    assert list(counts.counted[10:16]) == [50.0] * 6
    assert sum(counts.counted) == pytest.approx(300)


def _of_two_metrics(*found: RawSeries) -> tuple[float, float]:
    """The share of bad events at least and at most, where failures are counted by a metric of their own."""

    def roles(labels: Mapping[str, str]) -> int:
        return COUNTED if labels.get("code") == "500" else TOTAL

    return _bad_share(counts_of([piece_of(found, roles, SPAN.start, SPAN.end)], SPAN))


def test_failures_of_another_metric_that_may_be_older_are_none_or_all_of_what_was_counted() -> None:
    low, high = _of_two_metrics(STEADY, _came("200", 1e6, 15.0), _came("500", 5000.0, 0.0, at=LATER + 15))
    assert low == 0
    assert high > 5000 / 34_000 - 1e-9


@pytest.mark.parametrize("minutes", [3, 60], ids=["short", "long"])
def test_where_failures_are_counted_elsewhere_and_not_seen_all_that_was_counted_may_have_failed(
    minutes: int,
) -> None:
    """The load balancer counts requests, and the application, which cannot be scraped, failures."""
    low, high = 1800.0, 1800.0 + 60 * minutes
    points = every(15, [float(n // 20) for n in range(480)])
    seen = series([one for one in points if not low <= one[0] < high], instance="app", code="500")
    least, most = _of_two_metrics(STEADY, seen)
    assert least <= 23 / (50 * 479)
    assert most > minutes * 200 / (50 * 479) * 0.9


@dataclass
class WithStarts(Told):
    """Also knows when the process of `b` began, in seconds after START."""

    began: float | None = None

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float):  # type: ignore[no-untyped-def]
        self.asked.append((promql, start, end))
        if "process_start_time_seconds" in promql and self.began is not None:
            hours = [T0 + 3600.0 * n for n in range(-1, MINUTES // 60 + 1)]
            times = [at for at in hours if start.timestamp() < at <= end.timestamp() and at > T0 + LATER]
            yield RawSeries({"job": "api", "instance": "b"}, times, [T0 + self.began] * len(times))


@pytest.mark.parametrize(
    ("began", "counted"), [(-86_400.0, 0), (60.0, 12_000), (None, 0)], ids=["before", "within", "unknown"]
)
def test_a_process_that_says_when_it_began_tells_whether_its_first_values_count(
    began: float | None, counted: int
) -> None:
    found = [STEADY, _came("200", 3e4, 15.0), _came("500", 12_000.0, 0.0)]
    told = WithStarts(
        [RawSeries({**one.labels, "job": "api"}, one.times, one.values) for one in found], began=began
    )
    measured = measure(objective(0.8), SPAN, Outside(told, SPAN.end))
    assert measured.total is not None
    assert measured.good is not None
    assert measured.total - measured.good == counted
    assert measured.judgement.verdict is (Verdict.PASS if counted else Verdict.INDETERMINATE)
    assert [p for p, *_ in told.asked if "process_start" in p] == [
        'min_over_time({__name__="process_start_time_seconds",job=~"api"}[1h])'
    ]


def test_a_small_first_value_of_a_process_that_began_before_is_a_doubt() -> None:
    """Its rate alone would tell it young: it was idle for days."""
    found = [STEADY, _came("200", 100.0, 15.0), _came("500", 9.0, 0.0)]
    told = WithStarts(
        [RawSeries({**one.labels, "job": "api"}, one.times, one.values) for one in found], began=-86_400.0
    )
    measured = measure(objective(), SPAN, Outside(told, SPAN.end))
    assert measured.bounds is not None
    assert measured.bounds.low < measured.bounds.high == 1


def test_a_young_exporter_in_front_of_an_old_counter_counts_nothing_of_what_was_before() -> None:
    """It began a minute ago; what it shows was counted by a database for months, and fails now."""
    found = [_came("200", 5e8, 750.0), _came("500", 1e5, 75.0)]
    told = WithStarts(
        [RawSeries({**one.labels, "job": "api"}, one.times, one.values) for one in (STEADY, *found)],
        began=LATER - 60,
    )
    measured = measure(objective(0.999), SPAN, Outside(told, SPAN.end))
    assert measured.total is not None
    assert measured.total < 50 * 480 + 825 * 240
    assert measured.judgement.verdict is Verdict.INDETERMINATE
