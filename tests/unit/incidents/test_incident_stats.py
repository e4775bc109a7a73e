"""Figures over incidents are those of a naive computation, and say of how many they are."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import Incident, Severity, State, Times
from maestro_cli.incidents.report.stats import (
    MAX_SERVICES,
    Measure,
    Sample,
    figure,
    quantile,
    sample_of,
    stats_of,
    week_of,
)

UNTIL = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)  # a Thursday
SINCE = UNTIL - timedelta(days=28)


def incident(number: int = 1, hours_ago: float = 1, **changes: object) -> Incident:
    """Opened a minute after it began, acked after 2 minutes, mitigated after 10, resolved after 20."""
    opened = UNTIL - timedelta(hours=hours_ago)
    began = opened - timedelta(seconds=60)
    times = Times(
        began, opened, opened + timedelta(seconds=120), None, began + timedelta(seconds=600),
        began + timedelta(seconds=1200),
    )  # fmt: skip
    made = Incident(
        id=f"inc-{number}", number=number, key=f"k{number}", title="t", severity=Severity.SEV2,
        state=State.RESOLVED, owner=None, drill=False, namespace="ml",
        workload=WorkloadRef("Deployment", "ml", "fraud"), opened_by="watch", times=times, signals=1,
        firing=0, signals_cleared_at=None, reopen_count=0, same_as=None, seq=number,
        opened_from="alertmanager-api",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


seconds = st.one_of(st.none(), st.integers(0, 10**6).map(float))


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    """Of any age up to eight weeks, in any state, with times that may be missing."""
    opened = UNTIL - timedelta(minutes=draw(st.integers(-60, 60 * 24 * 60)))
    began = opened - timedelta(seconds=draw(st.integers(0, 10_000)))

    def after(start: datetime) -> datetime | None:
        delay = draw(seconds)
        return None if delay is None else start + timedelta(seconds=delay)

    return incident(
        severity=draw(st.sampled_from(Severity)),
        state=draw(st.sampled_from(State)),
        drill=draw(st.booleans()),
        workload=draw(st.sampled_from((None, WorkloadRef("Deployment", "ml", "fraud")))),
        times=Times(began, opened, after(opened), None, after(opened), after(opened)),
    )


def naive(found: Sequence[Incident], measure: Measure) -> list[float]:
    """The times of those that have them."""
    spans: dict[Measure, list[tuple[datetime, datetime | None]]] = {
        Measure.DETECT: [(one.times.started_at, one.times.opened_at) for one in found],
        Measure.ACK: [(one.times.opened_at, one.times.acked_at) for one in found],
        Measure.MITIGATE: [(one.times.started_at, one.times.mitigated_at) for one in found],
        Measure.RESOLVE: [(one.times.started_at, one.times.resolved_at) for one in found],
    }
    return [(end - start).total_seconds() for start, end in spans[measure] if end is not None]


@given(st.lists(incidents(), max_size=30))
def test_every_figure_is_that_of_a_naive_computation(found: list[Incident]) -> None:
    stats = stats_of([Sample(one) for one in found], SINCE, UNTIL)
    counts = [one for one in found if not one.drill and one.state not in (State.DISMISSED, State.MERGED)]
    window = [one for one in counts if SINCE <= one.times.opened_at < UNTIL]
    before = [one for one in counts if SINCE - timedelta(days=28) <= one.times.opened_at < SINCE]
    for group, mine in ((stats.whole, window), (stats.previous, before)):
        assert group.incidents == len(mine)
        for measure in Measure:
            values = naive(mine, measure)
            told = group.figures[measure]
            assert told.count == len(values)
            assert told.mean == (pytest.approx(statistics.fmean(values)) if values else None)
    for groups in (stats.severities, stats.services, stats.weeks):
        assert sum(group.incidents for group in groups) == len(window)
        for measure in Measure:
            assert sum(group.figures[measure].count for group in groups) == stats.whole.figures[measure].count
    assert stats.open == sum(one.state.is_open for one in window)
    inside = [one for one in found if SINCE <= one.times.opened_at < UNTIL]
    assert sum(stats.left_out.values()) == len(inside) - len(window)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=50))
def test_quantiles_are_those_of_the_standard_library(values: list[float]) -> None:
    ordered = sorted(values)
    tenths = statistics.quantiles(ordered, n=10, method="inclusive")
    assert quantile(ordered, 0.5) == pytest.approx(statistics.median(ordered))
    assert quantile(ordered, 0.9) == pytest.approx(tenths[8])


def test_a_figure_of_nothing_is_nothing_and_of_one_is_that_one() -> None:
    assert figure([None, None]).count == 0
    assert figure([]).mean is None
    one = figure([None, 7.0])
    assert (one.count, one.mean, one.p50, one.p90) == (1, 7.0, 7.0, 7.0)


def test_drills_count_only_when_asked_for_and_false_alarms_never() -> None:
    samples = [
        Sample(incident(1)),
        Sample(incident(2, drill=True)),
        Sample(incident(3, state=State.DISMISSED)),
        Sample(incident(4, state=State.MERGED)),
    ]
    stats = stats_of(samples, SINCE, UNTIL)
    assert (stats.whole.incidents, stats.left_out) == (1, {"dismissed": 1, "drill": 1, "merged": 1})
    assert stats_of(samples, SINCE, UNTIL, drills=True).whole.incidents == 2


def test_every_week_of_the_window_is_there_and_begins_on_a_monday() -> None:
    stats = stats_of([Sample(incident(1, hours_ago=24 * 7))], SINCE, UNTIL)
    assert [week.name for week in stats.weeks] == [
        "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23",
    ]  # fmt: skip
    assert [week.incidents for week in stats.weeks] == [0, 0, 0, 1, 0]
    assert week_of(UNTIL).weekday() == 0


def test_a_beginning_that_a_metric_shows_parts_the_rules_delay_from_maestros() -> None:
    found = incident()
    began = found.times.started_at - timedelta(seconds=90)
    triage = {"onset": {"at": f"{began:%Y-%m-%dT%H:%M:%SZ}", "basis": "errors"}}
    sample = sample_of(found, triage)
    assert (sample.rule_seconds, sample.own_seconds) == (90.0, 60.0)
    stats = stats_of([sample, Sample(incident(2))], SINCE, UNTIL)
    assert (stats.rule.count, stats.rule.mean, stats.own.mean) == (1, 90.0, 60.0)


@pytest.mark.parametrize(
    ("source", "basis", "shift"),
    [
        ("alertmanager-api", "alert", -90),  # the start of the alert itself
        ("alertmanager-api", "errors", 5),  # after the rule fired: not what it saw
        ("prometheus", "errors", -90),  # its start is no firing
        ("user", "errors", -90),
    ],
)
def test_what_no_metric_shows_parts_nothing(source: str, basis: str, shift: int) -> None:
    found = incident(opened_from=source)
    at = found.times.started_at + timedelta(seconds=shift)
    sample = sample_of(found, {"onset": {"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "basis": basis}})
    assert (sample.rule_seconds, sample.own_seconds) == (None, None)
    assert sample_of(found, None) == Sample(found)


def test_the_services_with_the_most_incidents_are_told() -> None:
    many = [
        Sample(incident(n, workload=WorkloadRef("Deployment", "ml", f"s{n}")))
        for n in range(MAX_SERVICES + 5)
    ]
    again = Sample(incident(99, workload=WorkloadRef("Deployment", "ml", "s24")))
    stats = stats_of([*many, again], SINCE, UNTIL)
    assert len(stats.services) == MAX_SERVICES
    assert (stats.services[0].name, stats.services[0].incidents) == ("ml/deploy/s24", 2)
