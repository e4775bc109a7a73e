"""The bar beside lines that are painted as they are.

Invariant: it looks and works as Textual's own, which paints each of its cells as if it were a text: a third
of what a page costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget

from maestro_cli.tui.text import drawn_strip


class LineScrollBar(ScrollBar):
    """A vertical scroll bar. Where it goes on, it is painted in the lines alone that look different then."""

    position: Reactive[float] = Reactive(0.0, repaint=False)

    def __init__(self, *, name: str | None = None, thickness: int = 1) -> None:
        self._painted: Sequence[Segment] = ()
        super().__init__(vertical=True, name=name, thickness=thickness)

    def watch_position(self) -> None:
        found = self._bar() if self.is_attached else None
        if found is None or len(found) != len(self._painted):
            self.refresh()
            return
        other = [
            y for y, (was, now) in enumerate(zip(self._painted, found, strict=True)) if _differ(was, now)
        ]
        if other:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in other))

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.parent is None:  # its lines are gone, and the screen is not laid out without them yet
            return [Strip.blank(crop.width) for _ in crop.line_range]
        found = self._bar()
        if found is None:
            return super().render_lines(crop)
        self._painted = found
        behind = self.visual_style.rich_style
        return filtered(self, [drawn_strip(found[y], behind) for y in crop.line_range])

    def _bar(self) -> Sequence[Segment] | None:
        """Each of its cells; None where a theme has it drawn otherwise."""
        found = self.render()
        if not isinstance(found, ScrollBarRender):
            return None
        style = self.app.console.get_style(found.style)
        if style.color is None or style.bgcolor is None:
            return None
        return _cells(self.size, found.virtual_size, found.window_size, found.position, style)


@lru_cache(64)
def _cells(size: Size, whole: int, window: int, position: float, style: Style) -> Sequence[Segment]:
    assert style.color is not None
    assert style.bgcolor is not None
    bar = ScrollBarRender.render_bar(
        size=size.height,
        virtual_size=whole,
        window_size=window,
        position=position,
        thickness=size.width,
        vertical=True,
        back_color=style.bgcolor,
        bar_color=style.color,
    )
    return tuple(bar.segments)


@lru_cache(256)
def _differ(one: Segment, other: Segment) -> bool:
    """Whether two cells look different; what the mouse does on them is asked for when it is there."""
    return (one.text, _look(one)) != (other.text, _look(other))


def _look(cell: Segment) -> Style | None:
    return None if cell.style is None else cell.style.clear_meta_and_links()


def filtered(widget: Widget, strips: Sequence[Strip]) -> list[Strip]:
    """As the app wants colours: none, a terminal's own, or all."""
    filters, done = widget.get_line_filters(), list(strips)
    if filters:
        _, background = widget.background_colors
        for one in filters:
            done = [strip.apply_filter(one, background) for strip in done]
    return done
