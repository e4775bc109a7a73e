"""Shadow stop: ask no other version any more. What was counted of it is gone with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option
from maestro_cli.changes.kinds.routing import Edit, RoutingKind, Seat, model_of
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import shadow_of, with_shadow
from maestro_cli.core.errors import GateNotMet


class ShadowStop(RoutingKind):
    """Parameters: `model`."""

    name = "shadow-stop"
    options: ClassVar[Mapping[str, Option]] = {"model": Option(str, needed=True)}

    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        model = model_of(asked)
        version = shadow_of(seat.document, model)
        if version is None:
            raise GateNotMet(f"{model} has no shadow in {seat.ref}", why="it is to be so already")
        return Edit(
            with_shadow(seat.document, model, None),
            {"model": model},
            f"ask {model}@{version} no more beside {model}, by {seat.ref}",
        )
