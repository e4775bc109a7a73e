"""What views of costs are asked for, as it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CostWindow:
    """The hours of `window` before `until` (now), with the one that is not over; or those of a `record`.

    All as it was written; `usual` is the window of who names none.
    """

    window: str = ""
    until: str = ""
    prices: Path | None = None
    record: Path | None = None
    usual: str = "24h"


@dataclass(frozen=True, slots=True)
class AllocationWanted:
    """What was asked for, as it was written; `write` is the record to make of it."""

    window: CostWindow = field(default_factory=CostWindow)
    by: str = "namespace"
    where: str = ""
    share_idle: str = "row"
    share: tuple[str, ...] = ()
    share_overhead: str = ""
    weights: tuple[str, ...] = ()
    write: Path | None = None
    order: str = ""
