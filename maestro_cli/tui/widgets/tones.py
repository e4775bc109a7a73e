"""Tones: what a text means, in the colours of the theme.

Invariant: colour says nothing that no word says; styles come from theme variables alone, never from a text.
"""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.scroll_view import ScrollView
from textual.strip import Strip

from maestro_cli.tui.text import Spans, blank_strip, cell_strip

# The tones of columns (good, bad, warn, dim), those of texts, and those of what the widgets draw themselves.
TONES = (
    "good", "bad", "warn", "dim", "title", "key", "string", "number", "literal", "comment", "gap",
    "match", "selected", "cursor", "cursor-away", "marked", "axis", "line",
)  # fmt: skip


class Toned(ScrollView):
    """A view that paints its lines itself, in tones."""

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

    @property
    def line_width(self) -> int:
        """Cells of a line; the scroll bar stands beside them."""
        return self.scrollable_content_region.width

    def tone_style(self, tone: str) -> Style:
        """The style of a tone here; a word that is no tone, as any text may be, has that of the widget."""
        if tone not in TONES:
            return self.rich_style
        return self.rich_style + self.get_component_rich_style(f"tone--{tone}", partial=True)

    def painted(self, spans: Spans, width: int, tone: str = "") -> Strip:
        """One whole line; `tone` is that of what the spans leave empty."""
        strip = cell_strip(spans, self.tone_style)
        room = width - strip.cell_length
        if room <= 0:
            return strip if room == 0 else strip.crop(0, width)
        return Strip.join([strip, blank_strip(room, self.tone_style(tone))])
