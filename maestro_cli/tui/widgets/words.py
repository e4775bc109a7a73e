"""Words in the room that there is for them. Invariant: where there is none for all of them, `…` says so."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.visual import Visual
from textual.widgets import Static

MORE = "…"


class OneLine(Static):
    """Not wrapped. It is by its style: that a rich Text is not to be wrapped, Textual does not heed."""

    DEFAULT_CSS = "OneLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"


class SomeLines(Static):
    """Wrapped, in as many lines as its `max-height` leaves it."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Of all the words, not of those for which there was room before."""
        return self.visual.get_height(self.styles.get_rules(), width)

    def render(self) -> Visual:
        whole, rules, (width, height) = self.visual, self.styles.get_rules(), self.size
        if not width or not height or not isinstance(whole, Content):
            return whole
        if whole.get_height(rules, width) <= height:
            return whole
        fits, breaks = 0, len(whole)  # how many characters do, and do not, with the sign behind them
        while breaks - fits > 1:
            middle = (fits + breaks) // 2
            does_fit = (whole[:middle] + MORE).get_height(rules, width) <= height
            fits, breaks = (middle, breaks) if does_fit else (fits, middle)
        return whole[:fits].rstrip() + MORE
