"""`maestro context`: the endpoints maestro works against."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro_cli.cli.options import OutputOption, output_options
from maestro_cli.core.errors import Unreachable
from maestro_cli.output.renderers.contexts import context_view, contexts_view
from maestro_cli.output.writer import emit, emit_text

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def context() -> None:
    """List, show and choose the endpoints maestro works against."""


@app.command("list")
def list_contexts(ctx: typer.Context, output: OutputOption = "table") -> None:
    """List the contexts, where each comes from, and which is current.

    Example: maestro context list -o wide
    """
    emit(contexts_view(ctx.obj.settings), output_options(ctx, output))


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A context; the current one by default.")] = None,
    output: OutputOption = "table",
) -> None:
    """Show one context and whether its endpoints answer. Exit 4 when one does not.

    Example: maestro context show prod-eu
    """
    shown = name or ctx.obj.context_name
    found = ctx.obj.settings.context(shown)
    checks = ctx.obj.check_endpoints(found)
    emit(context_view(shown, found, ctx.obj.settings.origins[shown], checks), output_options(ctx, output))
    silent = [check for check in checks if not check.ok]
    if silent:
        raise Unreachable(
            f"{silent[0].system} at {silent[0].url} does not answer", why=silent[0].error, fix=silent[0].fix
        )


@app.command()
def use(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="The context to use from now on.")]
) -> None:
    """Make a context the current one, in config.yaml.

    Example: maestro context use prod-eu
    """
    emit_text(ctx.obj.use_context(name))
