"""A soak that did not disturb, or whose disturbance failed, does not pass."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench import soak
from tests.bench.figures import Figure
from tests.e2e.disturbance import Kill, Request

SECONDS = 600
WELL = {"rollouts": 1, "kills": 20, "put": 60, "served": 60}
REQUESTS = [Request(float(n), n + 0.01, "200", "") for n in range(SECONDS)]


def missed(kills: int, told: dict[str, int]) -> list[str]:
    died = [Kill(30.0 * n, f"fraud-{n}") for n in range(kills)]
    figures: list[Figure] = soak._figures(REQUESTS, died, Counter(told), SECONDS)
    return [figure.name.strip() for figure in figures if not figure.met]


def test_a_soak_in_which_all_was_done_passes() -> None:
    assert missed(20, WELL) == []
    assert missed(16, WELL) == []


@pytest.mark.parametrize(
    ("kills", "told", "figure"),
    [
        (15, WELL, "kills that were due and not done"),
        (0, WELL | {"kills": 0}, "kills that were due and not done"),
        (20, WELL | {"served": 59}, "routing documents that were put and not served"),
        (20, WELL | {"put": 0, "served": 0}, "routing documents that were put and not served"),
        (20, WELL | {"rollouts": 0}, "rollouts not done"),
    ],
)
def test_a_soak_in_which_something_was_not_done_fails(kills: int, told: dict[str, int], figure: str) -> None:
    assert missed(kills, told) == [figure]


class Scripted:
    """A platform of which every document is served at once, and whose rollout ends as it is told to."""

    def __init__(self, rollout: AssertionError | None) -> None:
        self.rollout = rollout
        self.documents = 0

    def start_rollout(self) -> None:
        pass

    def await_rollout(self) -> None:
        if self.rollout is not None:
            raise self.rollout

    def kill_a_replica(self) -> bool:
        return True

    def change_routing(self) -> str:
        self.documents += 1
        return ""

    def routing_in_force(self) -> str:
        return str(self.documents)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KILL_SECONDS", "ROUTING_SECONDS"):
        monkeypatch.setattr(soak, name, 0.1)
    monkeypatch.setattr(soak, "_LOOK_SECONDS", 0.001)


def test_a_rollout_that_fails_fails_the_soak(fast: None) -> None:
    with pytest.raises(AssertionError, match="it does not come up"):
        soak._disturb(Scripted(AssertionError("it does not come up")), 0.5)


def test_what_was_due_is_counted_whether_it_was_done_or_not(fast: None) -> None:
    told = soak._disturb(Scripted(None), 0.5)
    assert told["rollouts"] == 1
    assert told["kills"] >= 2
    assert told["served"] == told["put"] >= 2
