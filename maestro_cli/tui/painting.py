"""What is painted of the screen, and when.

Invariant: a frame looks as Textual would have painted it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from textual._compositor import Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip


class FrontCompositor(Compositor):
    """Paints from the front to the back, until every cell is there.

    Textual goes on with each container behind them, of which nothing is seen: a quarter of what a page costs.
    """

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
        left, right = crop.column_span
        rows = {y for y in crop.line_range if is_rendered_line(y)}
        missing = sum(start < right and end > left for y in rows for start, end in pairwise(cuts[y]))
        for region, clip, strips in self._get_renders(crop):
            shown = region.intersection(clip)
            first, last = shown.column_span
            for y, strip in zip(shown.line_range, strips, strict=False):
                if y not in rows:
                    continue
                line = chops[y]
                own = [cut for cut in cuts[y] if first <= cut <= last]
                parts = strip.divide([cut - first for cut in own[1:]])
                for (start, end), part in zip(pairwise(own), parts, strict=False):
                    if line[start] is None:
                        line[start] = part
                        missing -= start < right and end > left
            if missing <= 0:
                break
        return cast("Sequence[Mapping[int, Strip]]", chops)


class FrontScreen(Screen[None]):
    """The screen of the console."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = FrontCompositor()


def paint_now(screen: Screen[Any]) -> None:
    """Paint what has changed, in the screen's own turn, instead of with the next sixtieth of a second."""
    screen.call_next(screen._on_timer_update)
