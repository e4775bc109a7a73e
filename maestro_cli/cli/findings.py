"""How a lint command tells what it found.

Invariant: it ends with 10 when there is an error, or a warning where that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from maestro_cli.cli.options import output_options
from maestro_cli.core.errors import ExitCode

if TYPE_CHECKING:
    from maestro_cli.runbooks.lint import Finding


def tell_findings(
    ctx: typer.Context,
    find: Callable[[], Sequence[Finding]],
    output: str,
    *,
    strict: bool,
    schema: str,
    rules: Mapping[str, str],
) -> None:
    """Print what is found, as SARIF too, whose rules are these and whose tool is the command; then end.

    Nothing is looked for when the output is none that there is.
    """
    from maestro_cli.output.renderers.runbook_checks import lint_view, sarif
    from maestro_cli.output.writer import emit, emit_text, json_text

    options = output_options(ctx, "json" if output == "sarif" else output)
    found = find()
    if output == "sarif":
        emit_text(json_text(sarif(found, rules=rules, command=ctx.command_path)))
    else:
        emit(lint_view(found, schema=schema), options)
    if any(strict or finding.level == "error" for finding in found):
        raise typer.Exit(ExitCode.CONDITION_NOT_MET)
