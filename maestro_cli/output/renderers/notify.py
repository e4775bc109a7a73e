"""Channels as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.incidents.notify.reading import ChannelLine


def channels_view(lines: Sequence[ChannelLine]) -> Listing[ChannelLine]:
    """In the order of the context."""
    columns: tuple[Column[ChannelLine], ...] = (
        Column("channel", lambda one: one.name),
        Column("kind", lambda one: one.kind),
        Column(
            "told of",
            lambda one: "; ".join(one.told) or "nothing: no route leads here",
            priority=1,
            folds=True,
        ),
        Column("waiting", lambda one: str(one.waiting), right=True),
        Column(
            "refused",
            lambda one: str(one.refused),
            right=True,
            tone=lambda one: "bad" if one.refused else "",
            priority=1,
        ),
        Column("failures", lambda one: str(one.failures), right=True, wide=True),
        Column("paused until", lambda one: one.paused_until[:19], wide=True),
    )
    return Listing("channel-list/v1", columns, lines, empty="this context has no channels")
