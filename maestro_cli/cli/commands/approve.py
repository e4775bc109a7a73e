"""`maestro approve`: the second person's word for a change that waits."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from maestro_cli.cli.options import OutputOption, YesOption, output_options
from maestro_cli.output.renderers.changes import change_view, waiting_view
from maestro_cli.output.writer import emit
from maestro_cli.services.approving import approvals
from maestro_cli.services.approving import approve as approve_change


class _ChangeOrCommand(TyperGroup):
    """`maestro approve CHANGE` is `maestro approve plan CHANGE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Any: the parser library is private to typer."""
        if args and args[0].startswith("chg-"):
            args = ["plan", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=_ChangeOrCommand, add_completion=False, no_args_is_help=True, rich_markup_mode=None)

IdArgument = Annotated[str, typer.Argument(metavar="CHANGE", help="The id of a change that waits.")]


@app.callback()
def approve() -> None:
    """Approve or deny what waits for a second person: maestro approve CHANGE."""


@app.command()
def plan(
    ctx: typer.Context, change_id: IdArgument, yes: YesOption = False, output: OutputOption = "table"
) -> None:
    """Show the plan of a change that waits, and approve it; `plan` may be left out.

    The approval is for that plan alone, for 15 minutes, and by somebody else than who asked for it. It is
    void when the target changes.

    Example: maestro approve chg-01k9x3e7qhm4tz
    """
    emit(change_view(approve_change(ctx.obj, change_id, yes=yes)), output_options(ctx, output))


@app.command("list")
def list_waiting(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the changes that wait for a second person, the longest waiting first.

    Example: maestro approve list
    """
    emit(waiting_view(approvals(ctx.obj).list_waiting()), output_options(ctx, output))


@app.command()
def deny(
    ctx: typer.Context,
    change_id: IdArgument,
    why: Annotated[str, typer.Option(metavar="TEXT", help="What the requester is told.")] = "",
    output: OutputOption = "table",
) -> None:
    """End a change that waits; nothing of it is done.

    Example: maestro approve deny chg-01k9x3e7qhm4tz --why "the sale ends at noon"
    """
    emit(change_view(approvals(ctx.obj).deny(change_id, why)), output_options(ctx, output))
