"""`maestro slo exclude`: maintenance that reports take out, declared and approved in the journal."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.measuring_options import not_empty
from maestro_cli.cli.options import OutputOption, output_options

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

IdArgument = Annotated[str, typer.Argument(metavar="EXCLUSION", help="Its id.")]


@app.callback()
def exclude() -> None:
    """Declare, approve and list the maintenance that an SLA report takes out."""


@app.command()
def add(
    ctx: typer.Context,
    id_: IdArgument,
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who answers for it.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is taken out.")],
    start: Annotated[
        str,
        typer.Option(
            metavar="TIME", callback=not_empty, help="2026-10-04T02:00, a time on the wall of the zone."
        ),
    ],
    duration: Annotated[
        str,
        typer.Option(metavar="DURATION", callback=not_empty, help="How long it lasts: 90m, at most 31d."),
    ],
    zone: Annotated[
        str,
        typer.Option(metavar="ZONE", callback=not_empty, help="An IANA zone, such as Europe/Zurich."),
    ] = "UTC",
    rrule: Annotated[
        str,
        typer.Option(metavar="RULE", callback=not_empty, help="How it comes again: FREQ=WEEKLY;BYDAY=SU."),
    ] = "",
    objectives: Annotated[
        list[str] | None,
        typer.Option("--objective", metavar="NAME", help="Only of this one; may be repeated."),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Declare maintenance now, in the journal.

    What begins later is taken out as it was declared; what began already only once somebody approves it who
    is neither its owner nor who declared it.

    Example: maestro slo exclude add patching --owner platform --reason "nodes are patched"
    --start 2026-10-04T02:00 --duration 2h --zone Europe/Zurich --rrule "FREQ=WEEKLY;BYDAY=SU"
    """
    from maestro_cli.output.renderers.exclusions import exclusions_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.excluding import add_exclusion
    from maestro_cli.slo.files.exclusions import ExclusionSpec

    options = output_options(ctx, output)
    spec = ExclusionSpec(id_, owner, reason, start, duration, zone, rrule, list(objectives or ()))
    emit(exclusions_view([add_exclusion(ctx.obj, spec)]), options)


@app.command()
def approve(ctx: typer.Context, id_: IdArgument, output: OutputOption = "table") -> None:
    """Approve an exclusion of the journal, as somebody else than its owner and than who declared it.

    People are compared as for changes: by name, whatever its case, and by what the cluster says of their
    credentials. Ends with 20 for one's own.

    Example: MAESTRO_ACTOR=dana maestro slo exclude approve database-move
    """
    from maestro_cli.output.renderers.exclusions import exclusions_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.excluding import approve_exclusion

    options = output_options(ctx, output)
    emit(exclusions_view([approve_exclusion(ctx.obj, id_)]), options)


@app.command()
def withdraw(
    ctx: typer.Context,
    id_: IdArgument,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why it counts no more.")],
    output: OutputOption = "table",
) -> None:
    """Withdraw an exclusion of the journal: no report takes it out any more. Its record stays.

    Example: maestro slo exclude withdraw database-move --why "it was put off"
    """
    from maestro_cli.output.renderers.exclusions import exclusions_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.excluding import withdraw_exclusion

    options = output_options(ctx, output)
    emit(exclusions_view([withdraw_exclusion(ctx.obj, id_, why)]), options)


@app.command("list")
def list_exclusions(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the exclusions of the context's files and of its journal, and whether each counts.

    Example: maestro slo exclude list -o wide
    """
    from maestro_cli.output.renderers.exclusions import exclusions_view
    from maestro_cli.output.writer import emit
    from maestro_cli.services.excluding import every_exclusion

    options = output_options(ctx, output)
    emit(exclusions_view(every_exclusion(ctx.obj)), options)
