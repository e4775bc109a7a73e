"""`maestro cost`: what it costs, who spends it, what can be saved.

Invariant: a command is one line of the table.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from maestro_cli.cli.commands.cost import (
    allocations,
    budget,
    gate,
    prices,
    rightsize,
    spot,
    storage,
    unit,
    waste,
    what_if,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def cost() -> None:
    """Show what it costs, who spends it, and what can be saved without hurting anyone."""


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("show", allocations.show),
    ("top", allocations.top),
    ("allocate", allocations.allocate),
    ("report", allocations.report),
    ("diff", allocations.diff),
    ("unit", unit.unit),
    ("spot", spot.spot),
    ("storage", storage.storage),
    ("waste", waste.waste),
    ("forecast", budget.forecast),
    ("gate", gate.gate),
    ("what-if", what_if.what_if),
)

for name, command in COMMANDS:
    app.command(name)(command)

app.add_typer(rightsize.app, name="rightsize")
app.add_typer(prices.app, name="prices")
app.add_typer(budget.app, name="budget")
