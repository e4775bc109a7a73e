"""A bucket that is written otherwise or is not there for a while is not one in which nothing was counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.objectives import Latency
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import Told, every, objective, series, span

DAY_MINUTES = 1440
DAY = span(DAY_MINUTES)
ALWAYS = range(DAY_MINUTES + 1)
SHARES = {0.05: 0.5, 0.1: 0.97, 0.2: 0.99}  # of the events that are as fast


def _counter(share: float, when: range, **labels: str) -> RawSeries:
    """100 events a minute of the day, this share of them, seen while it is there."""
    return series(every(60, [100 * share * step for step in when], at=60.0 * when.start), **labels)


def _histogram(spell: Callable[[float], str], when: range = ALWAYS, instance: str = "a") -> list[RawSeries]:
    """Buckets that are there all day but for the one of 0.1, which is there `when`."""
    found = [_counter(1.0, ALWAYS, name="h_count", instance=instance)]
    for bound, share in SHARES.items():
        times = when if bound == 0.1 else ALWAYS
        found.append(_counter(share, times, name="h_bucket", instance=instance, le=spell(bound)))
    return found


def _measured(found: list[RawSeries], target: float = 0.95, kind: Latency | None = None) -> Measured:
    goal = replace(objective(target), indicator=kind or Latency("h", 0.1))
    return measure(goal, DAY, Outside(Told(found), DAY.end + timedelta(hours=1)))


@pytest.mark.parametrize(
    "spell", [lambda bound: f"{bound:.2f}", lambda bound: f"{bound:.1E}"], ids=["0.10", "1.0E-01"]
)
def test_a_boundary_in_another_spelling_is_the_same_boundary(spell: Callable[[float], str]) -> None:
    found = _measured(_histogram(spell))
    assert found.ratio == pytest.approx(0.97)
    assert found.judgement.verdict is Verdict.PASS
    assert found.notes == ()


def test_two_ways_to_write_a_boundary_are_counted_together() -> None:
    found = _measured([*_histogram(str), *_histogram("{:.2f}".format, instance="b")])
    assert found.ratio == pytest.approx(0.97)
    assert found.total == 2 * 100 * (DAY_MINUTES - 1)


@pytest.mark.parametrize(
    "when", [range(720), range(720, DAY_MINUTES + 1)], ids=["dropped at noon", "added at noon"]
)
def test_time_without_the_bucket_is_unknown_and_not_bad(when: range) -> None:
    found = _measured(_histogram(str, when))
    assert found.ratio == pytest.approx(0.97)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.coverage == pytest.approx(0.5, abs=0.01)
    assert found.bounds is not None
    assert found.bounds.low < 0.5
    assert found.bounds.high > 0.98
    assert "for 12h" in found.notes[0] or "for 11h59m" in found.notes[0] or "for 12h01m" in found.notes[0]


def test_a_bucket_that_is_away_for_minutes_leaves_the_rest_of_the_day() -> None:
    away = [point for point in every(60, [97.0 * n for n in ALWAYS]) if not 36_000 <= point[0] < 36_600]
    found = [one for one in _histogram(str) if one.labels.get("le") != "0.1"]
    answer = _measured([*found, series(away, name="h_bucket", le="0.1")], target=0.96)
    assert answer.ratio == pytest.approx(0.97)
    assert answer.judgement.verdict is Verdict.PASS
    assert answer.coverage == pytest.approx(1 - 12 / DAY_MINUTES)


def test_a_histogram_without_any_bucket_says_nothing() -> None:
    found = _measured([_counter(1.0, ALWAYS, name="h_count")])
    assert (found.ratio, found.judgement.verdict) == (None, Verdict.INDETERMINATE)
    pyrra = _measured([_counter(1.0, ALWAYS, name="all_total")], kind=Latency("h", 0.1, total="all_total"))
    assert (pyrra.ratio, pyrra.judgement.verdict) == (None, Verdict.INDETERMINATE)


def test_a_bucket_in_which_nothing_is_counted_says_that_nothing_was_fast_enough() -> None:
    slow = [_counter(0.0, ALWAYS, name="h_bucket", le="0.1"), _counter(1.0, ALWAYS, name="h_count")]
    found = _measured(slow)
    assert (found.ratio, found.judgement.verdict) == (0.0, Verdict.FAIL)
    found = _measured(
        [*slow, _counter(1.0, ALWAYS, name="all_total")], kind=Latency("h", 0.1, total="all_total")
    )
    assert (found.ratio, found.judgement.verdict) == (0.0, Verdict.FAIL)


def test_a_process_that_starts_anew_with_its_buckets_lacks_none() -> None:
    values = [100.0 * n for n in range(720)] + [100.0 * n for n in range(1, 721)]
    found = _measured(
        [
            series(every(60, values), name="h_count"),
            series(every(60, [value * 0.97 for value in values]), name="h_bucket", le="0.1"),
        ]
    )
    assert found.coverage == 1
    assert found.judgement.verdict is Verdict.PASS
