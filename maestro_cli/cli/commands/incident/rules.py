"""`maestro incident rules`: which signals belong together, and why."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from maestro_cli.cli.options import FindingsOption, OutputOption, StrictOption, output_options
from maestro_cli.output.renderers.incident_rules import explanations_view, rules_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def rules() -> None:
    """List, explain and lint the rules that make incidents of signals."""


@app.command("list")
def list_rules(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the rules in the order in which they are asked, and how much each is used.

    A rule that matched no signal for long is told as unused.

    Example: maestro incident rules list -o wide
    """
    options = output_options(ctx, output)
    rules = ctx.obj.incident_rules
    emit(rules_view(rules.book, rules.usage, rules.unused, ctx.obj.clock.now()), options)


@app.command()
def explain(
    ctx: typer.Context,
    signal: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SIGNAL]...", help="An alert's name, NAME=VALUE labels, or a fingerprint."),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", metavar="NAME=VALUE", help="A label; may be repeated."),
    ] = None,
    incident: Annotated[
        str | None, typer.Option(metavar="INCIDENT", help="The signals of this incident instead.")
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Tell which rule takes a signal, why not each other, its key, and what it would do if it fired now.

    Nothing is written, and no endpoint is asked.

    Example: maestro incident rules explain ErrorBudgetBurn -l namespace=ml -l deployment=fraud

    Example: maestro incident rules explain --incident latest
    """
    options = output_options(ctx, output)
    emit(explanations_view(ctx.obj.incident_rules.explain(signal or (), labels or (), incident)), options)


@app.command()
def lint(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="By default those of the context.")
    ] = None,
    alerts: Annotated[
        list[str] | None,
        typer.Option("--alerts", metavar="PATH", help="Rule files or objectives that define every alert."),
    ] = None,
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Find what is wrong with rules; ends with 10 when there are errors.

    Example: maestro incident rules lint --alerts rules/
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.incidents.intake.rules.lint import RULES

    find = partial(ctx.obj.incident_rules.lint, files or (), alerts or ())
    tell_findings(ctx, find, output, strict=strict, schema="incident-rule-lint/v1", rules=RULES)
