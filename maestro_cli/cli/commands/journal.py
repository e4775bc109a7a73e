"""`maestro journal`: what happened, and proof that it is what was written."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import ConditionNotMet
from maestro_cli.core.quantities import counted
from maestro_cli.output.renderers.journal import events_view, verification_view
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def journal() -> None:
    """Show and verify the record of everything that happened."""


@app.command()
def show(
    ctx: typer.Context,
    subject: Annotated[
        str | None, typer.Option(metavar="KIND/ID", help="Only this subject, such as change/chg-….")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only this kind; `change.` matches all of them.")
    ] = None,
    after: Annotated[int, typer.Option(metavar="SEQ", help="Only events after this one.")] = 0,
    limit: Annotated[int, typer.Option(help="At most so many; 0 for all.", min=0)] = 0,
    output: OutputOption = "table",
) -> None:
    """List events, oldest first.

    Example: maestro journal show --kind change. -o json
    """
    events = ctx.obj.journal.events(subject=subject, kinds=tuple(kind or ()), after=after, limit=limit or -1)
    emit(events_view(events), output_options(ctx, output))


@app.command()
def verify(
    ctx: typer.Context,
    anchor: Annotated[
        str | None,
        typer.Option(metavar="SEQ:HASH", help="A head kept elsewhere that must still be in the chain."),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Check every hash and link, and that the tables say what the events say. Exit 10 when they do not.

    Example: maestro journal verify --anchor 42:9f…
    """
    result = ctx.obj.verify_journal(anchor)
    emit(verification_view(str(ctx.obj.journal_path), result), output_options(ctx, output))
    if not result.intact:
        raise ConditionNotMet(
            "the journal is not what was written",
            why=f"{counted(len(result.findings), 'finding')}, the first at event {result.findings[0].seq}",
            fix="keep the file as evidence; restore it from a copy",
        )
