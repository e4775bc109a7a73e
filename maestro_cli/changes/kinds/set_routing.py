"""Set routing: put a whole routing document in force, as somebody wrote it; also the undo of other kinds.

Invariant: the text is written as it was given, comments too. A frozen document is replaced only by one that
is frozen as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option
from maestro_cli.changes.kinds.routing import Edit, RoutingKind, Seat, frozen
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import is_frozen, read_document
from maestro_cli.core.errors import UsageError


class SetRouting(RoutingKind):
    """Parameters: `text`, YAML or JSON."""

    name = "set-routing"
    options: ClassVar[Mapping[str, Option]] = {"text": Option(str, needed=True)}

    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        text = asked.get("text")
        if not isinstance(text, str) or not text.strip():
            raise UsageError("no routing document was given", fix="--file FILE")
        document = read_document(text, "the routing document")
        return Edit(
            document,
            {},
            f"put another routing document in force by {seat.ref}",
            text=text,
            objections=() if is_frozen(document) else frozen(seat),
        )
