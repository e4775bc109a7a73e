"""`maestro serve`: the bundled model server."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def serve(ctx: typer.Context) -> None:
    """Serve ONNX models over the Open Inference Protocol v2, until stopped; or look after its keys.

    This process becomes the server: every option is the server's, and --help lists them. At an address that
    others reach it asks for --keys FILE, which `maestro serve keys` writes, or for --open.

    Example: maestro serve --models deploy/models --serve fraud=1

    Example: maestro serve keys add keys.yaml --id checkout --role predictor --days 180

    Example: maestro serve --models deploy/models --lazy --host 0.0.0.0 --keys keys.yaml
    """
    ctx.obj.serve(ctx.args)
