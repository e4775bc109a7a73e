"""Where there is no room for all words, `…` says so: no half of a sentence reads as the whole of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text
from textual.notifications import Notification
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets._toast import Toast

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.model import Scope, Snapshot
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.widgets.crumbs import Crumbs
from maestro_cli.tui.widgets.header import Header
from maestro_cli.tui.widgets.status_line import StatusLine
from maestro_cli.tui.widgets.words import SomeLines
from tests.tui.cases import NOW, StillConsole, run_app, until
from tests.tui.widgets.stage import painted, play, resize

WORDS = "end of it: what was set aside as that which nobody wanted any more, whoever asked for all of it"


def tell_status(line: StatusLine) -> None:
    line.tell(WORDS)


def tell_header(line: Header) -> None:
    scope = Scope(("production-of-europe", "production-of-america", "staging-of-europe"), "machine-learning")
    line.show(Snapshot(scope), NOW)


def tell_crumbs(line: Crumbs) -> None:
    line.show([Place("pods", filter=WORDS)])


@pytest.mark.parametrize(
    ("line", "tell"),
    [(StatusLine, tell_status), (Header, tell_header), (Crumbs, tell_crumbs)],
    ids=["status", "header", "crumbs"],
)
def test_a_line_that_has_no_room_is_cut_at_its_last_cell_and_says_so(line: Any, tell: Any) -> None:
    shown = line()

    async def scene(pilot: Pilot[None]) -> None:
        tell(shown)
        await pilot.pause()
        (text,) = painted(shown)
        assert len(text) == 40
        assert text.endswith("…")

    play(scene, shown, size=(40, 24))


def test_what_is_wrapped_says_so_in_its_last_line_and_has_all_words_where_there_is_room() -> None:
    lines = SomeLines(Text(WORDS))
    lines.styles.max_height = 2

    async def scene(pilot: Pilot[None]) -> None:
        assert painted(lines) == ["end of it: what was set aside", "as that which nobody wanted a…"]
        await resize(pilot, 50, 24, lines)
        assert " ".join(painted(lines)) == WORDS
        await resize(pilot, 20, 24, lines)
        assert painted(lines) == ["end of it: what was", "set aside as that w…"]
        lines.update(Text("short"))
        await pilot.pause()
        assert painted(lines) == ["short"]
        lines.update(Text("\n".join("abcd")))
        await pilot.pause()
        assert painted(lines) == ["a", "b…"]

    play(scene, lines, size=(30, 24))


def test_what_is_not_fresh_in_more_contexts_than_there_are_lines_says_so() -> None:
    line = StaleLine()

    async def scene(pilot: Pilot[None]) -> None:
        line.show("the cluster", [], NOW, above=[f"line {number}" for number in range(9)])
        await pilot.pause()
        assert painted(line) == [*(f"line {number}" for number in range(5)), "line 5…"]

    play(scene, line)


@pytest.mark.parametrize("screen", ["pods", "cost"])
def test_no_line_of_the_console_wraps_words_away(screen: str) -> None:
    """Every widget of words that has so many lines and no more."""

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.view is not None and app.view.is_mounted, "the view")
        app.screen.mount(Toast(Notification(WORDS)))
        await until(pilot, lambda: bool(app.screen.query(Toast)), "what is announced")
        bad: list[Any] = []
        for one in app.screen.query(Static):
            height, most = one.styles.height, one.styles.max_height
            if height is not None and height.cells == 1:
                is_cut = (one.styles.text_wrap, one.styles.text_overflow) == ("nowrap", "ellipsis")
            else:
                is_cut = most is None or isinstance(one, SomeLines)
            bad += [] if is_cut else [one]
        assert bad == []

    run_app(StillConsole(SimpleNamespace()), script, place=Place(screen))
