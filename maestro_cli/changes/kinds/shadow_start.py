"""Shadow start: ask another version of a model what users ask, and compare; nobody gets its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, share_of_one, whole_number
from maestro_cli.changes.kinds.routing import Edit, RoutingKind, Seat, model_of, standing_of, version_of
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import has_route, with_shadow, with_version
from maestro_cli.core.errors import UsageError


class ShadowStart(RoutingKind):
    """Parameters: `model`, `version` (int), `share` of the requests (1), `stable` (int)."""

    name = "shadow-start"
    options: ClassVar[Mapping[str, Option]] = {
        "model": Option(str, needed=True),
        "version": Option(whole_number, needed=True),
        "share": Option(share_of_one),
        "stable": Option(whole_number),
    }

    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        model, version, share = model_of(asked), version_of(asked), asked.get("share", 1.0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise UsageError(f"{share!r} is no share of the requests", fix="above 0, at most 1")
        document = seat.document
        if not has_route(document, model):
            now = standing_of(seat, asked, model)
            if now.stable is None:
                raise UsageError(f"nothing says which version of {model} answers", fix="--stable VERSION")
            document = with_version(document, model, now.stable)
        shadow = {"model": model, "version": version, **({"share": share} if share != 1 else {})}
        return Edit(
            with_shadow(document, model, shadow),
            {"model": model, "version": version, "share": float(share)},
            f"ask {model}@{version} what {share:.3g} of the users of {model} ask, by {seat.ref}",
        )
