"""The second line: how one came here, each step to click. Invariant: the last steps are always readable."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.widgets.words import OneLine

SEPARATOR = " › "
LONGEST = 48  # of one step
MORE = "…"  # for the steps without room; a click on it goes to the newest of them


class Crumbs(OneLine):
    DEFAULT_CSS = "Crumbs { color: $text-muted; }"

    class Chosen(Message):
        """A step was clicked, by its place in the trail."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._places: tuple[Place, ...] = ()
        self._steps: tuple[tuple[int, str], ...] = ()

    def show(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self._steps = crumb_steps(self._places, max(self.size.width, 20))
        text = Text()
        for number, (_, words) in enumerate(self._steps):
            text.append(SEPARATOR if number else "")
            text.append(words, style="bold" if number == len(self._steps) - 1 else "")
        self.update(text)

    @property
    def words(self) -> str:
        return SEPARATOR.join(words for _, words in self._steps)

    def on_click(self, event: events.Click) -> None:
        index = step_at(self._steps, event.x)
        if index is not None:
            self.post_message(self.Chosen(index))


def crumb_steps(places: Sequence[Place], width: int) -> tuple[tuple[int, str], ...]:
    """The last steps, as many as fit, each with its place in the trail; `…` before them for the others."""
    steps = _newest(places, width)
    if len(steps) == len(places):
        return tuple(steps)
    steps = _newest(places, width - cell_len(MORE) - len(SEPARATOR))
    return ((steps[0][0] - 1, MORE), *steps)


def _newest(places: Sequence[Place], width: int) -> list[tuple[int, str]]:
    steps: list[tuple[int, str]] = []
    left = width + len(SEPARATOR)
    for index in range(len(places) - 1, -1, -1):
        words = crumb_words(places[index])
        left -= cell_len(words) + len(SEPARATOR)
        if left < 0 and steps:
            break
        steps.insert(0, (index, words))
    return steps


def crumb_words(place: Place) -> str:
    """`pods ml @staging /fraud`."""
    context = f" @{place.context}" if place.context and not place.argument else ""
    sign = "" if place.filter.startswith(("-", "!")) else "/"
    filtered = f" {sign}{place.filter}" if place.filter else ""
    return visible(f"{place.crumb}{context}{filtered}", LONGEST)


def step_at(steps: Sequence[tuple[int, str]], x: int) -> int | None:
    """The place in the trail of the step in that column; None between steps and behind the last."""
    start = 0
    for index, words in steps:
        end = start + cell_len(words)
        if start <= x < end:
            return index
        start = end + len(SEPARATOR)
    return None
