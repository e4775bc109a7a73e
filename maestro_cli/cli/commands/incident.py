"""`maestro incident`: what people respond to."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, RefArgument, output_options
from maestro_cli.output.renderers.incidents import incident_view, incidents_view, timeline_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

SeqOption = Annotated[
    int | None,
    typer.Option("--expected-seq", metavar="SEQ", help="Refuse if the incident changed after this event."),
]


@app.callback()
def incident() -> None:
    """List, show, triage, respond to and resolve incidents."""


@app.command("list")
def list_incidents(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also those that are over.")] = False,
    drills: Annotated[bool, typer.Option("--drills/--no-drills", help="With or without drills.")] = True,
    output: OutputOption = "table",
) -> None:
    """List open incidents, newest first.

    Example: maestro incident list --all -o json
    """
    found = ctx.obj.incidents(open_only=not everything, drills=drills)
    emit(incidents_view(found, ctx.obj.clock.now()), output_options(ctx, output))


@app.command()
def show(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show one incident: clock, signals, suspects, evidence.

    Example: maestro incident show latest
    """
    emit(incident_view(*ctx.obj.incident_details(ref)), output_options(ctx, output))


@app.command()
def timeline(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Show everything that belongs to an incident, in order.

    Example: maestro incident timeline 3 -o wide
    """
    emit(timeline_view(ctx.obj.desk.timeline(ref)), output_options(ctx, output))


@app.command()
def ack(
    ctx: typer.Context, ref: RefArgument, expected_seq: SeqOption = None, output: OutputOption = "table"
) -> None:
    """Say that you look after it. Never re-opens what is resolved.

    Example: maestro incident ack latest
    """
    found = ctx.obj.desk.ack(ref, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


@app.command()
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


@app.command()
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


@app.command()
def triage(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Collect evidence and rank suspects; changes nothing but the incident's record.

    Example: maestro incident triage latest
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        ctx.obj.investigate(ref, progress)
    emit(incident_view(*ctx.obj.incident_details(ref)), options)


@app.command()
def respond(ctx: typer.Context, ref: RefArgument = "latest", output: OutputOption = "table") -> None:
    """Triage, run the runbook its playbook binds, wait until it is clear, resolve, write the post-mortem.

    Goes on where an earlier response stopped. Every change still passes the gate.

    Example: maestro incident respond latest
    """
    options = output_options(ctx, output)
    with ctx.obj.progress() as progress:
        ctx.obj.respond(ref, progress)
    emit(incident_view(*ctx.obj.incident_details(ref)), options)


@app.command()
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


@app.command()
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


@app.command()
def postmortem(
    ctx: typer.Context,
    ref: RefArgument = "latest",
    path: Annotated[str | None, typer.Option("--to", metavar="FILE", help="Where to write it.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file even if somebody has edited it.")
    ] = False,
) -> None:
    """Write the post-mortem from the journal, and print where.

    A file that is not as maestro wrote it is left alone, with exit 11.

    Example: maestro incident postmortem latest --to outage.md
    """
    from maestro_cli.output.writer import emit_text

    emit_text(str(ctx.obj.write_postmortem(ref, path, force=force)))
