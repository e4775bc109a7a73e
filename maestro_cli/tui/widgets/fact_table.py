"""Rows by key. A stand-in of the first hour: mounts at most LONGEST rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text
from textual.message import Message
from textual.widgets import DataTable

from maestro_cli.output.tables import cell_text
from maestro_cli.output.views import Column

LONGEST = 200


class FactTable(DataTable[Text]):
    class RowOpened(Message):
        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class CursorMoved(Message):
        def __init__(self, key: str | None) -> None:
            super().__init__()
            self.key = key

    marked: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__(cursor_type="row")
        self._keys: list[str] = []

    @property
    def cursor_key(self) -> str | None:
        return self._keys[self.cursor_row] if 0 <= self.cursor_row < len(self._keys) else None

    def show(
        self,
        columns: Sequence[Column[Any]],
        items: Sequence[Any],
        key: Callable[[Any], str],
        *,
        stale: Callable[[Any], bool],
    ) -> None:
        at = self.cursor_key
        self.clear(columns=True)
        self.add_columns(*(Text(column.title.upper()) for column in columns))
        self._keys = [key(item) for item in items[:LONGEST]]
        for item in items[:LONGEST]:
            style = "dim" if stale(item) else ""
            self.add_row(*(Text(cell_text(column.cell(item)), style=style) for column in columns))
        if at in self._keys:
            self.move_cursor(row=self._keys.index(at))

    def on_data_table_row_selected(self) -> None:
        if self.cursor_key is not None:
            self.post_message(self.RowOpened(self.cursor_key))
