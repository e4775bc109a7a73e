"""A restart that a gap hides takes with it what nobody saw; where there was none for sure, it is bridged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import T0, Told, objective, series, span

HOUR, DAY = 3600.0, 1440
MONTH = span(30 * DAY)
GAP = (100 * HOUR, 124 * HOUR)  # 3.3 % of the month


@dataclass
class WithStarts(Told):
    """Also knows the start of the process in each hour (seconds after START); none where it is not told."""

    began: tuple[tuple[float, float], ...] = ()  # from when on which start is told

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterator[RawSeries]:
        self.asked.append((promql, start, end))
        if 'max_over_time({__name__="process_start' not in promql:
            return
        hours = [T0 + HOUR * n for n in range(-1, 721) if not GAP[0] < HOUR * n <= GAP[1]]
        times = [at for at in hours if start.timestamp() < at <= end.timestamp()]
        told = [[begin for since, begin in self.began if T0 + since < at] for at in times]
        known = [(at, T0 + own[-1]) for at, own in zip(times, told, strict=True) if own]
        yield RawSeries({"job": "j", "instance": "a"}, [at for at, _ in known], [value for _, value in known])


def _served(
    *restarts: float, failing: tuple[float, float] = (0, 0), gap: tuple[float, float] = GAP
) -> list[RawSeries]:
    """60 answers a minute of a process that began again then; half of them fail from when to when."""
    good, failed = 0.0, 0.0
    shown: dict[str, list[tuple[float, float]]] = {"200": [], "500": []}
    for minute in range(-5, 30 * DAY):
        at = 60.0 * minute
        if at in restarts:
            good = failed = 0.0
        bad = 30.0 if failing[0] <= at < failing[1] else 0.0
        good, failed = good + 60 - bad, failed + bad
        if not gap[0] <= at < gap[1]:
            shown["200"].append((at + 5, good))
            if failed:
                shown["500"].append((at + 5, failed))
    return [series(points, code=code, job="j") for code, points in shown.items() if points]


def _measured(found: list[RawSeries], *began: tuple[float, float]) -> tuple[Measured, WithStarts]:
    told = WithStarts(found, began=began)
    goal = replace(objective(0.9995), window_seconds=MONTH.seconds)
    return measure(goal, MONTH, Outside(told, MONTH.end + timedelta(hours=1))), told


DEPLOYED, RESTARTED = 98 * HOUR, 101 * HOUR  # two hours before the gap, and one into it
HIDDEN = _served(DEPLOYED, RESTARTED, failing=(100 * HOUR, RESTARTED))
TRUTH = 1 - 30 * 60 / (60 * 30 * DAY)


@pytest.mark.parametrize(
    "began",
    [(), ((-5 * HOUR, -9 * HOUR), (98 * HOUR, DEPLOYED), (GAP[1], RESTARTED))],
    ids=["nobody tells", "its process tells"],
)
def test_a_process_that_began_again_in_a_gap_leaves_it_open(began: tuple[tuple[float, float], ...]) -> None:
    """What it had counted before the gap is less than what it counts in the rest of it: no reset shows."""
    found, _ = _measured(HIDDEN, *began)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.bounds is not None
    assert found.bounds.low <= TRUTH < found.bounds.high


def test_a_start_in_the_gap_is_believed_however_long_the_counter_had_lived() -> None:
    """It had lived for four days, and in the one of the gap it counts more than in those."""
    assert _measured(_served())[0].judgement.verdict is Verdict.PASS
    found, told = _measured(_served(), (-5 * HOUR, -9 * HOUR), (GAP[1], RESTARTED))
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert {promql for promql, *_ in told.asked if "process" in promql} == {
        'max_over_time({__name__="process_start_time_seconds",job=~"j"}[1h])'
    }


def test_a_process_that_began_before_the_gap_bridges_it_however_short_it_had_lived() -> None:
    found, _ = _measured(_served(DEPLOYED), (-5 * HOUR, -9 * HOUR), (98 * HOUR, DEPLOYED))
    assert found.judgement.verdict is Verdict.PASS
    assert found.bounds is not None
    assert found.bounds.low > 1 - 100 / (60 * 30 * DAY)  # what the process before took with it


def test_the_process_of_an_exporter_tells_nothing_of_the_one_that_counts() -> None:
    """The counter was reset and the exporter was not: it is not the exporter's."""
    found, _ = _measured(HIDDEN, (-5 * HOUR, -9 * HOUR))
    assert found.judgement.verdict is Verdict.INDETERMINATE


def test_a_process_that_began_after_the_gap_tells_nothing_of_it() -> None:
    after = GAP[1] + 1800
    found, _ = _measured(_served(DEPLOYED, RESTARTED, after), (GAP[1], after))
    assert found.judgement.verdict is Verdict.INDETERMINATE


def test_who_was_seen_all_the_time_is_not_asked_when_it_began() -> None:
    _, told = _measured(_served(DEPLOYED, gap=(0, 0)))
    assert not [promql for promql, *_ in told.asked if "process_start" in promql]
