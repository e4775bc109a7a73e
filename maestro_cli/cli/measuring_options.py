"""Options of what measures objectives. Invariant: the same option is spelled the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.cli import offers
from maestro_cli.core.errors import UsageError


def not_empty(ctx: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """The value; an option that is given without one (of a variable that is not set) is no option left out.

    Raises UsageError.
    """
    source = ctx.get_parameter_source(parameter.name or "")
    if value.strip() or ctx.resilient_parsing or source is None or source.name == "DEFAULT":
        return value
    option = f"--{(parameter.name or '').replace('_', '-')}"
    raise UsageError(
        f"{option} is empty", why="a variable may not be set", fix=f"give it a value, or leave out {option}"
    )


NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[OBJECTIVE]...", help="These alone.", autocompletion=offers.objectives),
]
NameArgument = Annotated[
    str, typer.Argument(metavar="OBJECTIVE", help="Its name.", autocompletion=offers.objectives)
]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="PATH", help="Objectives of a file or folder, not the context's."),
]
PrometheusOption = Annotated[
    str,
    typer.Option(
        metavar="URL", callback=not_empty, help="This Prometheus, not the context's; it needs no rules."
    ),
]
AtOption = Annotated[
    str,
    typer.Option(metavar="TIME", callback=not_empty, help="As of an instant that is over: RFC 3339."),
]
MonthOption = Annotated[
    str, typer.Option(metavar="YYYY-MM", callback=not_empty, help="This month of the calendar.")
]
WindowOption = Annotated[
    str,
    typer.Option(
        metavar="DURATION",
        callback=not_empty,
        help="The last 7d, 30d, …; by default the objective's own window.",
    ),
]
ZoneOption = Annotated[
    str,
    typer.Option(
        metavar="ZONE",
        callback=not_empty,
        help="Whose calendar: Europe/Berlin; else the objective's, or UTC.",
    ),
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Ask Prometheus again for days whose counts are on this disk.")
]
CrossCheckOption = Annotated[
    bool, typer.Option("--cross-check", help="Also ask PromQL what it counts, and say whether it agrees.")
]
