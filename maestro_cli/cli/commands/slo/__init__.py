"""`maestro slo`: what was promised, and how it is kept. Invariant: a command is one line of the table."""

from __future__ import annotations

from collections.abc import Callable

import typer

from maestro_cli.cli.commands.slo import exclude, measuring, objectives, rules

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def slo() -> None:
    """List and check objectives, and see how they are kept."""


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("list", objectives.list_objectives),
    ("show", objectives.show),
    ("lint", objectives.lint),
    ("status", measuring.status),
    ("budget", measuring.budget),
    ("explain", measuring.explain),
    ("gate", measuring.gate),
    ("what-if", measuring.what_if),
)

for name, command in COMMANDS:
    app.command(name)(command)

app.add_typer(rules.app, name="rules")
app.add_typer(exclude.app, name="exclude")
