"""`maestro cost budget` and `maestro cost forecast`: what the month costs, and what it will come to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_cli.cli.commands.cost.options import FromOption, PricesOption, UntilOption
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.writer import emit

if TYPE_CHECKING:
    from maestro_cli.cost.budgets.model import BudgetStanding

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

FileOption = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", metavar="FILE", help="Budgets; by default `costs.budgets` of the context."),
]
HistoryOption = Annotated[
    str,
    typer.Option(metavar="DURATION", help="How long before the month to look at, for rates and weekdays."),
]


@app.callback()
def budget() -> None:
    """Budgets of money: what is spent of them, how fast, what the month comes to, which days were dear."""


@app.command("list")
def list_budgets(
    ctx: typer.Context,
    files: FileOption = None,
    history: HistoryOption = "28d",
    until: UntilOption = "",
    prices: PricesOption = None,
    record: FromOption = None,
    output: OutputOption = "table",
) -> None:
    """List the budgets of a month with what is spent, the forecast, the burn and a verdict.

    Exit 10 when one is over, 15 when one has no data, no price, or was measured for less than nine tenths of
    the month so far.

    Example: maestro cost budget list --file budgets.yaml
    """
    from maestro_cli.output.renderers.cost_budgets import budgets_view
    from maestro_cli.services.costs.budgets import BudgetsWanted

    options = output_options(ctx, output)
    report = ctx.obj.budgets_of_month(BudgetsWanted("", files or (), history, until, prices, record))
    emit(budgets_view(report), options)
    _end(report.items)


@app.command("show")
def show_budget(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="BUDGET", help="Its name in the file.")],
    files: FileOption = None,
    history: HistoryOption = "28d",
    until: UntilOption = "",
    prices: PricesOption = None,
    record: FromOption = None,
    output: OutputOption = "table",
) -> None:
    """Show one budget: its month day by day, and what made days dear or cheap.

    A day is compared with those of its weekday; what differed is told by workload, with the changes of the
    journal meanwhile. Exit 10 when it is over, 15 when that cannot be told.

    Example: maestro cost budget show ml
    """
    from maestro_cli.output.renderers.cost_budgets import budget_view
    from maestro_cli.services.costs.budgets import BudgetsWanted

    options = output_options(ctx, output)
    report = ctx.obj.budgets_of_month(BudgetsWanted(name, files or (), history, until, prices, record))
    emit(budget_view(report), options)
    _end(report.items)


def forecast(
    ctx: typer.Context,
    by: Annotated[
        str, typer.Option("--by", metavar="KEYS", help="Tell it by these: namespace, team, …")
    ] = "namespace",
    where: Annotated[
        str, typer.Option(metavar="MATCHERS", help="Only of these: namespace=ml,team=risk.")
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Show so many rows; 0 for all.")] = 20,
    history: HistoryOption = "28d",
    until: UntilOption = "",
    prices: PricesOption = None,
    record: FromOption = None,
    output: OutputOption = "table",
) -> None:
    """Tell what the month will come to: what is spent, and the rate of a day for the days left.

    With an interval that holds four months of five, from as far back as Prometheus remembers. Exit 15 when
    there is no whole day to tell it from.

    Example: maestro cost forecast --by team
    """
    from maestro_cli.output.renderers.cost_budgets import outlook_view
    from maestro_cli.services.costs.budgets import BudgetsWanted

    options = output_options(ctx, output)
    found = ctx.obj.month_outlook(BudgetsWanted("", (), history, until, prices, record), by, where)
    emit(outlook_view(found, limit), options)
    if found.whole.total is None:
        raise typer.Exit(ExitCode.NO_DATA)


def _end(items: Iterable[BudgetStanding]) -> None:
    verdicts = {one.standing.judgement.verdict for one in items}
    if Verdict.FAIL in verdicts:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
    if Verdict.INDETERMINATE in verdicts:
        raise typer.Exit(ExitCode.NO_DATA)
