"""What is not known of an objective lets nothing through: not its measurement, not its burn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.errors import ExitCode, InvalidQuery
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.kept import budget_code, ending_at, overall
from maestro_cli.services.measuring import (
    MeasureWanted,
    read_experiment_gate,
    read_kept,
    read_slo_gate,
    reading_of,
    with_budgets,
)
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.burning import SPAN, spans_for
from maestro_cli.slo.kept import Kept
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Bounds
from maestro_cli.slo.measuring.recoveries import Recovered
from maestro_cli.slo.objectives import Counters, Objective, Recovery
from maestro_cli.slo.ports import RawSeries
from maestro_cli.slo.slo_gate import Reading, judge_gate
from tests.unit.slo.measuring.told import START, Told, every, objective, series, span

NOW = START + timedelta(days=1, minutes=1)


@dataclass
class Burnt(Told):
    """A day on which nothing failed; a burn query is answered with `ratios`, the shortest range first."""

    ratios: Sequence[float] | None = ()
    why_no_chunks: str = ""

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if self.ratios is None:
            raise InvalidQuery("Prometheus cannot evaluate the query")
        names = [prometheus_duration(one) for one in spans_for(objective())]
        samples = [Sample({SPAN: name}, value, NOW) for name, value in zip(names, self.ratios, strict=False)]
        return Instant(promql, NOW, tuple(samples))


COUNTED = series(every(60, [100.0 * step for step in range(1445)]), code="200")


def services(ratios: Sequence[float] | None, *objectives: Objective, counted: RawSeries = COUNTED) -> Any:
    """What measuring asks of the services of a context."""
    told = Burnt([counted], ratios=ratios)
    return SimpleNamespace(
        clock=SimpleNamespace(now=lambda: NOW.astimezone(UTC)),
        raw_prometheus_of=lambda endpoint: told,
        objectives={one.name: one for one in objectives or (objective(0.99),)},
    )


WANTED = MeasureWanted(prometheus="http://told", fresh=True)
SPANS = len(spans_for(objective()))


@pytest.mark.parametrize(
    ("ratios", "verdict", "said"),
    [
        ([0.0] * SPANS, Verdict.PASS, "is left"),
        ([math.nan] * SPANS, Verdict.PASS, "is left"),
        (None, Verdict.INDETERMINATE, "cannot evaluate"),
        ([], Verdict.INDETERMINATE, "no data of the last"),
        ([0.0] * (SPANS - 1), Verdict.INDETERMINATE, "no data of the last"),
    ],
    ids=["quiet", "no-traffic", "query-fails", "no-answer", "part-of-an-answer"],
)
def test_a_burn_that_is_not_known_does_not_pass_and_no_traffic_does(
    ratios: Sequence[float] | None, verdict: Verdict, said: str
) -> None:
    answer = read_slo_gate(services(ratios), WANTED, 0.25)
    assert answer.verdict is verdict
    assert said in answer.reasons[0][1]


@pytest.mark.parametrize("bad", ['frud_total{code="500"}', 'r_total{cod="500"}'], ids=["metric", "label"])
def test_of_what_nothing_tells_neither_what_is_left_nor_how_it_burns_is_known(bad: str) -> None:
    """A burn query that answers zero everywhere is no reading where nothing could have counted a failure."""
    one = replace(objective(0.99), indicator=Counters("r_total", bad=bad))
    (kept,) = read_kept(services([0.0] * SPANS, one), WANTED)
    assert kept.measured is not None
    assert kept.measured.judgement.verdict is Verdict.INDETERMINATE
    assert kept.burning is not None
    assert (kept.burning.state, kept.burning.why) == (BurnState.NO_DATA, kept.measured.judgement.reason)
    assert read_slo_gate(services([0.0] * SPANS, one), WANTED, 0.25).verdict is Verdict.INDETERMINATE


def test_what_burns_critically_is_told_although_not_all_of_the_burn_is_known() -> None:
    reading = Reading("a", (1.0, 1.0), BurnState.CRITICAL, blind="no data of the last 3d")
    assert judge_gate([reading], 0.0).verdict is Verdict.FAIL


def test_one_that_could_not_be_measured_makes_the_whole_not_known() -> None:
    (kept,) = read_kept(services([0.0] * SPANS), WANTED)
    unread = Kept(objective(), None, None, InvalidQuery("Prometheus cannot evaluate the query"))
    assert overall([kept]) == "PASS"
    assert overall([kept, unread]) == "INDETERMINATE"


RECOVERY = replace(objective(0.99), name="rpo", indicator=Recovery("rpo", 3600.0))


def test_recoveries_are_left_out_of_the_gate_and_the_budgets_unless_they_are_named() -> None:
    here = services([0.0] * SPANS, objective(0.99), RECOVERY)
    answer = read_slo_gate(here, WANTED, 0.25)
    assert (answer.verdict, answer.left_out) == (Verdict.PASS, ("rpo",))
    found, left_out = with_budgets(read_kept(here, WANTED), WANTED)
    assert ([one.objective.name for one in found], left_out) == (["o"], ("rpo",))
    assert budget_code(found) is ExitCode.OK
    named = replace(WANTED, names=("o", "rpo"))
    assert read_slo_gate(here, named, 0.25).verdict is Verdict.INDETERMINATE
    assert budget_code(with_budgets(read_kept(here, named), named)[0]) is ExitCode.NO_DATA


IDLE = every(60, [100.0] * 1445)
UNTOLD = replace(objective(0.99), indicator=Counters("r_total", bad='r_total{cod="500"}'))


@pytest.mark.parametrize(
    ("one", "points", "verdict"),
    [
        (objective(0.99), IDLE, Verdict.PASS),
        (objective(0.99), [], Verdict.INDETERMINATE),
        (UNTOLD, IDLE, Verdict.INDETERMINATE),
        (RECOVERY, IDLE, Verdict.INDETERMINATE),
    ],
    ids=["no traffic", "no data", "nothing tells what is bad", "a drill that was never held"],
)
def test_where_gaps_count_for_nothing_an_experiment_still_wants_something_seen(
    one: Objective, points: Sequence[tuple[float, float]], verdict: Verdict
) -> None:
    here = services([math.nan] * SPANS, one, counted=series(points, code="200"))
    named = replace(WANTED, names=(one.name,))
    answer = read_experiment_gate(here, named, in_production=True, by_what_was_seen=True)
    assert answer.verdict is verdict, answer.reasons


@pytest.mark.parametrize(
    ("seconds", "is_over", "verdict"),
    [
        (300.0, False, Verdict.INDETERMINATE),
        (300.0, True, Verdict.PASS),
        (4000.0, True, Verdict.FAIL),
        (4000.0, False, Verdict.FAIL),
    ],
    ids=["may come in time", "in time", "late", "late already"],
)
def test_a_recovery_that_may_still_come_in_time_is_neither_missed_nor_met(
    seconds: float, is_over: bool, verdict: Verdict
) -> None:
    goal = replace(RECOVERY, indicator=Recovery("rto", 3600.0))
    one = Recovered(NOW - timedelta(seconds=seconds), "rto", seconds, "incident 7", is_over=is_over)
    day = span(1440, at=60.0)
    measured = measure(goal, day, Outside(Told([]), day.end, recovered=(one,)))
    answer = judge_gate([reading_of(Kept(goal, measured, None))], 0.0)
    assert answer.verdict is verdict
    assert verdict is not Verdict.INDETERMINATE or "not over: incident 7" in answer.reasons[0][1]


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (0.9999, 1.0, ExitCode.OK),
        (0.9, 1.0, ExitCode.NO_DATA),
        (0.9, 0.98, ExitCode.CONDITION_NOT_MET),
    ],
    ids=["left", "not-known", "spent"],
)
def test_a_budget_is_spent_when_it_is_whatever_was_not_seen(low: float, high: float, code: ExitCode) -> None:
    (kept,) = read_kept(services([0.0] * SPANS), WANTED)
    assert kept.measured is not None
    seen = replace(kept.measured, bounds=Bounds(low, high), budget_left=-1.0)
    assert budget_code([replace(kept, measured=seen)]) is code


def test_no_budget_at_all_is_not_known() -> None:
    assert budget_code([]) is ExitCode.NO_DATA


def test_a_watch_ends_with_the_first_look_of_the_verdict_that_was_waited_for() -> None:
    (kept,) = read_kept(services([0.0] * SPANS), WANTED)
    unread = Kept(objective(), None, None, InvalidQuery("Prometheus cannot evaluate the query"))
    looks = [(unread,), (kept,), (unread,)]
    assert list(ending_at(Verdict.PASS, looks)) == looks[:2]
    assert list(ending_at(None, looks)) == looks
