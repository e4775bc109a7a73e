"""An experiment may burn little of what is left, and what is not known allows nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.guard.burn import PredictedBurn
from maestro_cli.chaos.guard.check import Allows, Answer, Burn
from maestro_cli.chaos.planning import burn_at_worst
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.slo.objectives import Counters, Objective

MONTH = Objective("a", "", "fraud", 0.999, 30 * 86400.0, Counters("all", bad="bad"), {})


def asked(*burns: Burn, protected: bool = False, budgets: str = "known") -> Answer:
    proposal: Any = SimpleNamespace(
        experiment=SimpleNamespace(acts=True), burns=burns, policy=Policy("here", protected=protected)
    )
    rules: Any = ExperimentRules(["ml"], budgets=budgets)  # type: ignore[arg-type]
    around: Any = SimpleNamespace(rules=rules)
    return PredictedBurn().examine(proposal, around)


def test_a_tenth_of_the_traffic_for_five_minutes_is_1_16_percent_of_a_month_of_three_nines() -> None:
    assert burn_at_worst(MONTH, 0.1, 300.0) == pytest.approx(0.01157, abs=1e-5)


@pytest.mark.parametrize(
    ("share", "left", "protected", "allows"),
    [
        (0.01, 1.0, False, Allows.YES),
        (0.05, 1.0, False, Allows.YES),
        (0.051, 1.0, False, Allows.NO),
        (0.01, 0.19, False, Allows.NO),
        (0.01, 0.21, False, Allows.YES),
        (0.001, 0.24, True, Allows.NO),
        (0.001, 0.26, True, Allows.YES),
        (0.001, -0.5, False, Allows.NO),
        (None, 1.0, False, Allows.UNKNOWN),
        (0.001, None, False, Allows.UNKNOWN),
    ],
)
def test_five_percent_of_what_is_left_is_the_most(
    share: float | None, left: float | None, protected: bool, allows: Allows
) -> None:
    assert asked(Burn("a", share, left), protected=protected).allows is allows


def test_one_that_names_no_objective_is_told_of_and_refused_where_the_context_is_protected() -> None:
    told = asked()
    assert (told.allows, told.is_warning) == (Allows.YES, True)
    assert asked(protected=True).allows is Allows.NO


def test_by_what_was_seen_gaps_count_for_nothing() -> None:
    gaps = Burn("a", 0.001, -3.0, seen=0.9)
    assert asked(gaps).allows is Allows.NO
    assert asked(gaps, budgets="seen").allows is Allows.YES
    assert asked(Burn("a", 0.001, None, seen=1.0), budgets="seen").allows is Allows.YES
    assert asked(Burn("a", 0.001, None), budgets="seen").allows is Allows.UNKNOWN


shares = st.one_of(st.none(), st.floats(-1, 1))


@given(st.lists(st.builds(Burn, st.just("a"), st.one_of(st.none(), st.floats(0, 1)), shares), min_size=1))
def test_it_lets_through_only_what_each_budget_can_spare(burns: list[Burn]) -> None:
    spared = all(
        one.share is not None and one.left is not None and one.share <= 0.05 * one.left for one in burns
    )
    assert (asked(*burns).allows is Allows.YES) is spared
