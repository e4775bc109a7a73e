"""Unit costs, budgets of money and right-sizing: what they ask for, and that an apply is the command's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.services.costs.budgets import find_outlook
from maestro_cli.services.costs.rightsizing import RightsizingWanted, find_rightsizing
from maestro_cli.services.costs.unit_costs import UnitCostWanted, find_version_costs
from maestro_cli.tui.acting.model import Danger, Target
from maestro_cli.tui.screens.cost_budgets import BUDGETS, budget_rows, read_budgets, read_forecast
from maestro_cli.tui.screens.cost_spans import LookedBack
from maestro_cli.tui.screens.costs import read_costs
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.rightsizing import (
    SCREENS,
    apply_action,
    open_sizing,
    read_rightsizing,
    read_sizing,
    sized_rows,
    sized_target,
)
from maestro_cli.tui.screens.unit_costs import UNIT_COSTS, read_unit_costs
from tests.tui.facts import HOSTILE
from tests.tui.facts_of_spending import rightsizing

APPLY = apply_action("rightsizing")


class Recorder:
    """Services that keep what was asked of them."""

    def __init__(self, budgets: tuple[str, ...] = ()) -> None:
        self.asked: list[Any] = []
        self.context = SimpleNamespace(costs=SimpleNamespace(budgets=budgets))

    def __getattr__(self, name: str) -> Any:
        return lambda *wanted: self.asked.append((name, *wanted))


def target_of(number: int, argument: str = "") -> Target:
    row = sized_rows(rightsizing(HOSTILE))[number]
    return sized_target(row, Place("rightsizing", argument, "prod"))


@pytest.mark.parametrize(
    ("argument", "asked", "enough"),
    [
        ("", LookedBack("", "14d"), "604800s"),
        ("ml", LookedBack("ml", "14d"), "604800s"),
        ("2h", LookedBack("", "2h"), "3600s"),
        ("ml,7d", LookedBack("ml", "7d"), "302400s"),
        ("30m,ml/deploy/fraud", LookedBack("ml/deploy/fraud", "30m"), "900s"),
    ],
)
def test_a_place_says_of_whom_and_how_far_back(argument: str, asked: LookedBack, enough: str) -> None:
    found = LookedBack.read(argument, "14d")
    assert (found, found.enough) == (asked, enough)


@pytest.mark.parametrize("argument", ["ml,web", "1h,2h"])
def test_two_of_a_kind_are_refused(argument: str) -> None:
    with pytest.raises(UsageError):
        LookedBack.read(argument, "14d")


def test_a_time_that_is_none_is_refused_where_it_is_read() -> None:
    with pytest.raises(UsageError):
        assert LookedBack.read("3parsecs", "14d").enough


@pytest.mark.parametrize(
    ("read", "argument", "fix"),
    [
        (read_forecast, "temas", ":forecast team"),
        (read_forecast, "team,team", ":forecast namespace,workload"),
        (read_costs, "label:", ":cost namespace"),
        (read_rightsizing, "ml,1m", ":rightsizing 14d"),
        (read_sizing, "ml/deploy/fraud,1m", ":rightsizing 14d"),
        (read_unit_costs, "ml,1x", ":unit-costs 1h"),
    ],
)
def test_what_is_mistyped_here_is_mended_by_words_of_the_console(
    read: Callable[[Any, str], object], argument: str, fix: str
) -> None:
    """By the errors of the use cases themselves, which know options of the command alone."""
    prices = SimpleNamespace(figures=SimpleNamespace(replica_hourly_rate=1.0), book=None)
    costs: Any = SimpleNamespace(prices=lambda _: prices)  # are read before the window is
    services = SimpleNamespace(
        month_outlook=partial(find_outlook, costs),
        rightsizing=partial(find_rightsizing, costs),
        version_costs=partial(find_version_costs, costs),
    )
    with pytest.raises(UsageError) as found:
        read(services, argument)
    assert found.value.fix == fix


def test_feeds_ask_for_what_the_commands_ask() -> None:
    services: Any = Recorder()
    read_rightsizing(services, "")
    read_rightsizing(services, "ml,2h")
    read_sizing(services, "ml/deploy/fraud")
    read_unit_costs(services, "ml,24h")
    assert services.asked == [
        ("rightsizing", RightsizingWanted(everywhere=True, least_history="604800s")),
        ("rightsizing", RightsizingWanted("ml", window="2h", least_history="3600s")),
        ("rightsizing", RightsizingWanted(workloads=("ml/deploy/fraud",), least_history="604800s")),
        ("version_costs", UnitCostWanted(namespace="ml", window="24h")),
    ]


def test_what_reads_much_history_is_read_seldom() -> None:
    assert min(BUDGETS.every_seconds, UNIT_COSTS.every_seconds, SCREENS[0].feed.every_seconds) >= 60


def test_no_budget_is_no_error() -> None:
    services: Any = Recorder()
    assert budget_rows(read_budgets(services, "")) == ()
    assert services.asked == []


def test_an_apply_is_planned_as_the_command_plans_it() -> None:
    services: Any = Recorder()
    target = target_of(0, "ml,2h")
    assert APPLY.plans_in_turn is not None
    APPLY.plans_in_turn(services, target, {})
    looked = {"window": "2h", "least_history": "3600s"}
    wanted = RightsizingWanted(workloads=("ml/deploy/fraud",), **looked)  # type: ignore[arg-type]
    assert services.asked == [("plans_rightsizing", "ml/deploy/fraud", wanted)]
    assert APPLY.danger is Danger.DISRUPTIVE
    assert APPLY.line(target, {}) == (
        "cost", "rightsize", "apply", "ml/deploy/fraud", "--window", "2h", "--least-history", "3600s",
    )  # fmt: skip
    assert APPLY.line(target_of(0), {}) == ("cost", "rightsize", "apply", "ml/deploy/fraud")


def test_what_may_not_be_set_is_refused_with_its_reasons_before_anything_is_asked() -> None:
    assert APPLY.refuses(target_of(0)) == ""
    assert "throttled" in APPLY.refuses(target_of(1))


def test_the_evidence_is_of_the_window_that_was_looked_at() -> None:
    assert open_sizing(target_of(0)) == Place("sizing", "ml/deploy/fraud", "prod")
    assert open_sizing(target_of(0, "ml,2h")) == Place("sizing", "ml/deploy/fraud,2h", "prod")
