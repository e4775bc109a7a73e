"""The burn of every objective in one line.

Invariant: a state is a word, worst first, and what has no room is counted; unknown is never shown as ok.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.strip import Strip

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.tones import BURN_TONES
from maestro_cli.tui.text import Span, Spans, cells, cut, plain_text, shown
from maestro_cli.tui.widgets.tones import Toned

if TYPE_CHECKING:
    from maestro_cli.slo.burn import BurnState

_NONE = "no objectives"
_ORDER = {word: place for place, word in enumerate((*BURN_TONES, _NONE))}
_LONGEST_NAME = 40
_BETWEEN: Span = (" │ ", "dim")


@dataclass(frozen=True, slots=True)
class BurnCell:
    """An objective's name and state, and `gone`, what is said of its budget where that presses.

    Without a state it is a context that has no objectives.
    """

    name: str
    state: BurnState | None
    gone: str = ""

    @property
    def word(self) -> str:
        return _NONE if self.state is None else self.state.value


def burn_text(
    cells_of: Sequence[BurnCell],
    width: int,
    *,
    age_seconds: float | None = None,
    unknown: Sequence[str] = (),
) -> Spans:
    """As much as fits: with times, else without those of the ok, then states alone, then the worst ones.

    Of the contexts in `unknown` no burn is known, which is said whatever else is.
    """
    tail: tuple[Span, ...] = ()
    if age_seconds is not None:
        tail = ((f" ({format_duration(age_seconds)} old)", "warn"),)
    if unknown and not cells_of:
        return (("burn not known", "warn"),)
    if unknown:
        names = shown(", ".join(unknown), _LONGEST_NAME)
        tail = (*tail, (cut(f" │ burn not known: {names}", max(width // 2, 1)), "warn"))
    if not cells_of:
        return ((_NONE, "dim"), *tail)
    room = width - cells(plain_text(tail))
    ordered = sorted(cells_of, key=lambda cell: _ORDER[cell.word])
    troubled = [cell for cell in ordered if cell.word != "ok"]
    for every, is_full in ((True, True), (False, True), (False, False)):
        parts = [_part(cell, is_full) for cell in (ordered if every else troubled)]
        if not every and len(troubled) < len(ordered):
            parts.append((f"{len(ordered) - len(troubled)} ok", "good"))
        line = _joined(parts)
        if cells(plain_text(line)) <= room:
            return (*line, *tail)
    return (*_worst(ordered, room), *tail)


def _part(cell: BurnCell, is_full: bool) -> Span:
    text = f"{shown(cell.name, _LONGEST_NAME)} {cell.word}"
    if is_full and cell.gone and cell.word != "no data":
        text += f", {cell.gone}"
    return text, BURN_TONES.get(cell.word, "dim")


def _worst(ordered: Sequence[BurnCell], room: int) -> Spans:
    """The first ones that fit, and how many more there are."""
    for count in range(len(ordered) - 1, 0, -1):
        more: Span = (f"+{len(ordered) - count} more", "dim")
        line = _joined([*(_part(cell, False) for cell in ordered[:count]), more])
        if cells(plain_text(line)) <= room:
            return line
    text, tone = _part(ordered[0], False)
    more_text = f" +{len(ordered) - 1}" if len(ordered) > 1 else ""
    return ((cut(text, max(room - len(more_text), 1)) + more_text, tone),)


def _joined(parts: Sequence[Span]) -> Spans:
    line: list[Span] = []
    for part in parts:
        line += [_BETWEEN, part] if line else [part]
    return tuple(line)


class BurnStrip(Toned):
    """One line, always there."""

    DEFAULT_CSS = """
    BurnStrip { height: 1; overflow-y: hidden; scrollbar-gutter: auto; background: $panel; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._cells: tuple[BurnCell, ...] = ()
        self._age_seconds: float | None = None
        self._unknown: tuple[str, ...] = ()

    def show(
        self,
        burning: Sequence[BurnCell],
        *,
        age_seconds: float | None = None,
        unknown: Sequence[str] = (),
    ) -> None:
        """Show these instead; `age_seconds` when they are of an older time, `unknown` contexts have none."""
        fresh = (tuple(burning), age_seconds, tuple(unknown))
        if fresh != (self._cells, self._age_seconds, self._unknown):
            self._cells, self._age_seconds, self._unknown = fresh
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        if y:
            return self.painted((), width)
        spans = burn_text(self._cells, width, age_seconds=self._age_seconds, unknown=self._unknown)
        return self.painted(spans, width)
