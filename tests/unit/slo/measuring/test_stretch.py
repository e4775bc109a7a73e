"""What was spent while something went on: by events, over minutes that need not be over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.slo.measuring.stretch import Spent, spent_in
from maestro_cli.slo.objectives import Objective, Queries, Recovery
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import START, Told, every, objective, series

WEEK = objective(0.99, 7 * 86400.0)
BEGAN, ENDED = START + timedelta(minutes=10, seconds=20), START + timedelta(minutes=12, seconds=30)
SECONDS = 150.0  # from the minute in which it began
ALL = SECONDS / (7 * 86400.0 * 0.01)  # if every event had been bad


def scraped(bad_from: float = 0.0, bad_to: float = 0.0, until: float = 750.0) -> list[RawSeries]:
    """Ten events a second, scraped every five seconds; all of them bad in that time."""
    times = [5.0 * step for step in range(int(until // 5) + 1)]
    bad = [10.0 * min(max(at - bad_from, 0.0), bad_to - bad_from) for at in times]
    good = [10.0 * at - one for at, one in zip(times, bad, strict=True)]
    return [series(every(5, good), code="200"), series(every(5, bad), code="500")]


def spent(found: list[RawSeries], promise: Objective = WEEK, value: float | None = None) -> Spent:
    return spent_in(promise, BEGAN, ENDED, Told(found), lambda query: value)


def test_all_requests_bad_for_a_third_of_the_time_spend_a_third_of_what_all_of_it_could() -> None:
    found = spent(scraped(650, 700))
    assert found.share == pytest.approx(ALL / 3, rel=0.05)
    assert (found.why, found.seconds, found.coverage) == ("", SECONDS, 1.0)


def test_what_is_bad_in_the_minute_that_is_not_over_counts() -> None:
    assert spent(scraped(725, 750)).share == pytest.approx(ALL / 6, rel=0.05)


def test_what_was_bad_before_does_not_count() -> None:
    assert spent(scraped(100, 590)).share == 0.0


def test_errors_of_which_there_was_no_series_before_count_from_the_first() -> None:
    good, bad = scraped(640, 690)
    after = [index for index, at in enumerate(bad.times) if at >= START.timestamp() + 645]
    born = RawSeries(bad.labels, bad.times[after[0] :], bad.values[after[0] :])
    assert spent([good, born]).share == pytest.approx(ALL / 3, rel=0.05)


@pytest.mark.parametrize("found", [[], scraped(650, 700, until=500)], ids=["never", "no more"])
def test_what_nobody_scraped_is_not_known_and_never_zero(found: list[RawSeries]) -> None:
    told = spent(found)
    assert (told.share, told.why) == (None, "no data")


def test_without_traffic_nothing_is_known_either() -> None:
    idle = [series(every(5, [100.0] * 151), code="200")]
    assert (spent(idle).share, spent(idle).why) == (None, "no traffic")


def test_a_gap_is_in_the_bounds() -> None:
    """The scrapes of a minute and a half are missing, and the counters begin anew after it."""
    good, _ = scraped()
    kept = [(at - START.timestamp(), value) for at, value in zip(good.times, good.values, strict=True)]
    gap = [(at, value if at < 630 else value - 7000) for at, value in kept if not 630 <= at < 720]
    found = spent([series(gap, code="200"), series([(at, 0.0) for at, _ in gap], code="500")])
    assert (found.coverage or 1.0) < 1
    assert found.share == 0.0
    assert (found.high or 0.0) > 0


@pytest.mark.parametrize(("ratio", "share"), [(0.5, ALL / 2), (0.0, 0.0), (None, None)])
def test_what_only_promql_tells_is_asked_over_the_same_time(ratio: float | None, share: float | None) -> None:
    asked: list[str] = []

    def value(query: str) -> float | None:
        asked.append(query)
        return ratio

    promise = replace(WEEK, indicator=Queries("sum(rate(a[$window]))", bad="sum(rate(b[$window]))"))
    found = spent_in(promise, BEGAN, ENDED, Told([]), value)
    assert found.share == (None if share is None else pytest.approx(share))
    assert bool(found.why) is (share is None)
    assert "[150s]" in asked[0]


def test_what_no_metric_tells_has_no_share() -> None:
    assert spent([], replace(WEEK, indicator=Recovery("rto", 900.0))).why.startswith("no metric tells it")
