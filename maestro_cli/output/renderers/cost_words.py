"""What rows and hours of costs are called, wherever one is shown.

Invariant: two rows of one grouping never read alike, and the same record reads the same in every time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from maestro_cli.cost.allocation.model import RowKind
from maestro_cli.output.views import Column

_TONES = {RowKind.IDLE: "warn", RowKind.OVERCOMMIT: "bad", RowKind.UNALLOCATED: "warn", RowKind.OTHER: "dim"}
_NAMES = {
    RowKind.IDLE: "(idle)",
    RowKind.OVERCOMMIT: "(over-commit)",
    RowKind.UNALLOCATED: "(unallocated)",
    RowKind.SHARED: "(shared by nobody)",
    RowKind.OVERHEAD: "(overhead)",
    RowKind.OTHER: "(left out)",
}


class Keyed(Protocol):
    """What has the keys of a grouping and what stands behind them."""

    @property
    def keys(self) -> tuple[str, ...]: ...

    @property
    def kind(self) -> RowKind: ...


def hour_words(instant: datetime) -> str:
    """An instant in UTC, of which the hours of costs are; seconds where it has some."""
    there = instant.astimezone(UTC)
    return f"{there:%Y-%m-%d %H:%M:%S} UTC" if there.second else f"{there:%Y-%m-%d %H:%M} UTC"


def key_words(row: Keyed, index: int = 0) -> str:
    """The value of one key; the first says as well what it is that has no spender."""
    special = _NAMES.get(row.kind, "") if index == 0 else ""
    return " ".join(part for part in (row.keys[index], special) if part) or "-"


def key_columns(grouping: tuple[str, ...]) -> list[Column[Any]]:
    """A column of each key of the grouping; no terminal is too narrow for them."""
    return [_column(index, name) for index, name in enumerate(grouping)]


def _column(index: int, name: str) -> Column[Any]:
    return Column(
        name, lambda row: key_words(row, index), tone=lambda row: _TONES.get(row.kind, ""), priority=0
    )
