"""`maestro schema`: the JSON schemas of the files that people write."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import UsageError
from maestro_cli.output.views import Column, Listing
from maestro_cli.output.writer import emit, emit_text, json_text
from maestro_cli.services.schemas import KINDS, schema_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def schema(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of: {', '.join(KINDS)}.")] = "",
    output: OutputOption = "table",
) -> None:
    """Print the JSON schema of a file that people write, or list which there are.

    Example: maestro schema policy > policy.schema.json
    """
    options = output_options(ctx, output)
    if kind:
        if options.format.kind not in ("table", "json"):
            raise UsageError(f"a schema is JSON, not {options.format.kind}", fix="leave out -o")
        emit_text(json_text(schema_of(kind)))
        return
    columns = (
        Column[str]("kind", lambda name: name),
        Column[str]("of", lambda name: KINDS[name][0], priority=1, folds=True),
    )
    listing = Listing("schema-list/v1", columns, list(KINDS), document=lambda name: {"kind": name})
    emit(listing, options)
