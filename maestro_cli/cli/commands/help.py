"""`maestro help`: topics that belong to no single command."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import EXIT_CODE_MEANINGS, ExitCode, UsageError
from maestro_cli.output.views import Column, Listing
from maestro_cli.output.writer import emit

app = typer.Typer(add_completion=False, rich_markup_mode=None)

TOPICS = ("exit-codes",)


@app.command()
def help_topic(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(help=f"One of: {', '.join(TOPICS)}.")] = "exit-codes",
    output: OutputOption = "table",
) -> None:
    """Explain a topic.

    Example: maestro help exit-codes
    """
    if topic not in TOPICS:
        raise UsageError(f"there is no help topic {topic!r}", fix=f"maestro help {TOPICS[0]}")
    columns = (
        Column[ExitCode]("code", lambda code: str(int(code)), right=True),
        Column[ExitCode]("meaning", lambda code: EXIT_CODE_MEANINGS[code], priority=1, folds=True),
    )
    listing = Listing(
        "exit-codes/v1",
        columns,
        tuple(ExitCode),
        document=lambda code: {"code": int(code), "meaning": EXIT_CODE_MEANINGS[code]},
    )
    emit(listing, output_options(ctx, output))
