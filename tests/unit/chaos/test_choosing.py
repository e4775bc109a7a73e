"""The seed decides which targets are chosen: the same seed over the same candidates, the same targets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from maestro_cli.chaos.planning import burn_at_worst, choose
from maestro_cli.core.refs import ObjectRef
from maestro_cli.slo.objectives import Counters, Objective


def candidates(count: int) -> list[Candidate]:
    return [Candidate(ObjectRef("Pod", "ml", f"p-{n}"), f"u-{n}") for n in range(count)]


def order(count: Count) -> FaultOrder:
    return FaultOrder("it", "pod-delete", {}, TargetRule("ml", None, "app=x", count))


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 2**31), st.randoms())
def test_it_is_repeatable_in_any_order_and_never_more_than_there_are(
    there: int, wanted: int, seed: int, chance: object
) -> None:
    given = candidates(there)
    shuffled = sorted(given, key=lambda one: hash((one.uid, seed)))
    chosen = choose(given, order(Count(number=wanted)), seed)
    assert chosen == choose(shuffled, order(Count(number=wanted)), seed)
    assert len(set(chosen)) == len(chosen) == min(there, wanted)
    assert set(chosen) <= set(given)


def test_seeds_choose_differently() -> None:
    found = {choose(candidates(10), order(Count(number=1)), seed) for seed in range(50)}
    assert len(found) > 5


@given(st.floats(0.001, 1), st.integers(1, 1000))
def test_a_share_is_rounded_down_and_is_one_at_least(share: float, there: int) -> None:
    assert Count(share=share).of(there) == max(1, int(share * there))


def test_a_tenth_of_the_traffic_for_five_minutes_burns_a_hundredth_of_a_month() -> None:
    """The figure of the field: 10 % x 5 min at 99.9 % over 30 days is 1.16 %."""
    objective = Objective("a", "", "a", 0.999, 30 * 86400.0, Counters("t", "b"), {})
    burn = burn_at_worst(objective, 0.1, 300)
    assert burn is not None
    assert round(burn, 4) == 0.0116
