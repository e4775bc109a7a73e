"""Messages to people as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.journal.messages import Delivery

_TONES = {"waiting": "warn", "refused": "bad", "delivered": "good", "dropped": "dim"}


def outbox_view(messages: Sequence[Delivery]) -> Listing[Delivery]:
    """The newest first."""
    columns: tuple[Column[Delivery], ...] = (
        Column("message", lambda one: one.id),
        Column(
            "state", lambda one: one.standing.value, tone=lambda one: _TONES[one.standing.value], priority=1
        ),
        Column("channel", lambda one: one.channel),
        Column("text", lambda one: str(one.content.get("text", ""))[:80]),
        Column("tries", lambda one: str(one.attempts), right=True, priority=3),
        Column("since", lambda one: one.queued_at[:19] + "Z", priority=3),
        Column("why", lambda one: one.reason, priority=1),
        Column("incident", lambda one: one.incident, wide=True),
        Column("key", lambda one: one.key, wide=True),
    )
    return Listing("outbox-list/v1", columns, messages, empty="no message waits")
