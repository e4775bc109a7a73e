"""What moves an incident from state to state, and what is said of it."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, RefArgument, SeqOption, output_options
from maestro_cli.output.renderers.incidents import incidents_view
from maestro_cli.output.writer import emit


def ack(
    ctx: typer.Context, ref: RefArgument, expected_seq: SeqOption = None, output: OutputOption = "table"
) -> None:
    """Say that you look after it. Never re-opens what is resolved.

    Example: maestro incident ack latest
    """
    found = ctx.obj.desk.ack(ref, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def note(
    ctx: typer.Context,
    ref: RefArgument,
    text: Annotated[str, typer.Argument(help="What to put on the timeline.")],
    output: OutputOption = "table",
) -> None:
    """Put a note on the timeline.

    Example: maestro incident note latest "customers report timeouts"
    """
    found = ctx.obj.desk.note(ref, text)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def resolve(
    ctx: typer.Context,
    ref: RefArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Although signals still fire; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Resolve it once nothing fires any more. Exit 11 while something does.

    Example: maestro incident resolve 3 --force --reason "alert rule was wrong"
    """
    found = ctx.obj.desk.resolve(ref, force=force, reason=reason, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def mitigate(
    ctx: typer.Context,
    ref: RefArgument,
    how: Annotated[str, typer.Argument(help="What mitigated it.")],
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Say what mitigated it; from now on it is only watched.

    Example: maestro incident mitigate latest "rolled back by hand"
    """
    found = ctx.obj.desk.mitigated(ref, note=how, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def dismiss(
    ctx: typer.Context,
    ref: RefArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it was a false alarm.")],
    output: OutputOption = "table",
) -> None:
    """Close it as a false alarm.

    Example: maestro incident dismiss 3 --reason "the probe was wrong"
    """
    found = ctx.obj.desk.dismiss(ref, reason)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))
