"""`maestro cost unit`: what a million predictions cost."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.commands.cost.options import UntilOption
from maestro_cli.cli.options import AllNamespacesOption, InNamespaceOption, OutputOption, output_options
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.cost_versions import version_costs_view
from maestro_cli.output.renderers.costs import unit_costs_view
from maestro_cli.output.writer import emit
from maestro_cli.services.costs.unit_costs import UnitCostWanted


class By(Enum):
    """What a line of the report is."""

    SERVICE = "service"
    VERSION = "version"


def unit(
    ctx: typer.Context,
    service: Annotated[str, typer.Option(metavar="NAME", help="This service; by default every one.")] = "",
    window: Annotated[str, typer.Option(metavar="DURATION", help="How far back to look.")] = "1h",
    until: UntilOption = "",
    budget: Annotated[
        float | None,
        typer.Option(metavar="AMOUNT", help="What a million may cost; by default `budget_per_million`."),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices; by default `costs` of the context.")
    ] = None,
    label: Annotated[str, typer.Option(metavar="LABEL", help="Its label that names it.")] = "deployment",
    by: Annotated[
        By, typer.Option(help="One line for each service, or for each version of its models.")
    ] = By.SERVICE,
    probes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL=VALUE", help="Requests with this label are probes, no predictions; repeatable."
        ),
    ] = None,
    machines: Annotated[
        bool | None,
        typer.Option(
            "--machines/--replicas",
            help="With --by version: by the prices of machines, or of a replica. Default: what is given.",
        ),
    ] = None,
    namespace: InNamespaceOption = None,
    everywhere: AllNamespacesOption = False,
    output: OutputOption = "table",
) -> None:
    """Show what a million successful predictions cost: price × replica-hours, by the servers' own metrics.

    Judged by --budget, else by `budget_per_million` of the context's `costs` or of the file of prices.

    --by version shares the cost of a service out by the time that the requests of each version took, and
    shows it beside its p95, its right answers and what a million earns; then what shadows, retries, failures
    and probes cost.

    Exit 10 when a service is over the budget, 15 when one has no data, no price or no successful prediction,
    or was measured for less than nine tenths of the window.

    Example: maestro cost unit --service fraud --window 5m --budget 5

    Example: maestro cost unit --by version --budget 5 --probes route=canary-probe

    Example: maestro cost unit -A --prices prices.yaml -o json
    """
    options = output_options(ctx, output)
    wanted = UnitCostWanted(
        service, namespace, everywhere, window, budget, prices, label, tuple(probes or ()), machines, until
    )
    if by is By.VERSION:
        versions = ctx.obj.version_costs(wanted)
        emit(version_costs_view(versions), options)
        verdicts = {item.verdict for item in versions.items}
    else:
        found = ctx.obj.unit_costs(wanted)
        emit(unit_costs_view(found), options)
        verdicts = {item.verdict for item in found.items}
    if Verdict.FAIL in verdicts:
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
    if Verdict.INDETERMINATE in verdicts:
        raise typer.Exit(ExitCode.NO_DATA)
