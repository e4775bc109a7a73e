"""What freeze and unfreeze have in common: whether anything may be promoted.

Invariant: the word stands in the routing document itself, so that every replica tells it and whoever plans a
promotion meets it. Who answers, and with which share, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.routing import Edit, RoutingKind, Seat
from maestro_cli.changes.model import Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import with_freeze


class FreezingKind(RoutingKind):
    """Takes no parameters; `flag` is whether it is frozen then, `opposite` what takes it back."""

    flag: ClassVar[bool]
    opposite: ClassVar[str]

    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        word = "stop" if self.flag else "allow"
        return Edit(
            with_freeze(seat.document, frozen=self.flag),
            {},
            f"{word} promotions and growing canaries in {seat.ref}",
            undo=Undo(self.opposite, {}, f"{self.opposite} {seat.ref}"),
        )
