"""An experiment ends for a condition that is met, for a budget that burns, and for not seeing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from maestro_cli.chaos.model import Guarded, Kind, StopCondition
from maestro_cli.chaos.verdict import Steady
from maestro_cli.chaos.watch import Watch, bad_query
from maestro_cli.core.errors import Unreachable
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Counters, Objective
from tests.patience import wait_for

OBJECTIVE = Objective("fraud", "", "fraud", 0.99, 30 * 86400.0, Counters("all_total", bad="bad_total"), {})
RATIO, BAD = ratio_query(OBJECTIVE, "1m"), bad_query(OBJECTIVE)
STOP = StopCondition("errors", ">", 0.5)


class Told:
    """What Prometheus says, and how often it was asked."""

    def __init__(self, values: Mapping[str, float | str | None]) -> None:
        self._values = values
        self.asked = 0

    def __call__(self, query: str) -> float | None:
        self.asked += 1
        value = self._values.get(query)
        if isinstance(value, str):
            raise Unreachable(value)
        return value


def watched(values: Mapping[str, float | str | None], *, looks: int = 12) -> Watch:
    """After it found something, or asked so often."""
    told = Told(values)
    watch = Watch(Guarded(stop=(STOP,)), [OBJECTIVE], told, every_seconds=0.001)
    watch.begin()
    wait_for(lambda: watch.stop is not None or told.asked >= looks, "looks")
    watch.end()
    return watch


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"errors": 0.1, RATIO: 0.0}, None),
        ({"errors": 0.6, RATIO: 0.0}, Kind.CONDITION),
        ({"errors": None, RATIO: 0.0}, Kind.BLIND),
        ({"errors": "it does not answer", RATIO: 0.0}, Kind.BLIND),
        ({"errors": 0.1, RATIO: 0.2, BAD: 50.0}, Kind.BURN),
        ({"errors": 0.1, RATIO: 0.2, BAD: 5.0}, None),  # a handful of bad events is an accident
        ({"errors": 0.1, RATIO: 0.1, BAD: 50.0}, None),  # ten times the rate, not 14.4
        ({"errors": 0.1, RATIO: None}, None),  # without traffic nothing burns
        ({"errors": 0.1, RATIO: "it does not answer"}, Kind.BLIND),
        ({"errors": 0.1, RATIO: 0.2, BAD: "it does not answer"}, Kind.BLIND),
    ],
)
def test_what_it_sees_decides(values: Mapping[str, float | str | None], kind: Kind | None) -> None:
    stop = watched(values).stop
    assert (None if stop is None else stop.kind) is kind


def test_a_watch_that_fails_ends_the_experiment_for_it_sees_nothing_any_more() -> None:
    def broken(query: str) -> float | None:
        raise ValueError(query)

    watch = Watch(Guarded(stop=(STOP,)), [], broken, every_seconds=0.001)
    watch.begin()
    wait_for(lambda: watch.stop is not None, "the end")
    assert watch.stop is not None
    assert watch.stop.kind is Kind.BLIND
    assert "ValueError" in watch.stop.why


def test_three_looks_at_the_steady_state_without_an_answer_are_blindness_and_two_are_none() -> None:
    watch = Watch(Guarded(), [], Told({}))
    for seen in (Steady.NO_DATA, Steady.NO_DATA, Steady.MET, Steady.NO_DATA, Steady.NO_DATA):
        watch.steady(seen)
    assert watch.stop is None
    watch.steady(Steady.NO_DATA)
    assert watch.stop is not None
    assert watch.stop.kind is Kind.BLIND


def test_what_is_over_finds_nothing_more() -> None:
    watch = Watch(Guarded(), [], Told({}))
    watch.end()
    for _ in range(5):
        watch.steady(Steady.NO_DATA)
    assert watch.stop is None
