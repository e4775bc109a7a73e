"""A look that hangs is one without data, and says nothing good when it is late."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from maestro_cli.chaos.verdict import Steady, steady_of
from maestro_cli.chaos.worker import sampling
from maestro_cli.chaos.worker.sampling import LATE_SECONDS, Sampler, patience_seconds
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.unit.chaos.journals import state


class Slow:
    """Looks that answer when they are let go, each with what comes next."""

    def __init__(self, *looks: str) -> None:
        self.looks = list(looks)
        self.let_go = threading.Event()
        self.begun = 0

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        self.begun += 1
        assert self.let_go.wait(PATIENCE_SECONDS)
        return state(self.looks.pop(0) if self.looks else "met")


def sampler(slow: Slow, monkeypatch: pytest.MonkeyPatch, patience: float) -> tuple[Sampler, list[Steady]]:
    seen: list[Steady] = []
    monkeypatch.setattr(f"{sampling.__name__}.hypothesis.run_steady_state_hypothesis", slow)
    made = Sampler({}, {}, {}, 0.001, patience, lambda state: seen.append(steady_of(state)))
    made.start()
    return made, seen


@pytest.mark.parametrize(("late", "told"), [("met", []), ("missed", [Steady.MISSED])])
def test_a_look_that_is_late_is_no_data_each_time_and_counts_after_that_when_it_is_bad(
    late: str, told: list[Steady], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(late)
    made, seen = sampler(slow, monkeypatch, 0.01)
    wait_for(lambda: len(seen) >= 3, "three times without data")
    assert slow.begun == 1, "nothing is asked beside it"
    slow.let_go.set()
    wait_for(lambda: slow.begun > 1, "the next look")
    made.finish()
    without = seen.index(Steady.MISSED) if told else seen.index(Steady.MET)
    assert set(seen[:without]) == {Steady.NO_DATA}
    assert set(seen[without:]) == {Steady.MET, *told}


def test_what_is_under_way_when_the_method_ends_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow("missed")
    made, seen = sampler(slow, monkeypatch, PATIENCE_SECONDS)
    wait_for(lambda: slow.begun == 1, "a look")
    threading.Timer(0.05, slow.let_go.set).start()
    made.finish()
    assert seen == [Steady.MISSED]


def test_what_does_not_answer_when_the_method_ends_is_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow("met")
    made, seen = sampler(slow, monkeypatch, 0.01)
    made.finish()
    assert seen
    assert set(seen) == {Steady.NO_DATA}
    slow.let_go.set()


def probe(**provider: Any) -> dict[str, Any]:
    return {"type": "probe", "name": "answers", "provider": {"type": "http", **provider}}


@pytest.mark.parametrize(
    ("probes", "every", "before", "seconds"),
    [
        ([probe()], 0.1, 0.0, 0.1),
        ([probe()], 30.0, 1.0, 30.0),
        ([probe()], 0.1, 4.0, 8.0),  # it always takes its time
        ([probe(timeout=5), probe(timeout=[1, 2])], 1.0, 0.0, 8.0),
        ([probe(timeout="${patience}", max_retries=1)], 1.0, 0.0, 14.0),
        ([probe(timeout="${nobody}"), probe(timeout=None)], 1.0, 0.0, 1.0),
    ],
)
def test_a_look_is_late_after_what_is_declared_and_what_it_took_in_better_times(
    probes: list[dict[str, Any]], every: float, before: float, seconds: float
) -> None:
    asked = {"steady-state-hypothesis": {"title": "well", "probes": probes}}
    assert patience_seconds(asked, ({"patience": 7}, {}), every, before) == seconds + LATE_SECONDS
