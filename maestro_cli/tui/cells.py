"""What a column says of a row. Invariant: whatever a row holds, asking raises nothing, so that the other rows
are shown. Nothing of a full screen is imported: lines are made of this too."""

from __future__ import annotations

from typing import Any

from maestro_cli.output.views import Column


def cell_of(column: Column[Any], item: Any) -> object:
    """What the column says of an item; in words where it cannot read it, so that the other rows are shown."""
    try:
        return column.cell(item)
    except Exception as error:  # noqa: BLE001 - whatever one row holds, it does not end the console
        return f"not readable ({type(error).__name__})"


def order_of(column: Column[Any], item: Any) -> object:
    """What an item is sorted by; what its cell says where there is nothing else, or that cannot be read."""
    if column.order is None:
        return cell_of(column, item)
    try:
        return column.order(item)
    except Exception:  # noqa: BLE001 - as above
        return cell_of(column, item)


def tone_of(column: Column[Any], item: Any) -> str:
    """Its tone; bad where it cannot be told."""
    try:
        return column.tone(item) if column.tone else ""
    except Exception:  # noqa: BLE001 - as above
        return "bad"
