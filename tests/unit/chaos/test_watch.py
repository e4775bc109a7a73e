"""An experiment ends for a condition that is met, for a budget that burns, and for not seeing."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from maestro_cli.chaos.model import Guarded, Kind, StopCondition
from maestro_cli.chaos.verdict import Steady
from maestro_cli.chaos.watch import Watch, bad_query
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Unreachable
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Counters, Objective
from tests.patience import PATIENCE_SECONDS, wait_for

OBJECTIVE = Objective("fraud", "", "fraud", 0.99, 30 * 86400.0, Counters("all_total", bad="bad_total"), {})
RATIO, BAD = ratio_query(OBJECTIVE, "1m"), bad_query(OBJECTIVE)
STOP = StopCondition("errors", ">", 0.5)


class Hands(SystemClock):
    """A clock that stands where it was put."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


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
    watch = Watch(Guarded(stop=(STOP,)), [OBJECTIVE], told, SystemClock(), every_seconds=0.001)
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

    watch = Watch(Guarded(stop=(STOP,)), [], broken, SystemClock(), every_seconds=0.001)
    watch.begin()
    wait_for(lambda: watch.stop is not None, "the end")
    assert watch.stop is not None
    assert watch.stop.kind is Kind.BLIND
    assert "ValueError" in watch.stop.why


class Slow:
    """Answers when it is let go."""

    def __init__(self, value: float | None) -> None:
        self._value = value
        self.asked, self.let_go = threading.Event(), threading.Event()

    def __call__(self, query: str) -> float | None:
        self.asked.set()
        assert self.let_go.wait(PATIENCE_SECONDS)
        return self._value


def test_a_look_that_began_before_the_end_counts() -> None:
    slow = Slow(0.6)
    watch = Watch(Guarded(stop=(STOP,)), [], slow, SystemClock())
    watch.begin()
    assert slow.asked.wait(PATIENCE_SECONDS)
    watch.end()
    slow.let_go.set()
    watch.concluded()
    assert watch.stop is not None
    assert watch.stop.kind is Kind.CONDITION


def test_what_is_not_answered_is_blindness_after_three_times_the_time_of_a_look() -> None:
    slow, clock = Slow(0.1), Hands()
    watch = Watch(Guarded(stop=(STOP,)), [], slow, clock)
    watch.begin()
    assert slow.asked.wait(PATIENCE_SECONDS)
    clock.at = 8.9
    watch.notice_silence()
    assert watch.stop is None
    clock.at = 9.0
    watch.notice_silence()
    assert watch.stop is not None
    assert watch.stop.kind is Kind.BLIND
    watch.end()
    slow.let_go.set()


def test_one_thing_that_does_not_answer_hides_no_other() -> None:
    slow = Slow(0.1)
    other = StopCondition("other", ">", 0.5)
    watch = Watch(
        Guarded(stop=(STOP, other)),
        [],
        lambda query: slow(query) if query == "errors" else 0.6,
        SystemClock(),
    )
    watch.begin()
    wait_for(lambda: watch.stop is not None, "the other")
    assert watch.stop is not None
    assert watch.stop.why.startswith("other is 0.6")
    watch.end()
    slow.let_go.set()


def test_nobody_who_looks_at_the_steady_state_is_blindness_too() -> None:
    clock = Hands()
    watch = Watch(Guarded(), [], Told({}), clock)
    watch.begin(steady_seconds=3.0)
    for clock.at in (8.0, 16.0):
        watch.steady(Steady.MET)
        watch.notice_silence()
    assert watch.stop is None
    clock.at = 25.5
    watch.notice_silence()
    assert watch.stop is not None
    assert watch.stop.kind is Kind.BLIND


@pytest.mark.parametrize("value", [0.1, None])
def test_what_is_asked_while_a_fault_is_in_force_is_counted_at_once_and_apart(value: float | None) -> None:
    told = Told({"errors": value})
    watch = Watch(Guarded(stop=(STOP,)), [], told, SystemClock(), every_seconds=PATIENCE_SECONDS)
    watch.begin()
    wait_for(lambda: told.asked == 1, "a look before it")
    watch.in_force()
    watch.taken_back()
    watch.end()
    (found,) = watch.concluded()
    assert told.asked == 2
    assert (found.answers, found.gaps, found.tail) == ((1, 0, 0) if value is not None else (0, 1, 1))


def test_a_look_that_is_under_way_in_the_end_was_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_cli.chaos.watch.LAST_SECONDS", 0.01)
    slow = Slow(0.1)
    watch = Watch(Guarded(stop=(STOP,)), [], slow, SystemClock())
    watch.in_force()
    watch.begin()
    assert slow.asked.wait(PATIENCE_SECONDS)
    watch.end()
    (found,) = watch.concluded()
    assert (found.answers, found.gaps, found.tail) == (0, 1, 1)
    slow.let_go.set()


def test_three_looks_at_the_steady_state_without_an_answer_are_blindness_and_two_are_none() -> None:
    watch = Watch(Guarded(), [], Told({}), SystemClock())
    for seen in (Steady.NO_DATA, Steady.NO_DATA, Steady.MET, Steady.NO_DATA, Steady.NO_DATA):
        watch.steady(seen)
    assert watch.stop is None
    watch.steady(Steady.NO_DATA)
    assert watch.stop is not None
    assert watch.stop.kind is Kind.BLIND


def test_what_is_over_finds_nothing_more() -> None:
    watch = Watch(Guarded(), [], Told({}), SystemClock())
    watch.end()
    for _ in range(5):
        watch.steady(Steady.NO_DATA)
    assert watch.stop is None
