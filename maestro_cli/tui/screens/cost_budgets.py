"""Budgets of money: what is spent of them, what the month comes to, and which days were dear.

Invariant: figures are those of `maestro cost budget` and `cost forecast`, by the same views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maestro_cli.output.views import Listing, Report
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.cost_spans import mended_here
from maestro_cli.tui.screens.cost_visits import visits_from
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.cost.budgets.model import BudgetReport, BudgetStanding
    from maestro_cli.cost.budgets.outlook import Outlook
    from maestro_cli.services.root import Services

EVERY_SECONDS = 1800.0  # a month is metered for it, by the hour
NONE_WRITTEN = "no budget is written: costs: {budgets: [FILE]} of the context names one"


def read_budgets(services: Services, argument: str) -> BudgetReport | None:
    """Without a budget there is nothing to hold the bill against, which is no error here."""
    from maestro_cli.services.costs.budgets import BudgetsWanted

    if not services.context.costs.budgets:
        return None
    with mended_here("cost-budgets"):
        return services.budgets_of_month(BudgetsWanted())


def read_budget(services: Services, argument: str) -> BudgetReport:
    from maestro_cli.services.costs.budgets import BudgetsWanted

    with mended_here("cost-budgets"):
        return services.budgets_of_month(BudgetsWanted(argument))


def read_forecast(services: Services, argument: str) -> Outlook:
    from maestro_cli.services.costs.budgets import BudgetsWanted

    with mended_here("forecast"):
        return services.month_outlook(BudgetsWanted(), argument or "namespace", "")


BUDGETS: Feed[BudgetReport | None] = Feed("cost-budgets", "Prometheus", EVERY_SECONDS, read_budgets)
BUDGET: Feed[BudgetReport] = Feed("cost-budget", "Prometheus", EVERY_SECONDS, read_budget)
FORECAST: Feed[Outlook] = Feed("cost-forecast", "Prometheus", EVERY_SECONDS, read_forecast)


def budget_rows(report: BudgetReport | None) -> tuple[BudgetStanding, ...]:
    return () if report is None else report.items


def budgets_listing(found: Sequence[BudgetStanding], moment: Moment) -> Listing[BudgetStanding]:
    """The columns of `cost budget list`; a row tells its own currency, for those of several contexts."""
    from maestro_cli.core.money import money
    from maestro_cli.output.renderers.cost_budgets import budget_columns

    def amount(one: BudgetStanding) -> str:
        return money(one.budget.amount, one.budget.currency)

    priorities = {"forecast": 1, "why": 2}  # the verdict says the most of why
    columns = [
        replace(one, title="a month", cell=amount)
        if one.title.endswith(" a month")
        else replace(one, priority=priorities.get(one.title, one.priority))
        for one in budget_columns("")
    ]
    return Listing("cost-budgets-items/v1", columns, found, empty=NONE_WRITTEN)


def budget_report(report: BudgetReport, moment: Moment) -> Report:
    from maestro_cli.output.renderers.cost_budgets import budget_view

    return budget_view(report)


def forecast_report(found: Outlook, moment: Moment) -> Report:
    from maestro_cli.output.renderers.cost_budgets import outlook_view

    return outlook_view(found, 0)


def budget_target(one: BudgetStanding, place: Place) -> Target:
    return Target(place.context, "Budget", one.budget.name, one.budget.name, one)


def shown_budget(place: Place, report: BudgetReport) -> Target:
    return budget_target(report.items[0], place)


def open_budget(target: Target) -> Place:
    return Place("cost-budget", target.name, target.context)


SCREENS = (
    TableScreen(
        id="cost-budgets",
        title="Budgets of money",
        help="Budgets of money: what is spent, how fast, what the month comes to, and the verdict.",
        feed=BUDGETS,
        rows=budget_rows,
        listing=budgets_listing,
        key=lambda one: one.budget.name,
        target=budget_target,
        opens=open_budget,
        aliases=("cost-budget-list", "spend"),
        has_namespace=False,
        actions=visits_from("cost-budgets"),
    ),
    ReportScreen(
        id="cost-budget",
        title="Budget of money",
        help="One budget: its month day by day, the forecast, and what made days dear or cheap.",
        feed=BUDGET,
        report=budget_report,
        target=shown_budget,
        actions=visits_from("cost-budget"),
    ),
    ReportScreen(
        id="forecast",
        title="Forecast",
        help="What the month comes to, by namespace or another key: `:forecast team`.",
        feed=FORECAST,
        report=forecast_report,
        aliases=("cost-forecast",),
        actions=visits_from("forecast"),
    ),
)
