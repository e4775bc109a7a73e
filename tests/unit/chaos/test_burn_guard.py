"""An experiment may burn little of what is left, and what is not known allows nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.changes.left import Left
from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.guard.burn import PredictedBurn
from maestro_cli.chaos.guard.check import Allows, Answer, Burn
from maestro_cli.chaos.model import Guarded
from maestro_cli.chaos.planning import Planner, burn_at_worst
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.clock import SystemClock
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
    gaps = Burn("a", 0.001, -3.0, left_by_what_was_seen=0.9)
    assert asked(gaps).allows is Allows.NO
    assert asked(gaps, budgets="seen").allows is Allows.YES
    assert asked(Burn("a", 0.001, None, left_by_what_was_seen=1.0), budgets="seen").allows is Allows.YES
    assert asked(Burn("a", 0.001, None), budgets="seen").allows is Allows.UNKNOWN


def test_what_is_allowed_by_what_was_seen_says_so() -> None:
    gaps = Burn("a", 0.001, -98.99, "0.0% of its window was seen", left_by_what_was_seen=1.0)
    told = asked(gaps, budgets="seen").reason
    assert told.endswith("100.0% is left by what was seen alone: 0.0% of its window was seen")
    known = Burn("a", 0.001, 1.0, left_by_what_was_seen=1.0)
    assert asked(known, budgets="seen").reason.endswith("100.0% is left")


def test_a_burn_that_would_overspend_what_was_seen_so_far_is_told_before() -> None:
    young = Left(1.0, "0.1% of its window was seen", -98.0, 1.0, coverage=0.001)
    platform: Any = SimpleNamespace(objectives={"a": MONTH}, budget_left=lambda objective: young)
    experiment: Any = SimpleNamespace(guarded=Guarded(objectives=("a",)))
    chosen: Any = SimpleNamespace(targets=(1,), candidates=(1, 2, 3))
    (burn,) = Planner(platform, Any, SystemClock())._burns(experiment, (chosen,), 25.0)  # type: ignore[arg-type]
    assert burn.share == pytest.approx(0.0032, abs=1e-4)
    assert burn.share_of_seen == pytest.approx(3.215, abs=1e-3)
    told = asked(burn, budgets="seen")
    assert (told.allows, told.is_warning) == (Allows.YES, True)
    assert "it may be overspent then" in told.reason
    old = replace(burn, share_of_seen=0.004)
    assert not asked(old, budgets="seen").is_warning


def test_nothing_is_a_share_of_a_budget_that_is_overspent() -> None:
    told = asked(Burn("a", 0.001, -0.367)).reason
    assert told == "a: it would burn 0.1% of its budget at worst, and none is left: overspent by 36.7%"
    assert "-" not in asked(Burn("a", 0.001, -0.367), protected=True).reason


def test_a_budget_of_which_nothing_happened_is_told_as_it_is_counted() -> None:
    idle = Left(None, "no traffic", is_idle=True)
    platform: Any = SimpleNamespace(objectives={"a": MONTH}, budget_left=lambda objective: idle)
    experiment: Any = SimpleNamespace(guarded=Guarded(objectives=("a",)))
    (burn,) = Planner(platform, Any, SystemClock())._burns(experiment, (), 60.0)  # type: ignore[arg-type]
    assert (burn.left_at_least, burn.left_by_what_was_seen) == (None, 1.0)
    assert burn.words == "not known (nothing happened: all of it by what was seen)"


shares = st.one_of(st.none(), st.floats(-1, 1))


@given(st.lists(st.builds(Burn, st.just("a"), st.one_of(st.none(), st.floats(0, 1)), shares), min_size=1))
def test_it_lets_through_only_what_each_budget_can_spare(burns: list[Burn]) -> None:
    spared = all(
        one.share is not None and one.left_at_least is not None and one.share <= 0.05 * one.left_at_least
        for one in burns
    )
    assert (asked(*burns).allows is Allows.YES) is spared
