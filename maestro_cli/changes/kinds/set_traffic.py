"""Set traffic: the share of requests that another version of a model answers, as a canary.

Invariant: who was in the canary stays there while its share does not fall; a share of 0 ends the canary.
A canary that is to grow is refused while promotions are frozen; one that shrinks never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.kind import Option, share_of_one, whole_number
from maestro_cli.changes.kinds.routing import (
    Edit,
    RoutingKind,
    Seat,
    frozen,
    model_of,
    standing_of,
    version_of,
)
from maestro_cli.changes.ports import World
from maestro_cli.changes.routing_document import with_share
from maestro_cli.core.errors import UsageError


class SetTraffic(RoutingKind):
    """Parameters: `model`, `version` (int), `share` (0 to under 1), `stable` (int), `key` (sticky by)."""

    name = "set-traffic"
    options: ClassVar[Mapping[str, Option]] = {
        "model": Option(str, needed=True),
        "version": Option(whole_number, needed=True),
        "share": Option(share_of_one, needed=True),
        "stable": Option(whole_number),
        "key": Option(str),
    }

    def edit(self, world: World, seat: Seat, asked: Mapping[str, Any]) -> Edit:
        model, version, share = model_of(asked), version_of(asked), asked.get("share")
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise UsageError("no share was given", fix="share: 0.1")
        now = standing_of(seat, asked, model)
        after = with_share(seat.document, model, now, version, float(share), str(asked.get("key") or ""))
        before = f"{now.share:.3g}" if now.canary == version else "0"
        grows = now.canary != version or share > now.share
        return Edit(
            after,
            {"model": model, "version": version, "share": float(share), "stable": now.stable},
            f"give {model}@{version} {share:.3g} of the traffic of {seat.ref} (now {before})",
            objections=frozen(seat) if grows and share else (),
        )
