"""`maestro cost unit`: what a million predictions cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import AllNamespacesOption, InNamespaceOption, OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.costs import unit_costs_view
from maestro_cli.output.writer import emit
from maestro_cli.services.costs.unit_costs import UnitCostWanted


def unit(
    ctx: typer.Context,
    service: Annotated[str, typer.Option(metavar="NAME", help="This service; by default every one.")] = "",
    window: Annotated[str, typer.Option(metavar="DURATION", help="How far back to look.")] = "1h",
    budget: Annotated[
        float | None, typer.Option(metavar="AMOUNT", help="What a million may cost, in the price's currency.")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices; by default `costs` of the context.")
    ] = None,
    label: Annotated[str, typer.Option(metavar="LABEL", help="Its label that names it.")] = "deployment",
    namespace: InNamespaceOption = None,
    everywhere: AllNamespacesOption = False,
    output: OutputOption = "table",
) -> None:
    """Show what a million successful predictions cost: price × replica-hours, by the servers' own metrics.

    Exit 10 when a service is over the budget, 15 when one has no data, no price or no successful prediction,
    or was measured for less than nine tenths of the window.

    Example: maestro cost unit --service fraud --window 5m --budget 5

    Example: maestro cost unit -A --prices prices.yaml -o json
    """
    options = output_options(ctx, output)
    wanted = UnitCostWanted(service, namespace, everywhere, window, budget, prices, label)
    found = ctx.obj.unit_costs(wanted)
    emit(unit_costs_view(found), options)
    verdicts = {item.verdict for item in found.items}
    if Verdict.FAIL in verdicts:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
    if Verdict.INDETERMINATE in verdicts:
        raise typer.Exit(ExitCode.NO_DATA)
