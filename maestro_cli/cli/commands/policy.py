"""`maestro policy`: the file that says what may be changed."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.output.renderers.policies import judgements_view, policy_view
from maestro_cli.output.writer import emit
from maestro_cli.services.policing import check_policy, explain_change

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def policy() -> None:
    """Check a policy file, and explain what its rules say of a change."""


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="By default the context's.")] = None,
    output: OutputOption = "table",
) -> None:
    """Read a policy file as the gate does, and list its rules. Exit 3 names file, line and key.

    Example: maestro policy check policy.yaml
    """
    emit(policy_view(check_policy(ctx.obj, file)), output_options(ctx, output))


@app.command()
def explain(
    ctx: typer.Context,
    change_id: Annotated[str, typer.Argument(metavar="CHANGE", help="The id of a change.")],
    output: OutputOption = "table",
) -> None:
    """Show what each rule says of a change now: matched or not, and why.

    A dry run has an id too: see maestro change list. Whose credentials are not known is judged by name.

    Example: maestro policy explain chg-01k9x3e7qhm4tz
    """
    emit(judgements_view(explain_change(ctx.obj, change_id)), output_options(ctx, output))
