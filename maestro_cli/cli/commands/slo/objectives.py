"""`maestro slo list`, `show` and `lint`: the objectives of the context as they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import FindingsOption, OutputOption, StrictOption, output_options
from maestro_cli.core.errors import ExitCode

if TYPE_CHECKING:
    from maestro_cli.runbooks.lint import Finding

NameArgument = Annotated[
    str, typer.Argument(metavar="OBJECTIVE", help="Its name.", autocompletion=offers.objectives)
]


def list_objectives(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the objectives of the context, each target said back in time.

    They are OpenSLO, Sloth or Pyrra as they are, from files, config maps or the cluster. Ends with 3 when one
    of them is broken; those that are not are listed all the same.

    Example: maestro slo list -o wide
    """
    from maestro_cli.output.diagnostics import note
    from maestro_cli.output.renderers.objectives import objectives_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.objectives import find_context_objectives

    options = output_options(ctx, output)
    found = find_context_objectives(ctx.obj)
    emit(objectives_view(found.objectives), options)
    for error in found.broken:
        note(error.what)
    if found.broken:
        raise typer.Exit(ExitCode.INVALID_FILE)


def show(ctx: typer.Context, name: NameArgument, output: OutputOption = "table") -> None:
    """Show an objective whole: what counts as bad, over which window, and the query of its error ratio.

    Example: maestro slo show fraud-availability
    """
    from maestro_cli.output.renderers.objectives import objective_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.objectives import find_objective

    options = output_options(ctx, output)
    emit(objective_view(*find_objective(ctx.obj, name)), options)


def lint(
    ctx: typer.Context,
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="A file or a folder; by default the context's.")
    ] = None,
    strict: StrictOption = False,
    output: FindingsOption = "table",
) -> None:
    """Find what is wrong with objectives, and what of their files is not obeyed here.

    A percentage where a ratio is asked is told from a ratio, with what was meant. Queries are parsed by the
    context's Prometheus, else by promtool; who did is said. Ends with 10 when there are errors.

    Example: maestro slo lint deploy/objectives -o sarif
    """
    from maestro_cli.cli.findings import tell_findings
    from maestro_cli.output.diagnostics import note
    from maestro_cli.services.objectives import RULES, lint_objectives
    from maestro_cli.services.promql_parsers import parser_of

    def find() -> Sequence[Finding]:
        parser = parser_of(ctx.obj)
        found = lint_objectives(ctx.obj, path, parser)
        note(f"queries are checked by {parser.name}")
        return found

    tell_findings(ctx, find, output, strict=strict, schema="slo-lint/v1", rules=RULES)
