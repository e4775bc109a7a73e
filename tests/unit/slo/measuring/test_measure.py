"""An objective over a span: verdicts by what was seen and by what was not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import KeptOnDisk
from maestro_cli.slo.measuring.measure import Outside, measure, span_of
from maestro_cli.slo.measuring.model import Excluded, Measured
from maestro_cli.slo.measuring.recoveries import Recovered
from maestro_cli.slo.objectives import (
    Counters,
    ErrorRatio,
    Latency,
    Method,
    Objective,
    Queries,
    Recovery,
    Slices,
    Threshold,
)
from maestro_cli.slo.ports import RawSeries
from tests.unit.slo.measuring.told import START, Told, every, objective, series, span

DAY_MINUTES = 1440
DAY = span(DAY_MINUTES)
LATER = DAY.end + timedelta(hours=1)


def _served(gaps: tuple[tuple[float, float], ...] = (), bad_a_step: float = 0.5) -> list[RawSeries]:
    """A day of 1,000 events a minute, 0.05 % of them bad, scraped every minute, but not in the gaps."""

    def kept(values: list[float]) -> list[tuple[float, float]]:
        points = every(60, values)
        return [(at, value) for at, value in points if not any(low <= at < high for low, high in gaps)]

    steps = range(DAY_MINUTES + 1)
    good = series(kept([1000.0 * step - int(bad_a_step * step) for step in steps]), code="200")
    return [good, series(kept([float(int(bad_a_step * step)) for step in steps]), code="500")]


def _measured(found: list[RawSeries], target: float = 0.999, **how: object) -> Measured:
    return measure(objective(target), DAY, Outside(Told(found), LATER), **how)  # type: ignore[arg-type]


def test_a_day_that_was_watched_is_judged_by_its_events() -> None:
    found = _measured(_served())
    assert found.total == 1000 * (DAY_MINUTES - 1)
    assert found.good == found.total - 719
    assert found.ratio == pytest.approx(0.9995, abs=1e-6)
    assert found.judgement.verdict is Verdict.PASS
    assert found.coverage == 1
    assert found.exact
    assert found.budget_consumed == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.2, Verdict.INDETERMINATE), (0.01, Verdict.PASS)], ids=["20 %", "1 %"]
)
def test_a_gap_of_a_fifth_leaves_open_what_a_gap_of_a_hundredth_does_not(
    share: float, verdict: Verdict
) -> None:
    gap = (40_000.0, 40_000.0 + share * 86400)
    found = _measured(_served((gap,)))
    assert found.ratio == pytest.approx(0.9995, abs=1e-5)
    assert found.coverage == pytest.approx(1 - share, abs=0.001)
    assert found.judgement.verdict is verdict


def test_more_bad_events_than_the_budget_allows_fail_whatever_was_not_seen() -> None:
    found = _measured(_served(bad_a_step=2.0))
    assert found.judgement.verdict is Verdict.FAIL
    assert found.budget_left == pytest.approx(-1.0, abs=0.01)


def test_without_events_nothing_is_known() -> None:
    silent = [series(every(60, [5.0] * DAY_MINUTES), code="200")]
    found = _measured(silent)
    assert (found.ratio, found.judgement.verdict) == (None, Verdict.INDETERMINATE)
    assert found.judgement.reason == "no traffic"
    assert _measured([]).judgement.reason == "no data"
    assert _measured([]).total is None


def test_what_is_excluded_is_out_of_the_adjusted_figures_and_stays_in_the_raw_ones() -> None:
    steps = range(DAY_MINUTES + 1)
    total = series(every(60, [100.0 * step for step in steps]), code="200")
    failed = series(every(60, [100.0 * min(max(step - 600, 0), 30) for step in steps]), code="500")
    night = Excluded(START + timedelta(minutes=600), START + timedelta(minutes=631), "night")
    found = _measured([total, failed], excluded=(night,))
    assert found.judgement.verdict is Verdict.FAIL
    assert found.adjusted is not None
    assert found.adjusted.judgement.verdict is Verdict.PASS
    assert found.adjusted.excluded == (night,)
    assert found.excluded == (night,)


def test_the_part_of_a_span_that_is_to_come_is_not_missed() -> None:
    now = START + timedelta(hours=6)
    month = replace(DAY, end=START + timedelta(days=31))
    found = measure(objective(), month, Outside(Told(_served()), now))
    assert found.measured.end == now
    assert found.coverage == 1
    assert found.budget_consumed == pytest.approx(0.5, abs=0.01)
    assert found.budget_projected == pytest.approx(0.5 * 6 / (31 * 24), abs=0.001)


def test_days_that_are_over_are_asked_for_once(tmp_path: Path) -> None:
    told, kept = Told(_served()), KeptOnDisk(tmp_path, "here")
    first = measure(objective(), DAY, Outside(told, LATER, kept))
    count = len(told.asked)
    second = measure(objective(), DAY, Outside(told, LATER + timedelta(hours=5), kept))
    assert len(told.asked) == count + 1  # the minutes before the span hold nothing, so they are not kept
    assert (second.ratio, second.bounds) == (first.ratio, first.bounds)
    assert [one.digest for one in second.queries] == [one.digest for one in first.queries]


def test_an_entry_that_was_damaged_is_set_aside_and_asked_for_again(tmp_path: Path) -> None:
    told, kept = Told(_served()), KeptOnDisk(tmp_path, "here")
    first = measure(objective(), DAY, Outside(told, LATER, kept))
    (entry,) = tmp_path.rglob("*.pieces")
    entry.write_bytes(entry.read_bytes()[:-7] + b"garbage")
    assert measure(objective(), DAY, Outside(told, LATER, kept)).good == first.good
    assert [path.suffix for path in sorted(tmp_path.rglob("*.*"))] == [".corrupt", ".pieces"]


def test_an_answer_that_is_too_large_is_asked_for_in_halves() -> None:
    told = Told(_served(), most=300)
    found = measure(objective(), DAY, Outside(told, LATER))
    assert found.good == _measured(_served()).good
    assert len(told.asked) > 10


def test_a_retention_shorter_than_the_window_is_said() -> None:
    told = Told(_served(), kept_seconds=3600)
    (note,) = measure(objective(), DAY, Outside(told, LATER)).notes
    assert note.startswith("Prometheus keeps 1h00m, and the window begins 1d01h ago")


def test_few_events_are_said_with_the_interval_that_they_leave() -> None:
    rare = [series(every(60, [float(step // 30) for step in range(DAY_MINUTES)]), code="200")]
    _, note = _measured(rare).notes
    assert note.startswith("little traffic: 47 events allow 0.047 bad ones; the true ratio is 92.")


def test_counters_of_two_metrics_are_one_query_where_they_share_their_labels() -> None:
    told = Told(_buckets("0.1", "0.2", "+Inf"))
    kind = Latency('h{app="f"}', 0.2)
    found = measure(replace(objective(), indicator=kind), DAY, Outside(told, LATER))
    assert {selector for selector, _, _ in told.asked} == {
        '{__name__=~"h_bucket|h_count",app="f",le=~"0\\\\.2|"}'
    }
    assert found.ratio == pytest.approx(0.99, abs=1e-6)
    assert found.exact


@pytest.mark.parametrize(
    ("target", "verdict"),
    [(0.8, Verdict.PASS), (0.95, Verdict.INDETERMINATE), (0.995, Verdict.FAIL)],
    ids=["below both", "between", "above both"],
)
def test_a_boundary_that_is_no_bucket_lies_between_those_beside_it(target: float, verdict: Verdict) -> None:
    told = Told(_buckets("0.1", "0.2", "+Inf"))
    kind = Latency('h{app="f"}', 0.15)
    found = measure(replace(objective(target), indicator=kind), DAY, Outside(told, LATER))
    assert found.bounds is not None
    assert found.bounds.low == pytest.approx(0.9, abs=1e-6)
    assert found.bounds.high == pytest.approx(0.99, abs=1e-6)
    assert found.judgement.verdict is verdict
    assert "add a bucket at 0.15" in found.notes[0]
    assert not found.exact


def test_above_the_last_bucket_that_ends_everything_may_be_good() -> None:
    kind = Latency('h{app="f"}', 3.0)
    told = Told(_buckets("0.1", "0.2", "+Inf"))
    found = measure(replace(objective(0.995), indicator=kind), DAY, Outside(told, LATER))
    assert found.bounds is not None
    assert found.bounds.high == 1.0
    assert found.judgement.verdict is Verdict.INDETERMINATE


def test_slices_count_time_and_not_events() -> None:
    steps = range(DAY_MINUTES + 1)
    total = series(every(60, [10.0 * step for step in steps]), code="200")
    failed = series(every(60, [float(min(max(step - 60, 0), 60)) for step in steps]), code="500")
    told = Outside(Told([total, failed]), LATER)
    slices = Slices(600, 0.95)
    good = measure(replace(objective(), method=Method.TIMESLICES, slices=slices), DAY, told)
    mean = measure(replace(objective(), method=Method.RATIO_TIMESLICES, slices=slices), DAY, told)
    assert good.ratio == pytest.approx(138 / 144)
    assert mean.ratio == pytest.approx(1 - 60 * 0.1 / 1440, abs=0.001)


@pytest.mark.parametrize(("target", "bad"), [(0.999, 60), (0.995, 60), (0.99, 0), (0.9, 0)])
def test_a_minute_is_bad_by_what_is_promised(target: float, bad: int) -> None:
    steps = range(DAY_MINUTES + 1)
    total = series(every(60, [99.0 * step for step in steps]), code="200")
    failed = series(every(60, [float(min(max(step - 60, 0), 60)) for step in steps]), code="500")
    assert _measured([total, failed], target).bad_minutes == bad


def test_a_minute_under_the_target_of_a_good_slice_is_bad() -> None:
    steps = range(DAY_MINUTES + 1)
    total = series(every(60, [99.0 * step for step in steps]), code="200")
    failed = series(every(60, [float(min(max(step - 60, 0), 60)) for step in steps]), code="500")
    promised = replace(objective(0.9), method=Method.TIMESLICES)
    for least, bad in ((0.995, 60), (0.98, 0)):
        found = replace(promised, slices=Slices(60, least))
        assert measure(found, DAY, Outside(Told([total, failed]), LATER)).bad_minutes == bad


def test_a_threshold_is_judged_at_every_minute() -> None:
    load = series(every(60, [0.0 if step % 100 else 9.0 for step in range(1, DAY_MINUTES + 1)], at=60))
    kind = Threshold("load", "lt", 5.0)
    found = measure(replace(objective(0.98), indicator=kind), DAY, Outside(Told([load]), LATER))
    assert found.ratio == pytest.approx(1 - 14 / 1440)
    assert found.bad_minutes == 14
    assert found.judgement.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (Queries(total="t[$window]", bad="b[$window]"), {"counted": 1.0, "total": 100.0}),
        (Queries(total="t[$window]", good="g[$window]"), {"counted": 99.0, "total": 100.0}),
        (ErrorRatio("e[$window]"), {"": 0.01}),
        (Latency("h", 0.1, native=True), {"counted": 99.0, "total": 100.0}),
    ],
    ids=["bad", "good", "ratio", "native histogram"],
)
def test_what_is_no_counter_is_evaluated_in_steps(
    kind: Queries | ErrorRatio | Latency, parts: dict[str, float]
) -> None:
    found = [series(every(300, [value] * 288, at=300), maestro_part=part) for part, value in parts.items()]
    told = Told(found)
    answer = measure(replace(objective(0.98), indicator=kind), DAY, Outside(told, LATER))
    assert answer.ratio == pytest.approx(0.99)
    assert answer.coverage == 1
    assert not answer.exact
    assert all("$window" not in promql for promql, _, _ in told.asked)


def test_steps_that_are_missing_are_not_covered() -> None:
    found = [series(every(300, [0.0] * 200, at=300))]
    told = Outside(Told(found), LATER)
    answer = measure(replace(objective(), indicator=ErrorRatio("e[$window]")), DAY, told)
    assert answer.coverage == pytest.approx(200 / 288)
    assert answer.judgement.verdict is Verdict.INDETERMINATE


def test_recoveries_are_those_of_the_span_and_the_service() -> None:
    goal = Objective("rto", "rto", "fraud", 1.0, 86400, Recovery("rto", 900), {})
    at = START + timedelta(hours=3)
    seen = (
        Recovered(at, "rto", 240, "drill 7", "fraud"),
        Recovered(at, "rto", 9999, "drill 8", "other"),
        Recovered(at, "rpo", 9999, "drill 9"),
        Recovered(at - timedelta(days=2), "rto", 9999, "drill 1"),
    )
    found = measure(goal, DAY, Outside(Told([]), LATER, recovered=seen))
    assert (found.judgement.verdict, found.total) == (Verdict.PASS, 1)
    none = measure(goal, DAY, Outside(Told([]), LATER))
    assert none.judgement.verdict is Verdict.INDETERMINATE


def test_two_counters_that_have_nothing_in_common_are_two_queries() -> None:
    steps = range(DAY_MINUTES + 1)
    found = [
        series(every(60, [10.0 * step for step in steps]), name="in_total", side="a"),
        series(every(60, [float(step // 1000) for step in steps]), name="lost_total", side="b"),
    ]
    kind = Counters(total='in_total{side="a"}', bad='lost_total{side="b"}')
    told = Told(found)
    answer = measure(replace(objective(), indicator=kind), DAY, Outside(told, LATER))
    assert answer.good == answer.total - 1 if answer.total else None
    assert len({selector for selector, _, _ in told.asked}) == 2


def test_the_window_of_an_objective_ends_with_the_last_whole_minute() -> None:
    found = span_of(objective(), START + timedelta(hours=5, seconds=31))
    assert found.end == START + timedelta(hours=5)
    assert found.seconds == 86400


def _buckets(*bounds: str) -> list[RawSeries]:
    share = {"0.1": 0.9, "0.2": 0.99, "+Inf": 1.0}
    steps = range(DAY_MINUTES + 1)
    found = [
        series(every(60, [1000 * share[le] * step for step in steps]), name="h_bucket", app="f", le=le)
        for le in bounds
    ]
    return [*found, series(every(60, [1000.0 * step for step in steps]), name="h_count", app="f")]
