"""More requests than usual are told only where enough is known of what is usual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.facts.metrics import Series
from maestro_cli.incidents.triage.model import Onset
from maestro_cli.incidents.triage.onset import in_use, surge
from tests.unit.incidents.platform import Recorded, at
from tests.unit.incidents.triage_cases import investigate, quiet
from tests.unit.incidents.world import Room, alert

NOW = at(0)


class Begun(Recorded):
    """A fake: as recorded, of metrics that began 20 s before the alert."""

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        every = super().query_range(promql, start, end, step_seconds)
        return tuple(Series(one.labels, tuple(p for p in one.points if p[0] > at(-20))) for one in every)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def by_the_second(rates: list[float]) -> list[tuple[datetime, float]]:
    return [(NOW + timedelta(seconds=number), rate) for number, rate in enumerate(rates)]


def test_the_usual_rate_is_not_known_while_the_first_window_fills() -> None:
    """As on a platform that started 25 s before, of a window of 12 s: 50 requests a second all the time."""
    filling = [11.0, 15.5, 19.2, 23.5, 27.3, 32.1, 36.0, 40.4, 43.4]
    points = by_the_second([*filling, 47.5, 51.3, 47.6, 49.3, 49.3, 49.1, 49.6, 48.9, 50.0])
    onset = Onset(points[9][0], points[8][0], "errors")
    long_ago = NOW - timedelta(hours=1)
    seeming = surge(points, onset)
    assert seeming is not None
    assert seeming > 1.8
    assert surge(in_use(points, 12, long_ago), onset) is None
    assert surge(in_use(points, 12, NOW), onset) == seeming  # what was there at first had a past


def test_a_surge_is_one_where_enough_was_seen_before_it() -> None:
    points = by_the_second([11.0, 27.3, 43.4, *[50.0] * 37, *[150.0] * 10])
    onset = Onset(points[40][0], points[39][0], "requests")
    assert surge(in_use(points, 12, NOW - timedelta(hours=1)), onset) == 3.0


def test_the_load_is_compared_with_nothing_where_the_metrics_have_only_begun(room: Room) -> None:
    case = quiet()
    told = [
        next(one.summary for one in investigate(room, sources).evidence if one.kind == "load")
        for sources in (case, Begun(pods=case.pods, series=case.series, logs=case.logs))
    ]
    assert told == [
        "requests came at 1.0 times the usual rate since the onset",
        "no usual rate to compare with",
    ]
