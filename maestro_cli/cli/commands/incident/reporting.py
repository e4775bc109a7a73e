"""What is written of an incident."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import RefArgument


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
