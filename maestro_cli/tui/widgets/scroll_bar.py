"""The bar beside lines that are painted as they are.

Invariant: it looks and works as Textual's own, which paints each of its cells as if it were a text: a third
of what a page costs.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from maestro_cli.tui.text import drawn_strip


class LineScrollBar(ScrollBar):
    """A vertical scroll bar."""

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.parent is None:  # its lines are gone, and the screen is not laid out without them yet
            return [Strip.blank(crop.width) for _ in crop.line_range]
        found = self.render()
        if not isinstance(found, ScrollBarRender):
            return super().render_lines(crop)
        style = self.app.console.get_style(found.style)
        if style.color is None or style.bgcolor is None:
            return super().render_lines(crop)
        bar = found.render_bar(
            size=self.size.height,
            virtual_size=found.virtual_size,
            window_size=found.window_size,
            position=found.position,
            thickness=self.size.width,
            vertical=True,
            back_color=style.bgcolor,
            bar_color=style.color,
        )
        behind = self.visual_style.rich_style
        cells = [drawn_strip(cell, behind) for cell in bar.segments]
        return filtered(self, [cells[y] for y in crop.line_range])


def filtered(widget: Widget, strips: Sequence[Strip]) -> list[Strip]:
    """As the app wants colours: none, a terminal's own, or all."""
    filters, done = widget.get_line_filters(), list(strips)
    if filters:
        _, background = widget.background_colors
        for one in filters:
            done = [strip.apply_filter(one, background) for strip in done]
    return done
