"""What is asked of Prometheus about a canary, and what its answers become."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.changes.canary.examination import crashing_pods, examine
from maestro_cli.changes.canary.model import Canary, Rules, Verb
from maestro_cli.changes.canary.traffic import Traffic
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.refs import serving_ref
from tests.unit.changes.bench import Bench
from tests.unit.changes.fake_configs import CONFIG
from tests.unit.changes.some_world import SomeWorld

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=10)


class Recorded:
    """A Prometheus that answers each question from the first text that it holds."""

    def __init__(self, answers: Mapping[str, Mapping[str, float]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.asked.append(promql)
        found = next((answer for text, answer in self._answers.items() if text in promql), {})
        samples = tuple(Sample({"version": version}, value, NOW) for version, value in found.items())
        return Instant(promql, NOW, samples)

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Any, ...]:
        raise AssertionError("only instants are asked for")


ANSWERS = {
    '5.."}[10m]': {"1": 9.0},
    '5.."}[5m]': {},
    "requests_total{": {"1": 900.0, "2": 100.0},
    "_count{": {"1": 900.0, "2": 100.0},
    "_bucket{": {"1": 880.0, "2": 100.0},
    "_sum{": {"1": 9.0, "2": 1.0},
}


def test_counts_are_by_version_and_a_version_without_errors_has_none() -> None:
    mine, usual, absent = Traffic(Recorded(ANSWERS), CONFIG, "fraud").tallies(
        ("2", "1", "7"), Rules(), SINCE, NOW
    )
    assert (mine.requests, mine.errors, mine.slow, mine.seconds) == (100, 0, 0, 1)
    assert (usual.requests, usual.errors, usual.slow, usual.bad_lately) == (900, 9, 20, 0)
    assert (absent.requests, absent.errors, absent.slow, absent.bad_lately) == (None, None, None, None)


def test_it_asks_for_that_model_in_that_namespace_and_counts_what_was_born_meanwhile() -> None:
    metrics = Recorded(ANSWERS)
    Traffic(metrics, CONFIG, 'fr"aud').tallies(("2", "1"), Rules(slow_seconds=10), SINCE, NOW)
    assert all(r'model="fr\"aud"' in asked and 'namespace="ml"' in asked for asked in metrics.asked)
    assert all(" unless " in asked and " offset " in asked for asked in metrics.asked)
    assert sum('le=~"10|10[.]0"' in asked for asked in metrics.asked) == 1
    alone = Recorded(ANSWERS)
    Traffic(alone, serving_ref(), "fraud").rate(NOW)
    assert not any("namespace" in asked for asked in alone.asked)


def test_accuracy_is_asked_for_only_where_counters_are_named() -> None:
    metrics = Recorded({"right_total": {"2": 90.0}, "judged_total": {"2": 100.0}, **ANSWERS})
    rules = Rules(right="right_total", judged="judged_total")
    (mine,) = Traffic(metrics, CONFIG, "fraud").tallies(("2",), rules, SINCE, NOW)
    assert (mine.right, mine.judged) == (90, 100)
    (without,) = Traffic(Recorded(ANSWERS), CONFIG, "fraud").tallies(("2",), Rules(), SINCE, NOW)
    assert (without.right, without.judged) == (None, None)


def test_traffic_that_is_not_known_is_not_none_at_all() -> None:
    assert Traffic(Recorded({}), CONFIG, "fraud").rate(NOW) == (None, None)
    nan = Recorded({"rate(": {"": math.nan}, **ANSWERS})
    assert Traffic(nan, CONFIG, "fraud").rate(NOW) == (None, None)
    rate, share = Traffic(Recorded({"rate(": {"": 50.0}, **ANSWERS}), CONFIG, "fraud").rate(NOW)
    assert rate == 50.0
    assert share == pytest.approx(9 / 1000)


def test_a_canary_is_examined_with_what_stands_around_it(bench: Bench) -> None:
    world = SomeWorld(bench.cluster, prometheus=Recorded({"rate(": {"": 50.0}, **ANSWERS}))
    canary = Canary("can-1", CONFIG, "fraud", 2, 1, 0.1, "ada", Rules(), "chg-1", SINCE)
    found = examine(world, canary, NOW, None)
    assert (found.decision.verb, found.overdue) == (Verb.HOLD, False)
    assert (crashing_pods(world, CONFIG), crashing_pods(world, serving_ref())) == ((), ())
    late = replace(canary, rules=Rules(deadline_seconds=60))
    assert examine(world, late, NOW, None).overdue
