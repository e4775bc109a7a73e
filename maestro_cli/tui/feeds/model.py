"""A feed: how one kind of fact is read.

Invariant: data; a feed knows services and no widget. `read` answers whole; `follow` tells what changes and
returns when it is stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from maestro_cli.tui.store.model import FactKey

if TYPE_CHECKING:
    from datetime import datetime

    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.services.root import Services

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Hearer(Protocol[T_contra]):
    """Who is told by a feed that follows; from any thread."""

    def read(self, data: T_contra) -> None:
        """This is all of it now."""

    def begun(self, data: T_contra) -> None:
        """This is some of it, while all of it is read for the first time: never taken for the whole."""

    def failed(self, error: Exception, heard_at: datetime | None = None) -> None:
        """It is not known any more whether that is so; what follows tells when it is again.

        Until `heard_at` it was so; where that is None, until it was told last.
        """


@dataclass(frozen=True)  # no slots: Python 3.11 cannot call a subscripted slotted generic
class Feed(Generic[T]):
    """`needs` is the backend that it asks, in a word for people. `argument` is what it is about, or "".

    It has either `read` or `follow`. A feed that follows tells the hearer the whole data whenever that
    has changed, at most some times a second, raises MaestroError when it cannot go on, and is then called
    again after `every_seconds`. `item` gives the type of what it reads, or of each item of a tuple: such
    facts the recorder keeps; it has them read too, unless `is_kept_when_shown` alone: of what is about one
    thing, or costly. `revive` makes what it reads of what was kept as `item`, where these differ.
    `namespace_of` an item: then its argument is a namespace, "" for all of them.
    """

    id: str
    needs: str
    every_seconds: float
    read: Callable[[Services, str], T] | None = None
    follow: Callable[[Services, str, Hearer[T], Cancellation], None] | None = None
    item: Callable[[], Any] | None = None
    namespace_of: Callable[[Any], str] | None = None
    revive: Callable[[Any], T] | None = None
    is_kept_when_shown: bool = False

    def __post_init__(self) -> None:
        if (self.read is None) is (self.follow is None):
            raise ValueError(f"the feed {self.id!r} needs either read or follow")

    @property
    def has_namespace(self) -> bool:
        return self.namespace_of is not None

    def of(self, context: str, argument: str = "") -> FactKey:
        return FactKey(self.id, context, argument)


AnyFeed = Feed[Any]
