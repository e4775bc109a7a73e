"""A target whose scrapes fail may serve on; one that Prometheus no longer scrapes is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import Kept, Nowhere
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

    failed: dict[str, range] = field(default_factory=dict)
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
    return [series(points, instance=instance, job="api", pod=f"pod-{instance}")]


def _measured(told: Told) -> Measured:
    return measure(objective(0.999), DAY, Outside(told, DAY.end + timedelta(hours=1)))


def _pieces(store: RecordingStore) -> Iterator[tuple[str, Kept]]:
    yield from ((name, kept) for name, (_, kept) in store.pieces.items())


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
    silent = WithScrapes([], failed={})
    again = measure(objective(0.999), DAY, Outside(silent, later, RecordedStore(dict(_pieces(kept)))))
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


def test_who_is_seen_to_the_end_is_not_asked_about() -> None:
    told = WithScrapes(_served("a", range(DAY_MINUTES + 1)))
    _measured(told)
    assert not [promql for promql, _, _ in told.asked if "up" in promql]


def test_nothing_is_asked_about_series_that_no_scrape_names() -> None:
    told = WithScrapes([series(every(60, [100.0 * n for n in range(CUT)]))])
    _measured(told)
    assert not [promql for promql, _, _ in told.asked if "up" in promql]
