"""Tones: what a text means, in the colours of the theme.

Invariant: colour says nothing that no word says; styles come from theme variables alone, never from a text.
"""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.geometry import Region, Spacing
from textual.scroll_view import ScrollView
from textual.strip import Strip

from maestro_cli.tui.swatches import SWATCH_TONES
from maestro_cli.tui.text import Spans, cell_strip
from maestro_cli.tui.widgets.scroll_bar import LineScrollBar, filtered
from maestro_cli.tui.widgets.site_names import swatch_style

# The tones of columns (good, bad, warn, dim), those of texts, and those of what the widgets draw themselves.
TONES = (
    "good", "bad", "warn", "dim", "title", "key", "string", "number", "literal", "comment", "gap",
    "match", "selected", "cursor", "cursor-away", "marked", "axis", "line",
)  # fmt: skip


class Toned(ScrollView, can_focus=False):
    """A view that paints its lines itself, in tones; no keys are for it unless it says so."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in TONES}
    DEFAULT_CSS = """
    Toned {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        background: $surface;
        color: $foreground;
        & > .tone--good { color: $text-success; }
        & > .tone--bad { color: $text-error; text-style: bold; }
        & > .tone--warn { color: $text-warning; }
        & > .tone--dim { text-style: dim; }
        & > .tone--title { text-style: bold; background: $panel; color: $foreground; }
        & > .tone--key { color: $text-primary; }
        & > .tone--string { color: $text-success; }
        & > .tone--number { color: $text-accent; }
        & > .tone--literal { color: $text-warning; }
        & > .tone--comment { text-style: dim italic; }
        & > .tone--gap { color: $text-warning; text-style: italic; }
        & > .tone--match { text-style: reverse; }
        & > .tone--selected { text-style: reverse; }
        & > .tone--cursor { background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style; }
        & > .tone--cursor-away { background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground; text-style: bold; }
        & > .tone--marked { color: $text-accent; text-style: bold; }
        & > .tone--axis { text-style: dim; }
        & > .tone--line { color: $text-primary; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._tone_styles: dict[str, Style] = {}
        self._base_style: Style | None = None
        self._painted_width: int | None = None  # of a line, while lines are painted
        self._left: list[Strip] = []  # what was painted last
        super().__init__(id=id, classes=classes)

    @property
    def line_width(self) -> int:
        """Cells of a line; the scroll bar stands beside them."""
        if self._painted_width is not None:
            return self._painted_width
        return self.scrollable_content_region.width

    @property
    def vertical_scrollbar(self) -> LineScrollBar:
        """Made when it is first asked for, as Textual does."""
        bar = self._vertical_scrollbar
        if not isinstance(bar, LineScrollBar):
            bar = LineScrollBar(name="vertical", thickness=self.scrollbar_size_vertical)
            self._vertical_scrollbar = bar
            bar.display = False
            self.app._start_widget(self, bar)
        return bar

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """As Textual does; what stands beside the lines is painted where it looks different alone."""
        if not self.show_vertical_scrollbar:
            super().watch_scroll_y(old_value, new_value)
            return
        self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.repaint()

    def repaint(self) -> None:
        """Paint all lines again; what stands beside them stays."""
        self.refresh(Region(0, 0, *self.scrollable_content_region.size))

    def tone_style(self, tone: str) -> Style:
        """The style of a tone here; a word that is no tone, as any text may be, has that of the widget."""
        style = self._tone_styles.get(tone)
        if style is None:
            style = self.rich_style
            if tone in TONES:
                style += self.get_component_rich_style(f"tone--{tone}", partial=True)
                self._tone_styles[tone] = style
            elif tone in SWATCH_TONES:
                style += swatch_style(self.app.theme_variables, tone)
                self._tone_styles[tone] = style
            elif not tone:
                self._tone_styles[tone] = style
        return style

    def render_lines(self, crop: Region) -> list[Strip]:
        return self._rendered(crop, covered=True)

    def uncovered_lines(self, crop: Region) -> list[Strip]:
        """As `render_lines`, for one who paints the scroll bar before: nothing of what stands behind that."""
        return self._rendered(crop, covered=False)

    def _rendered(self, crop: Region, *, covered: bool) -> list[Strip]:
        if not self.is_attached or self._pruning:  # it has gone, and is on the screen until that is laid out
            blank = Strip.blank(crop.width)
            return [*self._left, *[blank] * crop.height][: crop.height]
        base = self.rich_style  # costly, so it is asked for once a painting; a parent's colour is part of it
        if base != self._base_style:
            self._base_style = base
            self.forget_styles()
        self._painted_width = self.scrollable_content_region.width
        try:
            is_bare = self._is_bare
            self._left = self._bare_lines(crop, base, covered) if is_bare else super().render_lines(crop)
            return self._left
        finally:
            self._painted_width = None

    def lines(self, ys: range) -> list[Strip]:
        """The lines at these places, as they are made."""
        return [self.render_line(y) for y in ys]

    @property
    def _is_bare(self) -> bool:
        """Whether nothing is drawn around or over the lines, as where no theme and no frame says so."""
        styles = self.styles
        decorated = (
            "outline_top",
            "outline_right",
            "outline_bottom",
            "outline_left",
            "hatch",
            "tint",
            "text_opacity",
        )
        return (
            styles.gutter == Spacing()
            and self.opacity == 1.0
            and not any(styles.has_rule(rule) for rule in decorated)
            and self.border_title is None
        )

    def _bare_lines(self, crop: Region, base: Style, covered: bool) -> list[Strip]:
        """The lines as they were made. Textual makes each anew, which is most of what a page costs and
        forgets what a line remembers of itself; what a scroll bar does not cover is filled up."""
        has_bar = self.show_vertical_scrollbar
        width = self.size.width if has_bar else self.region.width
        lines = self.lines(crop.line_range)
        if covered or not has_bar:
            rest = Style(bgcolor=base.bgcolor)
            lines = [
                line if line.cell_length >= width else line.adjust_cell_length(width, rest) for line in lines
            ]
        strips = filtered(self, lines)
        if crop.column_span == (0, self.region.width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.forget_styles()

    def forget_styles(self) -> None:
        """Forget what was made with the styles until now."""
        self._tone_styles.clear()

    def painted(self, spans: Spans, width: int, tone: str = "") -> Strip:
        """One whole line; `tone` is that of what the spans leave empty."""
        strip = cell_strip(spans, self.tone_style, width, tone)
        return strip if strip.cell_length == width else strip.crop(0, width)
