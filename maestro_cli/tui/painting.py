"""What is painted of the screen, and when.

Invariant: a frame looks as Textual would have painted it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, cast

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

from maestro_cli.tui.widgets.tones import Toned


class FrontCompositor(Compositor):
    """Paints from the front to the back, until every cell is there.

    Textual goes on with each container behind them, of which nothing is seen: a quarter of what a page costs.
    """

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        left, right = crop.column_span
        rows = {y for y in crop.line_range if is_rendered_line(y)}
        cuts = {y: tuple(self.cuts[y]) for y in rows}
        chops: list[dict[int, Strip | None]] = [
            dict.fromkeys(line[:-1]) if y in rows else {} for y, line in enumerate(self.cuts)
        ]
        missing = sum(start < right and end > left for y in rows for start, end in pairwise(cuts[y]))
        for shown, strips in self._front(crop):
            for y, strip in zip(shown.line_range, strips, strict=False):
                if y not in rows:
                    continue
                line = chops[y]
                starts, ends = _parts(cuts[y], *shown.column_span)
                for start, end, part in zip(starts, ends, _divided(strip, ends), strict=False):
                    if line[start] is None:
                        line[start] = part
                        missing -= start < right and end + starts[0] > left
            if missing <= 0:
                break
        return cast("Sequence[Mapping[int, Strip]]", chops)

    def _front(self, crop: Region) -> Iterator[tuple[Region, Sequence[Strip]]]:
        """What is seen of each widget within the crop, from the front to the back. Textual has also those
        painted whose container alone is within it."""
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            if shown and shown.overlaps(crop):
                part = shown.translate(-region.offset)
                if isinstance(widget, Toned) and shown == region:
                    yield shown, widget.uncovered_lines(part)
                else:
                    yield shown, widget.render_lines(part)

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else FrontUpdate(update.chops, update.spans, update.chop_ends)


@lru_cache(64)
def _parts(cuts: tuple[int, ...], first: int, last: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where the parts of a line from `first` to `last` begin, and how far from `first` they end."""
    own = [cut for cut in cuts if first <= cut <= last]
    return tuple(own[:-1]), tuple(cut - first for cut in own[1:])


def _divided(strip: Strip, ends: tuple[int, ...]) -> Sequence[Strip]:
    length = strip.cell_length
    return (strip,) if ends and length == ends[0] else strip.divide([end for end in ends if end <= length])


class FrontUpdate(ChopsUpdate):
    """Parts of lines, written with no more than what differs from one style to the next.

    Textual writes each piece with all of its style and takes that back after it: twice as much for a
    terminal to read.
    """

    def render_segments(self, console: Console) -> str:
        system = console._color_system or ColorSystem.TRUECOLOR
        written: list[str] = []
        before: Style | None = None
        for y, left, right in self.spans:
            for (x, strip), end in zip(self.chops[y].items(), self.chop_ends[y], strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                first, text, last = _written(strip if end <= right else strip.crop(0, right - x), system)
                if text:
                    written += (_move(x, y), turn(before, first, system), text)
                    before = last
        written.append(turn(before, None, system))
        return "".join(written)


_WRITTEN: dict[int, tuple[Strip, ColorSystem, tuple[Style | None, str, Style | None]]] = {}
_REMEMBERED = 500  # strips


def _written(strip: Strip, system: ColorSystem) -> tuple[Style | None, str, Style | None]:
    """The style that a strip begins with, all that is written of it then, and the style it ends with."""
    known = _WRITTEN.get(id(strip))
    if known is not None and known[0] is strip and known[1] is system:
        return known[2]
    segments = list(strip)
    first = before = segments[0].style if segments else None
    pieces: list[str] = []
    for text, style, _ in segments:
        if style is not before:
            pieces.append(turn(before, style, system))
            before = style
        pieces.append(text)
    if len(_WRITTEN) >= _REMEMBERED:
        _WRITTEN.clear()
    made = (first, "".join(pieces), before)
    _WRITTEN[id(strip)] = (strip, system, made)
    return made


_ATTRIBUTES = (
    "bold", "dim", "italic", "underline", "blink", "blink2", "reverse", "conceal", "strike", "underline2",
    "frame", "encircle", "overline",
)  # fmt: skip


@lru_cache(4096)
def _move(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"


@lru_cache(4096)
def turn(before: Style | None, style: Style | None, system: ColorSystem) -> str:
    """What is written between a text of one style and one of another."""
    link = "" if style is None or not style.link else f"\x1b]8;id={style.link_id};{style.link}\x1b\\"
    if before is not None and before.link:
        link = "\x1b]8;;\x1b\\" + link
    codes, was = _codes(style, system), _codes(before, system)
    if codes == was:
        return link
    if before is None or style is None or not was:
        return link + f"\x1b[{codes or '0'}m"
    if any(getattr(before, one) and not getattr(style, one) for one in _ATTRIBUTES):  # none is only taken off
        return link + f"\x1b[0;{codes}m"
    for part in (Style(color=style.color), Style(color=style.color, bgcolor=style.bgcolor), style):
        if _codes(before + part, system) == codes:
            return link + f"\x1b[{_codes(part, system)}m"
    return link + f"\x1b[0;{codes}m"


def _codes(style: Style | None, system: ColorSystem) -> str:
    return "" if style is None else Strip.render_ansi(style, system)


class FrontScreen(Screen[None]):
    """The screen of the console."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = FrontCompositor()

    def paint_focused(self) -> bool:
        """Paint what has changed of what has the focus, here and now; whether anything had. Textual hears of
        it when that is idle, and paints it a turn later."""
        focused = self.focused
        if focused is None:
            return False
        parts = (focused, focused.vertical_scrollbar) if focused.show_vertical_scrollbar else (focused,)
        changed = [one for one in parts if one._repaint_required]
        if changed:
            self._dirty_widgets.update(changed)
            self._on_timer_update()
        return bool(changed)


def paint_now(screen: Screen[Any]) -> None:
    """Paint what has changed, in the screen's own turn, instead of with the next sixtieth of a second."""
    screen.call_next(screen._on_timer_update)
