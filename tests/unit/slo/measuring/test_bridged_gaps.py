"""A counter that goes on after a gap tells how much happened in it, and not when: generated lives of targets
that fail in bursts, measured with what is excluded and by slices."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import accumulate

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.counts import Counts, counts_of
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Bounds, Excluded
from maestro_cli.slo.measuring.slices import Tally, ratio_of
from maestro_cli.slo.objectives import Method, Slices
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import START, Told, every, objective, piece, series, span

MINUTES, LEAD = 600, 5
SLICE, GOOD_SLICE = 10, 0.95
SEEDS = range(40)


@dataclass
class Lived:
    """What happened in each minute (bad and all events, of every target), and what was seen of it."""

    bad: list[int]
    total: list[int]
    seen: list[RawSeries]

    @property
    def counts(self) -> Counts:
        return counts_of([piece(self.seen, MINUTES + LEAD, at=-60.0 * LEAD)], span(MINUTES))


def _live(seed: int) -> Lived:
    """Two targets scraped at the end of every minute, but for two gaps of one, which the other may share."""
    chance = random.Random(seed)
    gaps = [(low, low + chance.randrange(3, 13)) for low in (chance.randrange(580), chance.randrange(580))]
    found = Lived([0] * MINUTES, [0] * MINUTES, [])
    for instance in ("a", "b"):
        own = gaps if instance == "a" else gaps[: chance.randrange(3)]
        failing = [(low + chance.randrange(-3, 9), chance.randrange(1, 6)) for low, _ in gaps]
        minutes: list[tuple[int, int]] = []
        for minute in range(-LEAD, MINUTES):
            many = chance.choice((1, 20, 400))
            is_failing = any(low <= minute < low + length for low, length in failing)
            minutes.append((round(many * chance.uniform(0.3, 1)) if is_failing else 0, many))
            if minute >= 0:
                found.bad[minute] += minutes[-1][0]
                found.total[minute] += many
        for code, values in (("500", [b for b, _ in minutes]), ("200", [t - b for b, t in minutes])):
            points = every(60, list(accumulate(map(float, values))), at=59 - 60.0 * LEAD)
            points = [one for one in points if not any(60 * low <= one[0] < 60 * end for low, end in own)]
            found.seen.append(series(points, instance=instance, code=code))
    return found


def _holds(bounds: Bounds | None, truth: float) -> bool:
    return bounds is not None and bounds.low - 1e-9 <= truth <= bounds.high + 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happened_in_time_that_counts_is_within_the_adjusted_bounds(seed: int) -> None:
    lived, chance = _live(seed), random.Random(-1 - seed)
    kept = bytearray(b"\x01" * MINUTES)
    for low in [minute for minute in range(0, MINUTES, 5) if chance.random() < 0.3]:
        kept[low : low + 5] = bytes(5)
    tally = Tally(lived.counts, counts_bad=True, kept=bytes(kept))
    bad, total = (
        sum(n for n, is_kept in zip(of, kept, strict=True) if is_kept) for of in (lived.bad, lived.total)
    )
    found = ratio_of(tally, Method.OCCURRENCES, None)
    assert _holds(found.bounds, 1 - bad / total)
    assert found.value is not None
    assert _holds(found.bounds, found.value)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happened_in_each_slice_is_within_the_bounds_of_slices(seed: int) -> None:
    lived = _live(seed)
    tally = Tally(lived.counts, counts_bad=True)
    slices = Slices(60.0 * SLICE, GOOD_SLICE)
    truth = [
        1 - sum(lived.bad[low : low + SLICE]) / sum(lived.total[low : low + SLICE])
        for low in range(0, MINUTES, SLICE)
    ]
    mean = sum(truth) / len(truth)
    judged = sum(one >= GOOD_SLICE for one in truth) / len(truth)
    assert _holds(ratio_of(tally, Method.RATIO_TIMESLICES, slices).bounds, mean)
    assert _holds(ratio_of(tally, Method.TIMESLICES, slices).bounds, judged)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_a_whole_gap_all_is_known(seed: int) -> None:
    lived = _live(seed)
    found = ratio_of(Tally(lived.counts, counts_bad=True), Method.OCCURRENCES, None)
    assert _holds(found.bounds, 1 - sum(lived.bad) / sum(lived.total))
    if (
        lived.counts.bridges
        and min(one.first for one in lived.counts.bridges) >= 0
        and not lived.counts.unknown
    ):
        assert found.bounds is not None
        assert found.bounds.low == found.bounds.high


def test_maintenance_that_ends_within_a_gap_leaves_open_what_failed_after_it() -> None:
    """Nobody looks from 02:00 to 04:30; maintenance ends at 04:00; from 04:10 on all fail for 15 minutes."""
    steps = range(60 * 24 * 4)
    shown = [step for step in steps if not 120 <= step < 270]
    total = [(60.0 * step, 100.0 * (1440 + step)) for step in shown]
    failed = [(60.0 * step, 100.0 * min(max(step - 250, 0), 15)) for step in shown]
    night = Excluded(START + timedelta(hours=2), START + timedelta(hours=4), "night")
    told, over = Told([series(total, code="200"), series(failed, code="500")]), span(60 * 24 * 4)
    goal = replace(objective(0.9975), window_seconds=over.seconds)
    found = measure(goal, over, Outside(told, over.end + timedelta(hours=1)), (night,))
    assert found.bounds is not None
    assert found.bounds.low == found.bounds.high
    assert found.adjusted is not None
    assert found.adjusted.bounds is not None
    assert found.adjusted.judgement.verdict is Verdict.INDETERMINATE
    assert found.adjusted.bounds.low <= 1 - 1500 / (100 * (len(steps) - 120)) <= found.adjusted.bounds.high
