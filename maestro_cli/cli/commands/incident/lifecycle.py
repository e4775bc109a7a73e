"""What moves an incident from state to state, and what is said of it."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, RefArgument, SeqOption, output_options
from maestro_cli.cli.texts import FromOption, text_from
from maestro_cli.core.errors import UsageError
from maestro_cli.incidents.model import Severity
from maestro_cli.output.diagnostics import note as note_aside
from maestro_cli.output.renderers.incidents import incidents_view
from maestro_cli.output.writer import emit


def ack(
    ctx: typer.Context, ref: RefArgument, expected_seq: SeqOption = None, output: OutputOption = "table"
) -> None:
    """Say that you look after it. Never re-opens what is resolved.

    What somebody acknowledged before stays theirs: it is said by whom and when. Exit 11 for one that was
    merged: acknowledge its survivor.

    Example: maestro incident ack latest
    """
    options = output_options(ctx, output)
    done = ctx.obj.desk.acknowledge(ref, expected_seq=expected_seq)
    emit(incidents_view((done.incident,), ctx.obj.clock.now()), options)
    if done.remark:
        note_aside(done.remark)


def assign(
    ctx: typer.Context,
    ref: RefArgument,
    to: Annotated[
        str,
        typer.Option("--to", metavar="NAME", help="Who owns it; `me` is you.", autocompletion=offers.people),
    ] = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="It has no owner any more.")] = False,
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Give an incident an owner, or take it away.

    Example: maestro incident assign latest --to me
    """
    if bool(to) is nobody:
        raise UsageError("who should own it is not clear", fix="--to me, --to NAME, or --nobody")
    owner = None if nobody else ctx.obj.actor if to == "me" else to
    found = ctx.obj.desk.assign(ref, owner, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def severity(
    ctx: typer.Context,
    ref: RefArgument,
    level: Annotated[Severity, typer.Argument(metavar="SEVERITY", help="sev1, the gravest, to sev4.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; needed to lower it.")] = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Raise or lower the severity. Unsure means the graver one: lowering it needs a reason.

    Example: maestro incident severity latest sev1 --reason "every user is affected"
    """
    found = ctx.obj.desk.set_severity(ref, level, reason=reason, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def note(
    ctx: typer.Context,
    ref: RefArgument,
    text: Annotated[str, typer.Argument(help="What to put on the timeline.")] = "",
    file: FromOption = None,
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Put a note on the timeline.

    Example: maestro incident note latest "customers report timeouts"

    Example: kubectl describe pod fraud-5c9 | maestro incident note latest --from -
    """
    found = ctx.obj.desk.note(ref, text_from(text, file), expected_seq=expected_seq)
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
    ctx.obj.end_silences()
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
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Close it as a false alarm.

    Example: maestro incident dismiss 3 --reason "the probe was wrong"
    """
    found = ctx.obj.desk.dismiss(ref, reason, expected_seq=expected_seq)
    ctx.obj.end_silences()
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def reopen(
    ctx: typer.Context,
    ref: RefArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is not over.")],
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Take a resolved incident back into triage; its clock runs on from its first start.

    Example: maestro incident reopen 3 --reason "it came back in zone b"
    """
    found = ctx.obj.desk.reopen(ref, reason, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def close(
    ctx: typer.Context,
    ref: RefArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Close a resolved incident for good. Sev1 and sev2 close once their post-mortem is published.

    Example: maestro incident close 3
    """
    found = ctx.obj.desk.close(ref, reason=reason, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))
