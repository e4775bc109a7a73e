"""Increments are exact, and what nobody saw is in the bounds."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import random
from array import array
from datetime import timedelta

import pytest

from maestro_cli.slo.measuring.counts import counts_of
from maestro_cli.slo.measuring.slices import Tally, ratio_of
from maestro_cli.slo.objectives import Method
from tests.unit.slo.measuring.told import START, every, piece, series, span


def test_a_counter_counts_what_it_goes_up() -> None:
    told = series(every(15, [100 + 2 * n for n in range(41)]))
    counts = counts_of([piece([told], 10)], span(10))
    assert sum(counts.total) == 78  # the last sample of the span is one step before its end
    assert list(counts.total[1:9]) == [8.0] * 8
    assert sum(counts.covered) == 10
    assert counts.unknown == {}


def test_after_a_reset_all_of_the_counter_counts_and_its_last_events_may_be_lost() -> None:
    told = series(every(15, [10, 20, 30, 40, 5, 15, 25, 35]))
    counts = counts_of([piece([told], 2)], span(2))
    assert sum(counts.total) == 30 + 5 + 30
    assert counts.resets == 1
    assert sum(counts.unknown.values()) > 10


def test_a_span_that_begins_between_two_samples_starts_from_the_one_before() -> None:
    told = series(every(60, [n * 10 for n in range(10)], at=-30))
    counts = counts_of([piece([told], 15, at=-300)], span(5))
    assert list(counts.total) == [10.0] * 5


def test_a_series_that_is_born_counts_from_nothing() -> None:
    total = series(every(15, list(range(40))))
    failed = series(every(15, [3, 4, 5], at=300), code="500")
    counts = counts_of([piece([total, failed], 10)], span(10))
    assert sum(counts.counted) == 5
    assert counts.births == 1


def test_a_counter_that_is_there_from_the_beginning_is_no_birth() -> None:
    counts = counts_of([piece([series(every(15, [900, 901, 902]))], 1)], span(1))
    assert sum(counts.total) == 2
    assert counts.births == 0


def test_a_new_target_with_a_long_life_behind_it_is_not_taken_as_born_and_its_past_is_unknown() -> None:
    old = series(every(15, list(range(40))))
    moved = series(every(15, [90_000 + n for n in range(20)], at=300), instance="b")
    counts = counts_of([piece([old, moved], 10)], span(10))
    assert sum(counts.total) == 39 + 19
    assert counts.doubted_births == 1
    assert counts.doubts[5].more_total == 90_000


def test_a_series_that_ends_before_the_span_may_have_counted_a_step_more() -> None:
    gone = series(every(15, list(range(20))))
    stays = series(every(15, list(range(40))), instance="b")
    counts = counts_of([piece([gone, stays], 10)], span(10))
    assert set(counts.unknown) == {5}
    assert all(counts.covered)


def test_a_gap_is_not_covered_and_what_happened_in_it_is_not_put_into_one_minute() -> None:
    points = [point for point in every(15, list(range(240))) if not 600 <= point[0] < 1200]
    counts = counts_of([piece([series(points)], 60)], span(60))
    assert counts.covered == bytes([1] * 10 + [0] * 10 + [1] * 40)
    assert sum(counts.total) == pytest.approx(239)
    assert max(counts.total) < 5
    assert set(counts.unknown) == set(range(10, 20))


def test_a_counter_that_goes_on_bridges_a_short_gap() -> None:
    points = [point for point in every(15, list(range(1000, 3400))) if not 600 <= point[0] < 900]
    counts = counts_of([piece([series(points)], 600)], span(600))
    assert sum(counts.covered) == 595
    assert counts.bridged_minutes == 5
    assert counts.unknown == {}


def test_a_reset_in_a_gap_bridges_nothing() -> None:
    points = [(at, value) for at, value in every(15, list(range(2400))) if at < 600]
    points += every(15, list(range(2340)), at=900)
    counts = counts_of([piece([series(points)], 600)], span(600))
    assert set(counts.unknown) >= set(range(10, 15))


def test_one_target_that_is_not_scraped_uncovers_the_minute() -> None:
    whole = series(every(15, list(range(80))))
    holed = series([p for p in every(15, list(range(80))) if not 300 <= p[0] < 600], instance="b")
    counts = counts_of([piece([whole, holed], 20)], span(20))
    assert [index for index, covered in enumerate(counts.covered) if not covered] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("step", [10.0, 15.0, 30.0, 60.0, 120.0], ids=lambda step: f"every {step:g} s")
def test_a_target_that_is_scraped_late_or_seldom_leaves_no_gap(step: float) -> None:
    jitter = random.Random(step)
    points = [(n * step + jitter.uniform(0, 0.4 * step), float(n)) for n in range(int(3600 / step))]
    counts = counts_of([piece([series(points)], 60)], span(60))
    assert sum(counts.covered) == 60


@pytest.mark.parametrize("seed", range(25))
def test_pieces_give_the_same_however_time_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    found = [_random_series(chance, f"i{number}") for number in range(3)]
    whole = counts_of([piece(found, 240)], span(240))
    cuts = sorted({0, 240, *(chance.randrange(1, 240) for _ in range(4))})
    parts = [piece(found, end - start, at=start * 60.0) for start, end in itertools.pairwise(cuts)]
    cut = counts_of(parts, span(240))
    assert sum(cut.total) == pytest.approx(sum(whole.total))
    assert sum(cut.counted) == pytest.approx(sum(whole.counted))
    assert cut.covered == whole.covered
    assert sum(cut.unknown.values()) == pytest.approx(sum(whole.unknown.values()), rel=0.2, abs=1)


@pytest.mark.parametrize("seed", range(25))
def test_the_ratio_is_within_its_bounds(seed: int) -> None:
    chance = random.Random(1000 + seed)
    found = [_random_series(chance, f"i{number}") for number in range(3)]
    tally = Tally(counts_of([piece(found, 240)], span(240)), counts_bad=True)
    for method in Method:
        ratio = ratio_of(tally, method, None)
        assert ratio.value is not None
        assert ratio.bounds is not None
        assert ratio.bounds.low - 1e-9 <= ratio.value <= ratio.bounds.high + 1e-9


def _random_series(chance: random.Random, instance: str):  # type: ignore[no-untyped-def]
    value, points = 0.0, []
    silent = 0
    for index in range(960):
        value += chance.randrange(5)
        if chance.random() < 0.003:
            value = float(chance.randrange(3))
        if chance.random() < 0.004:
            silent = chance.randrange(1, 60)
        silent -= 1
        if silent <= 0:
            points.append((index * 15 + 0.5, value))
    code = "500" if instance == "i0" else "200"
    return series(points, instance=instance, code=code)


def test_what_is_before_the_span_is_not_counted() -> None:
    told = series(every(15, list(range(80)), at=-300))
    counts = counts_of([piece([told], 20, at=-300)], span(5))
    assert sum(counts.total) == 20
    assert counts.start == START.timestamp()
    assert counts.minutes == timedelta(minutes=5).total_seconds() / 60


def test_what_a_target_counted_before_it_was_discovered_may_all_have_been_bad() -> None:
    """It served, and failed, for an hour of the span before anybody scraped it."""
    known = series(every(15, list(range(480))))
    failed = [series(every(15, [50_000.0 + n for n in range(240)], at=3600), instance="b", code="500")]
    served = [series(every(15, [60_000.0 + n for n in range(240)], at=3600), instance="b", code="200")]
    tally = Tally(counts_of([piece([known, *served, *failed], 120)], span(120)), counts_bad=True)
    bounds = ratio_of(tally, Method.OCCURRENCES, None).bounds
    assert bounds is not None
    assert bounds.low <= 1 - 50_000 / 111_000 <= bounds.high


def test_sums_are_rounded_once_so_that_every_python_gives_the_same() -> None:
    counts = counts_of([piece([series(every(60, [0.0, 0.0]))], 10)], span(10))
    counts.total[:] = array("d", [0.1] * 10)
    assert ratio_of(Tally(counts, counts_bad=True), Method.OCCURRENCES, None).total == math.fsum([0.1] * 10)
    assert functools.reduce(operator.add, [0.1] * 10) != math.fsum([0.1] * 10)


def test_of_what_nobody_saw_for_years_a_minute_costs_one_number_and_no_more() -> None:
    """Of five years there are 2.6 million minutes."""
    told = series(every(60, [5 * n for n in range(60)], at=59 * 3600))
    counts = counts_of([piece([told], 3600)], span(3600))
    assert len(counts.unknown) == 59 * 60
    assert len({id(many) for many in counts.unknown.values()}) == 1
    assert counts.unknown[0] == pytest.approx(5, rel=0.05)
    assert counts.loose == {}
