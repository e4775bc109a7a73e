"""A part that is a module of this package, run by the interpreter that runs us."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from maestro_cli.local.supervisor.model import Facts, Part
from maestro_cli.local.supervisor.readiness import announced


def python(module: str, *options: str) -> list[str]:
    """The command line of a module, without the working folder on its path."""
    return [sys.executable, "-P", "-m", module, *options]


def module_part(state: Path, module: str, *options: str, name: str = "", needs: tuple[str, ...] = ()) -> Part:
    """`maestro_cli.local.<module>`, which announces itself under the name of the part."""
    name = name or module
    command = python(f"maestro_cli.local.{module}", "--state", str(state), *options)

    def fixed(facts: Facts) -> Sequence[str]:
        return command

    return Part(name, fixed, announced(state, name), needs=needs)
