"""What an objective's burn is called, from one answer over every range."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import maestro_cli
from maestro_cli.core.facts.metrics import Sample
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.burning import SPAN, Burning, burn_query, read_rates, unanswered
from maestro_cli.slo.objectives import Counters, Indicator, Latency, Objective, Queries, Threshold

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
PROMISE = Objective(
    "web", "web", "web", 0.999, 30 * 86400.0, Counters("http_total", 'http_total{code="500"}'), {}
)
SPANS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def answer(**ratios: float) -> list[Sample]:
    """With what says that a failure would have been counted."""
    told = {**ratios, "told": 1.0}
    return [Sample({SPAN: span.removeprefix("s")}, ratio, NOW) for span, ratio in told.items()]


def burning(**ratios: float) -> Burning:
    return Burning(PROMISE, read_rates(answer(**ratios), PROMISE), 0.5)


def every(ratio: float) -> dict[str, float]:
    return {f"s{span}": ratio for span in SPANS}


def test_every_range_of_the_alert_rules_is_asked_for_at_once() -> None:
    query = burn_query(PROMISE)
    assert [f'"{SPAN}", "{span}"' in query for span in SPANS] == [True] * len(SPANS)


@pytest.mark.parametrize(
    "indicator",
    [PROMISE.indicator, Latency("s", 0.1), Threshold("up", "gte", 1.0)],
    ids=["counters", "latency", "threshold"],
)
def test_burn_is_of_all_workloads_together_as_the_alerts_are(indicator: Indicator) -> None:
    query = burn_query(replace(PROMISE, indicator=indicator))
    assert (query.count("by ()") > 0, query.count("deployment")) == (True, 0)


@pytest.mark.parametrize(
    ("bad", "is_none"),
    [("sum(rate(a[$window])) + sum(rate(b[$window]))", False), ('sum(rate(t{c="5"}[$window]))', True)],
    ids=["a sum, empty where one of the two is", "a counter of all events"],
)
def test_no_answer_counts_none_of_one_counter_alone(bad: str, is_none: bool) -> None:
    queries = Queries("sum(rate(t[$window]))", bad=bad)
    query = burn_query(replace(PROMISE, indicator=queries))
    assert query.count("or 0 * sum(") == len(SPANS) * is_none


@pytest.mark.parametrize(
    ("kind", "none"),
    [(PROMISE.indicator, 0.0), (Counters("http_total", good='http_total{code="200"}'), 1.0)],
    ids=["bad", "good"],
)
def test_a_ratio_that_rests_on_no_counter_at_all_is_no_reading(kind: Counters, none: float) -> None:
    """What was counted stands, whatever is there now; what was measured tells more than the answer."""
    one = replace(PROMISE, indicator=kind)
    untold = [sample for sample in answer(**{**every(none), "s1h": 0.5}) if sample.labels[SPAN] != "told"]
    rates = read_rates(untold, one)
    assert {span for span, rate in rates.items() if rate is not None} == {3600.0}
    assert Burning(one, rates, 0.5).state is not BurnState.OK
    assert "no counter" in unanswered(untold, one)
    assert None not in read_rates(untold, one, is_told=True).values()
    assert unanswered(untold, one, is_told=True) == ""


@pytest.mark.parametrize(
    ("ratios", "state"),
    [
        (every(0.0), BurnState.OK),
        (every(0.5), BurnState.CRITICAL),
        ({**every(0.0), "s5m": 0.5}, BurnState.INCREASING),
        ({**every(0.0), "s1h": 0.5}, BurnState.RECOVERING),
        ({}, BurnState.NO_DATA),
    ],
    ids=["quiet", "everywhere", "just-begun", "just-ended", "nothing"],
)
def test_the_state_is_that_of_long_and_short_ranges(ratios: dict[str, float], state: BurnState) -> None:
    assert burning(**ratios).state is state


def test_no_traffic_is_no_rate() -> None:
    assert set(burning(**every(math.nan)).rates.values()) == {None}


def test_the_budget_is_gone_when_half_of_it_burns_at_ten_times_the_rate() -> None:
    assert burning(**every(0.01)).gone_in_seconds == pytest.approx(0.5 * 30 * 86400 / 10)


def test_the_budget_of_another_window_is_gone_in_its_time() -> None:
    week = replace(burning(**every(0.01)), window_seconds=7 * 86400.0)
    assert week.gone_in_seconds == pytest.approx(0.5 * 7 * 86400 / 10)


def test_whoever_reads_a_burn_asks_for_the_ratio_of_all_events_together() -> None:
    """Not for the worst of several workloads, which another reader would not find again."""
    package = Path(maestro_cli.__file__).parent
    own = {"slo/objectives.py", "slo/burning.py", "slo/rules/recording.py", "output/renderers/objectives.py"}
    asking = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "objective.error_ratio(" in path.read_text(encoding="utf-8")
    }
    assert asking <= own
