"""Feeds of what the journal holds.

Invariant: something is read again only when the head of the journal has moved, whichever process moved it,
or when it is so old that a lease may have ended without an event. At rest a look costs one row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from maestro_cli.tui.feeds.model import Feed, Hearer

if TYPE_CHECKING:
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.services.root import Services

T = TypeVar("T")
LOOK_SECONDS = 1.0  # between two looks at the head
OLDEST_SECONDS = 10.0  # a lease of a run or of a watch ends without an event


def journal_feed(
    id: str,
    read: Callable[[Services, str], T],
    *,
    oldest_seconds: float = OLDEST_SECONDS,
    item: Callable[[], Any] | None = None,
    revive: Callable[[Any], T] | None = None,
) -> Feed[T]:
    """A feed that follows the journal of its context; of a type `item` it is kept while it is shown."""

    def follow(services: Services, argument: str, hearer: Hearer[T], cancellation: Cancellation) -> None:
        """Tell it now, and after each look that found the head moved, until it is stopped."""
        seen, read_at = -1, 0.0
        while not cancellation.is_set:
            head, now = services.journal.head().seq, services.clock.monotonic()
            if head != seen or now - read_at >= oldest_seconds:
                hearer.read(read(services, argument))
                seen, read_at = head, now
            cancellation.wait(LOOK_SECONDS)

    return Feed(
        id, "the journal", LOOK_SECONDS, follow=follow,
        item=item, revive=revive, is_kept_when_shown=item is not None,
    )  # fmt: skip
