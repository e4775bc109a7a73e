"""`maestro cost prices`: the prices that all views of costs are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli.options import FindingsOption, OutputOption, StrictOption, output_options

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def prices() -> None:
    """Show the prices of a context, and check a file of prices."""


@app.command()
def show(
    ctx: typer.Context,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="2026-03-01, or 2026-03-01T06:00:00Z; by default now.")
    ] = "",
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices; by default those of the context.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Show which prices hold at an instant, where they are from, and by what the cluster's nodes are priced.

    Exit 15 when nothing holds then.

    Example: maestro cost prices show --at 2026-03-01

    Example: maestro cost prices show --prices default.json -o json
    """
    from maestro_cli.output.renderers.cost_prices import prices_view
    from maestro_cli.output.writer import emit

    options = output_options(ctx, output)
    emit(prices_view(ctx.obj.price_list(prices, at)), options)


@app.command()
def lint(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML, OpenCost's JSON or its CSV.")],
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Find what is wrong with a file of prices, and what in it is likely not meant.

    Ends with 10 when there are errors.

    Example: maestro cost prices lint deploy/local/prices.yaml
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.services.costs.price_list import RULES, lint_prices

    tell_findings(
        ctx, lambda: lint_prices(file), output, strict=strict, schema="cost-prices-lint/v1", rules=RULES
    )
