"""A target whose scrapes fail may serve on; one that Prometheus no longer scrapes is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import Kept, Nowhere, as_kept
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.ports import RawSeries
from maestro_cli.slo.report.recording import RecordedStore, RecordingStore
from tests.unit.slo.measuring.told import T0, Told, every, objective, series, span

DAY_MINUTES = 1440
DAY = span(DAY_MINUTES)
CUT = 1320  # two hours before the end


@dataclass
class WithScrapes(Told):
    """Also knows in which minutes the scrapes of an instance failed."""

    failed: dict[str, Sequence[int]] = field(default_factory=dict)
    pod: str = ""

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float):  # type: ignore[no-untyped-def]
        self.asked.append((promql, start, end))
        for instance, minutes in self.failed.items():
            times = [T0 + 60.0 * minute for minute in minutes]
            times = [at for at in times if start.timestamp() < at <= end.timestamp()]
            labels = {"__name__": "up", "job": "api", "instance": instance, "pod": self.pod}
            yield RawSeries(labels, times, [0.0] * len(times))


def _served(instance: str, minutes: range) -> list[RawSeries]:
    points = [(60.0 * minute, 100.0 * minute) for minute in minutes]
    return [series(points, instance=instance, job="api", pod=f"pod-{instance}", code="200")]


def _measured(told: Told) -> Measured:
    return measure(objective(0.999), DAY, Outside(told, DAY.end + timedelta(hours=1)))


def _pieces(store: RecordingStore) -> Iterator[tuple[str, Kept]]:
    yield from ((name, kept) for name, (_, kept) in store.pieces.items())


def _as_kept(one: Kept) -> Kept:
    return msgspec.structs.replace(one, piece=as_kept(one.piece))


ZONES = [*_served("a", range(DAY_MINUTES + 1)), *_served("b", range(CUT))]


def test_a_zone_that_is_cut_off_to_the_end_is_not_covered_and_its_traffic_is_unknown() -> None:
    told = WithScrapes(ZONES, failed={"b": range(CUT, DAY_MINUTES + 1)})
    found = _measured(told)
    assert found.coverage < 1 - 115 / DAY_MINUTES
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.bounds is not None
    assert found.bounds.low < 1 - 115 * 100 / (2 * DAY_MINUTES * 100)
    assert found.bounds.high == 1
    assert [one.promql for one in found.queries][-1] == 'max_over_time({__name__="up",job=~"api"}[2m]) == 0'


def test_what_was_said_of_failing_scrapes_is_asked_again_of_what_was_recorded() -> None:
    kept = RecordingStore(Nowhere())
    later = DAY.end + timedelta(hours=1)
    told = WithScrapes(ZONES, failed={"b": range(CUT, DAY_MINUTES + 1)})
    found = measure(objective(0.999), DAY, Outside(told, later, kept))
    silent = WithScrapes(ZONES)  # what it says of labels is recorded by RecordingMetrics
    again = measure(
        objective(0.999), DAY, Outside(silent, later, RecordedStore(dict(_pieces(kept)), _as_kept))
    )
    assert (again.bounds, again.coverage) == (found.bounds, found.coverage)
    assert silent.asked == []


def test_a_target_that_is_no_longer_scraped_is_gone() -> None:
    found = _measured(WithScrapes(ZONES))
    assert found.coverage == 1
    assert found.judgement.verdict is Verdict.PASS


def test_a_process_that_ends_in_order_may_fail_a_scrape_or_two() -> None:
    found = _measured(WithScrapes(ZONES, failed={"b": range(CUT, CUT + 4)}))
    assert found.coverage == 1
    assert found.judgement.verdict is Verdict.PASS


def test_the_failing_scrapes_of_another_pod_at_the_same_address_are_not_its_own() -> None:
    found = _measured(WithScrapes(ZONES, failed={"b": range(CUT, DAY_MINUTES + 1)}, pod="pod-c"))
    assert found.coverage == 1


BEFORE = [*_served("a", range(DAY_MINUTES + 1)), *_served("b", range(-600, -30))]


def test_a_zone_that_was_cut_off_before_the_span_began_is_not_covered_and_its_traffic_is_unknown() -> None:
    """Nothing of it is in the span: the index has that it was there, and failing scrapes that it is."""
    found = _measured(WithScrapes(BEFORE, failed={"b": range(-30, DAY_MINUTES + 1)}))
    assert found.coverage == 0
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.bounds is not None
    assert found.bounds.low < 0.55  # it served as much as the other
    half = _measured(WithScrapes(BEFORE, failed={"b": range(-30, DAY_MINUTES // 2)}))
    assert half.coverage == pytest.approx(0.5, abs=0.01)
    assert half.bounds is not None
    assert half.bounds.low < 0.7


def test_a_zone_that_comes_back_was_not_covered_until_then() -> None:
    told = WithScrapes([*BEFORE, *_served("b", range(720, DAY_MINUTES + 1))], failed={"b": range(-30, 720)})
    found = _measured(told)
    assert found.coverage == pytest.approx(0.5, abs=0.01)
    assert found.judgement.verdict is Verdict.INDETERMINATE


def test_a_target_that_came_back_may_end_in_order() -> None:
    """Not seen in the first ten minutes; it ends at noon, and four scrapes fail then."""
    back = [*BEFORE, *_served("b", range(10, 720))]
    told = WithScrapes(back, failed={"b": range(-30, 10)})
    often = WithScrapes(back, failed={"b": [*range(-30, 10), *range(720, 724)]})
    one, other = _measured(told), _measured(often)
    assert other.coverage == one.coverage == pytest.approx(1 - 10 / DAY_MINUTES, abs=0.001)
    cut_off = WithScrapes(back, failed={"b": [*range(-30, 10), *range(720, DAY_MINUTES + 1)]})
    assert _measured(cut_off).coverage == pytest.approx(0.5, abs=0.01)


def test_a_target_that_was_gone_before_the_span_began_is_not_missed() -> None:
    found = _measured(WithScrapes(BEFORE))
    assert (found.coverage, found.judgement.verdict) == (1, Verdict.PASS)


@pytest.mark.parametrize("minutes", [1, 2, 3, 4])
def test_a_zone_that_is_cut_off_in_the_last_minutes_is_not_covered_in_them(minutes: int) -> None:
    """Nobody can tell yet whether it has ended in order."""
    hour, cut = span(60), 60 - minutes
    points = [(15.0 * n, 25.0 * n) for n in range(240)]
    told = WithScrapes(
        [
            series(points, instance=one, job="api", code="200")
            for one, points in (("a", points), ("b", points[: 4 * cut]))
        ],
        failed={"b": range(cut + 2, 61)},  # two minutes of failed scrapes show it
    )
    found = measure(objective(0.99), hour, Outside(told, hour.end))
    assert found.coverage == pytest.approx(cut / 60)
    assert found.bounds is not None
    assert found.bounds.low < 1 - 100 * minutes / (2 * 6000)
    assert found.judgement.verdict is (Verdict.INDETERMINATE if minutes > 1 else found.judgement.verdict)


def test_a_process_that_ended_in_order_some_minutes_ago_is_gone() -> None:
    hour = span(60)
    points = [(15.0 * n, 25.0 * n) for n in range(240)]
    found = [
        series(each, instance=one, job="api", code="200")
        for one, each in (("a", points), ("b", points[:224]))
    ]
    told = WithScrapes(found, failed={"b": range(57, 59)})
    assert measure(objective(0.99), hour, Outside(told, hour.end)).coverage == 1


def test_who_is_seen_to_the_end_is_not_asked_about() -> None:
    told = WithScrapes(_served("a", range(DAY_MINUTES + 1)))
    _measured(told)
    assert not [promql for promql, _, _ in told.asked if "up" in promql]


def test_nothing_is_asked_about_series_that_no_scrape_names() -> None:
    told = WithScrapes([series(every(60, [100.0 * n for n in range(CUT)]))])
    _measured(told)
    assert not [promql for promql, _, _ in told.asked if "up" in promql]
