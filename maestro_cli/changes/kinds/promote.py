"""Promote: have one version of a model answer all requests that name no version.

Invariant: refused while promotions are frozen, unless it goes back to the stable version of a canary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, whole_number
from maestro_cli.changes.kinds.routing import Edit, RoutingKind, Seat, frozen, model_of, version_of
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import Standing, standing, with_version
from maestro_cli.core.errors import GateNotMet


class Promote(RoutingKind):
    """Parameters: `model`, `version` (int)."""

    name = "promote"
    options: ClassVar[Mapping[str, Option]] = {
        "model": Option(str, needed=True),
        "version": Option(whole_number, needed=True),
    }

    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        model, version = model_of(asked), version_of(asked)
        try:
            now = standing(seat.document, model)
        except GateNotMet:
            now = Standing(None)  # whatever the route is, it gives way as a whole
        return Edit(
            with_version(seat.document, model, version),
            {"model": model, "version": version},
            f"have {model}@{version} answer all of {model} by {seat.ref}",
            objections=() if now.stable == version else frozen(seat),
        )
