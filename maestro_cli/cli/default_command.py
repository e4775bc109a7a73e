"""A command with commands beside it: `maestro rollback WORKLOAD` and `maestro rollback plan WORKLOAD`.

Invariant: a first word that names none of the commands belongs to the one called `default`, as do options.
"""

from __future__ import annotations

from typing import Any, ClassVar

from typer.core import TyperGroup


class DefaultGroup(TyperGroup):
    """Subclasses name the command that is meant when none is named."""

    default: ClassVar[str]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Any: the parser library is private to typer."""
        own = {"--help", "-h"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = [self.default, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed
