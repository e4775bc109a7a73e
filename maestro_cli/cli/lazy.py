"""A group whose commands are imported when they are called.

Invariant: `--help`, completion of command names and "did you mean" cost no command import.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer.main
from typer.core import TyperCommand, TyperGroup

from maestro_cli.cli.registry import COMMANDS, Stub

_BY_NAME = {stub.name: stub for stub in COMMANDS}


def load(stub: Stub) -> Any:
    """Import the module of a command and return its parser command."""
    app = import_module(f"maestro_cli.cli.commands.{stub.module}").app
    command = typer.main.get_command(app)
    command.name = stub.name
    command.help = command.help or stub.help
    return command


class LazyGroup(TyperGroup):
    """The root group: stubs from the registry, replaced by the real command on use."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for stub in COMMANDS:
            self.commands[stub.name] = TyperCommand(
                name=stub.name, help=stub.help, rich_help_panel=stub.panel
            )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Any: the parser library is private to typer."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in _BY_NAME:
            command = load(_BY_NAME[name])
        return name, command, rest

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the registry: what is needed at 3 a.m. first."""
        return [stub.name for stub in COMMANDS]
