"""What ties an incident to another one, or to a page."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.cli.options import OutputOption, RefArgument, SeqOption, output_options
from maestro_cli.incidents.model import LinkKind
from maestro_cli.output.renderers.incidents import incidents_view
from maestro_cli.output.writer import emit

TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="TARGET", help="Another incident, or the http:// or https:// address of a page.",
        autocompletion=offers.incidents,
    ),
]  # fmt: skip


def link(
    ctx: typer.Context,
    ref: RefArgument,
    target: TargetArgument,
    kind: Annotated[LinkKind, typer.Option(help="What the target is to this one.")] = LinkKind.RELATED,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the links with the target away.")] = False,
    expected_seq: SeqOption = None,
    output: OutputOption = "table",
) -> None:
    """Link an incident with another one, or with a page. Both timelines tell it.

    Example: maestro incident link 7 5 --kind caused-by

    Example: maestro incident link latest https://chat.example/room/42 --note "the bridge"
    """
    desk = ctx.obj.desk
    if remove:
        found = desk.unlink(ref, target, expected_seq=expected_seq)
    else:
        found = desk.link(ref, target, kind=kind, note=note, expected_seq=expected_seq)
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))


def merge(
    ctx: typer.Context,
    ref: RefArgument,
    into: Annotated[
        str,
        typer.Argument(
            metavar="INTO", help="The open incident that survives.", autocompletion=offers.incidents
        ),
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why they are the same.")] = "",
    expected_seq: SeqOption = None,
    into_seq: Annotated[
        int | None,
        typer.Option("--expected-into-seq", metavar="SEQ", help="Refuse if the survivor changed after it."),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Merge an open incident into another one, which takes its signals, links and timeline.

    Every later signal of it goes to the survivor, which has the graver severity of both. Shows the survivor.

    Example: maestro incident merge 8 7 --reason "the same release"
    """
    found = ctx.obj.desk.merge(
        ref, into, reason=reason, expected_seq=expected_seq, expected_into_seq=into_seq
    )
    emit(incidents_view((found,), ctx.obj.clock.now()), output_options(ctx, output))
