"""Options of commands that run experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SeedOption = Annotated[
    int | None, typer.Option(min=0, help="Chooses targets: the same seed, the same targets. Recorded.")
]
VariableOption = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="KEY[:TYPE]=VALUE", help="A configuration value, as in Chaos Toolkit."),
]
VariablesOption = Annotated[
    list[Path] | None,
    typer.Option("--var-file", metavar="FILE", help="Configuration and secrets, or a .env file."),
]
