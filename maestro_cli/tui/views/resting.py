"""What is chosen in a list while one looks at something else. Invariant: known by key, never by number."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.tui.widgets.fact_table import FactTable


@dataclass(frozen=True, slots=True)
class Resting:
    """The keys of what was chosen, and the title of the column that the rows were sorted by: its place is
    another where a scope brings columns.
    """

    cursor: str | None
    marks: tuple[str, ...]
    column: str | None
    is_reversed: bool


def rest_of(table: FactTable) -> Resting:
    return Resting(table.cursor_key, table.marked, *table.sorted_by)


def resume(table: FactTable, rested: Resting) -> None:
    """As it was, as far as the rows are there."""
    if rested.column is not None:
        table.sort(rested.column, reverse=rested.is_reversed)
    table.mark(rested.marks)
    if rested.cursor is not None:
        table.move_to(rested.cursor)
