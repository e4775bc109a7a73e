"""A text that stays: lines that are coloured already.

Invariant: the spans of a line are shown text; what is searched, wrapped and copied is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_cli.tui.text import Spans, plain_text
from maestro_cli.tui.widgets.line_view import LineView


class TextView(LineView):
    """Shows lines of spans; `match 3 of 12` above them while something is searched."""

    def show_lines(self, lines: Sequence[Spans]) -> None:
        """Show these lines instead, at the place where one was."""
        if list(lines) != self._lines:
            self._replace(lines, keep_place=True)

    def text_of(self, line: Any) -> str:
        return plain_text(line)

    def spans_of(self, line: Any) -> Spans:
        return tuple(line)

    def head(self) -> str:
        return self.match_text()

    def search(self, needle: str) -> int:
        found = super().search(needle)
        self._arrange()
        return found
