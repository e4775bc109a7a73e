"""`maestro change`: what was changed, and seeing interrupted changes through."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.changes.model import Plan
from maestro_cli.cli.changing import planned_command
from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.output.renderers.changes import change_view, changes_view
from maestro_cli.output.writer import emit
from maestro_cli.services.approving import await_approval

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


def _named(ctx: typer.Context, reference: str) -> str:
    """The id that is meant, before anything is said about it; completion asks no journal."""
    return reference if ctx.resilient_parsing else str(ctx.obj.change_id(reference))


IdArgument = Annotated[
    str, typer.Argument(metavar="CHANGE", help="The id of a change, or `latest`.", callback=_named)
]


@app.callback()
def change() -> None:
    """List and show changes, see interrupted ones through, and take changes back."""


@app.command("list")
def list_changes(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    output: OutputOption = "table",
) -> None:
    """List changes, newest first.

    Example: maestro change list -o json
    """
    emit(changes_view(ctx.obj.list_changes(limit)), output_options(ctx, output))


@app.command()
def show(
    ctx: typer.Context,
    change_id: IdArgument,
    output: OutputOption = "table",
) -> None:
    """Show a change: plan, diff, blast radius, state.

    Example: maestro change show latest
    """
    emit(change_view(ctx.obj.get_change(change_id)), output_options(ctx, output))


@app.command()
def resume(
    ctx: typer.Context,
    change_id: IdArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Look until somebody approved or denied it.")] = False,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="How long --wait looks.")] = "15m",
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Undo what did not hold, where the policy asks. Overrides no gate."),
    ] = False,
    output: OutputOption = "table",
) -> None:
    """Go on with a change that was interrupted, or that a second person approved.

    After an interruption it first finds out whether it was applied. Nothing is applied twice. Exit 75 when
    nobody can tell whether it was applied, 17 when it still waits for its approval, 124 when --wait ends.

    Example: maestro change resume chg-01k9x3e7qhm4tz --wait
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        if wait:
            await_approval(ctx.obj, change_id, timeout, progress)
        progress.phase("change", f"resuming {change_id}")
        found = ctx.obj.changes.recover(
            change_id, progress=progress, cancellation=ctx.obj.cancellation, agrees=yes
        )
    emit(change_view(found), options)


@app.command()
@planned_command(cause="undo of {change_id}")
def undo(ctx: typer.Context, change_id: IdArgument) -> Plan:
    """Take a change back, by another change; refused when somebody changed since what it wrote.

    Example: maestro change undo chg-01k9x3e7qhm4tz --dry-run
    """
    plan: Plan = ctx.obj.changes.plan_undo(change_id)
    return plan


@app.command()
def settle(
    ctx: typer.Context,
    change_id: IdArgument,
    applied: Annotated[
        bool, typer.Option("--applied/--not-applied", help="What you found out.", show_default=False)
    ],
    why: Annotated[str, typer.Option(metavar="TEXT", help="How you know.")],
    output: OutputOption = "table",
) -> None:
    """Record what you found out about a change whose outcome nobody else can tell.

    Example: maestro change settle chg-01k9x3e7qhm4tz --applied --why "kubectl shows revision 5"
    """
    found = ctx.obj.changes.settle(change_id, applied=applied, why=why)
    emit(change_view(found), output_options(ctx, output))
