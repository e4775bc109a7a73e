"""Write docs/commands.md from the program: every command with its help, and every exit code.

Run it after changing a command; a test compares the file with what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from maestro_cli.cli.lazy import load
from maestro_cli.cli.main import app
from maestro_cli.cli.registry import COMMANDS
from maestro_cli.core.errors import EXIT_CODE_MEANINGS

TARGET = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
WIDTH = 100


def document() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "Written from the program by `python scripts/write_docs.py`; do not edit by hand.",
        "`--context NAME`, `--read-only` and `--plain` may stand anywhere on the line.",
        f"```text\n{_help(root, 'maestro')}\n```",
    ]
    for stub in COMMANDS:
        parts += list(_pages(load(stub), f"maestro {stub.name}", 2))
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in EXIT_CODE_MEANINGS.items()]
    parts += ["## Exit codes", "\n".join(["| code | meaning |", "| ---: | --- |", *rows])]
    return "\n\n".join(parts) + "\n"


def _pages(command: Any, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path}"
    yield f"```text\n{_help(command, path)}\n```"
    for name, child in getattr(command, "commands", {}).items():
        yield from _pages(child, f"{path} {name}", level + 1)


def _help(command: Any, path: str) -> str:
    names = ["-h", "--help"]
    context = command.context_class(command, info_name=path, terminal_width=WIDTH, help_option_names=names)
    text: str = command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines())


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
