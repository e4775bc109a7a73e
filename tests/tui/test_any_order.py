"""Whatever comes in whatever order: sizes, keys, news and dialogs at any turn of the loop end no console, and
keep nothing of it from being drawn.

What comes is drawn by a seed. A turn is one of the event loop: between two of them nothing is waited for, so
that views and dialogs get what comes before what they are made of is there, and after it has gone.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key, Resize
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import OptionList

from maestro_cli.tui import stage
from maestro_cli.tui.acting.dispatcher import Refusal
from maestro_cli.tui.acting.menu import ActionMenu
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.keys.help import HelpDialog, words_text
from maestro_cli.tui.keys.table import every_key
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import every_screen, strip_feed
from maestro_cli.tui.store.events import (
    CommandLogged,
    Compared,
    ContextArmed,
    ContextDisarmed,
    Event,
    FactBegun,
    FactFailed,
    FactRead,
    FactsForgotten,
    Resumed,
    Rewound,
    ScopeChanged,
)
from maestro_cli.tui.store.model import Fact, Scope, Told
from tests.tui.cases import NOW, StillConsole, run_app, tell, until
from tests.tui.facts import FACTS, PLACES, SITE, burning
from tests.tui.test_contrast import DIALOGS

OTHER = "other"
SIZES = ((80, 24), (120, 40), (200, 60), (79, 10), (1, 1), (81, 24), (33, 70))
SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
LEAVING = {"ctrl+q", "ctrl+z"}  # the program itself
TYPED = ("enter", "escape", "tab", "space", "down", "up", "pagedown", "a", "1", "backspace", "colon", "slash")
STEPS = 150  # a seed, on each screen some
MOST_DIALOGS = 4  # one over the other, the screen counted
MOST_TURNS = 6  # between two steps


def keys() -> list[str]:
    """Every key that something is on."""
    found = {one for key in every_key() for one in key.keys.split(",") if one}
    return sorted(found - LEAVING) + list(TYPED)


class Anything:
    """What may come; `dice` says what does."""

    def __init__(
        self, app: ConsoleApp, console: StillConsole, dice: random.Random, screens: list[str]
    ) -> None:
        self._app, self._console, self._dice, self._screens = app, console, dice, screens
        self._keys = keys()
        self._made: deque[Widget] = deque(maxlen=6)  # lately, whether it is there or not
        self._may_come: tuple[tuple[int, Callable[[], None]], ...] = (
            (6, self.key), (3, self.size), (8, self.size_of_one), (3, self.place), (6, self.news),
            (4, self.dialog), (6, self.answer), (1, self.theme), (2, self.past), (1, self.scope),
            (1, self.arming), (1, self.log), (2, self.screen_key), (3, self.asked),
        )  # fmt: skip

    def comes(self) -> str:
        weights, events = zip(*self._may_come, strict=True)
        (one,) = self._dice.choices(events, weights)
        one()
        return str(one.__name__)

    def key(self) -> None:
        name = self._dice.choice(self._keys)
        self._app.post_message(Key(name, name if len(name) == 1 else None))

    def screen_key(self) -> None:
        """What the screen that is shown has a key for."""
        view = self._app.view
        found = [one.key for one in view.spec.actions if one.key] if view is not None else []
        for name in found[:1] and [self._dice.choice(found)]:
            self._app.post_message(Key(name, name if len(name) == 1 else None))

    def size(self) -> None:
        size = Size(*self._dice.choice(SIZES))
        if isinstance(self._app._driver, HeadlessDriver):
            self._app._driver._size = size
        self._app.post_message(Resize(size, size))

    def size_of_one(self) -> None:
        """Of what is not made yet, or has gone already, too."""
        view = [one for one in (self._app.view,) if one is not None]
        self._resized(self._dice.choice([*self._made, *view, self._app.screen]))

    def _resized(self, newest: Widget) -> None:
        found = [newest, *(one for one in newest.query("*") if hasattr(one, "on_resize"))]
        resized = getattr(self._dice.choice([newest, self._dice.choice(found)]), "on_resize", None)
        if resized is not None:
            resized()

    def _new(self, made: Widget) -> None:
        """Textual may tell it of its size before what is in it is there."""
        self._made.append(made)
        if self._dice.random() < 0.5:
            self._resized(made)

    def asked(self) -> None:
        """What the app asks of the view that is shown, whenever a key says so."""
        view = self._app.view
        if view is not None:
            asks: list[Callable[[], object]] = [
                view.targets, view.unmark, view.rest, lambda: view.home, lambda: view.set_filter("a"),
                lambda: self._app.chosen_context, view.action_menu,
            ]  # fmt: skip
            self._dice.choice(asks)()

    def place(self) -> None:
        screen = self._dice.choice(self._screens)
        self._app.go(PLACES.get(screen, Place(screen)))
        if self._app.view is not None:
            self._new(self._app.view)

    def news(self) -> None:
        screen = self._dice.choice([self._app.trail[-1].screen, self._dice.choice(self._screens)])
        for key, data in FACTS[screen]().items():
            event: Any = self._dice.choice(
                [
                    FactRead(key, data, NOW),
                    FactRead(key, data, NOW),
                    FactFailed(key, Told("it does not answer", fix="wait"), NOW),
                    FactsForgotten(frozenset({key})),
                    FactRead(strip_feed().of(SITE), burning(), NOW),
                    *([FactBegun(key, data)] if isinstance(data, tuple) else []),
                ]
            )
            tell(self._console, event)

    def dialog(self) -> None:
        actions = [one for screen in every_screen().values() for one in screen.actions]
        offers = [(one, self._dice.choice([None, Refusal("not now", "later")])) for one in actions[:9]]
        made: list[Callable[[], ModalScreen[Any]]] = [
            *DIALOGS.values(),
            lambda: ActionMenu((Target(SITE, "Pod", "a", "a"),), offers),
            lambda: ActionMenu((), offers),
            lambda: HelpDialog(words_text("It failed", "why " * 300)),
        ]
        if len(self._app.screen_stack) < MOST_DIALOGS:
            dialog = self._dice.choice(made)()
            self._app.push_screen(dialog)
            self._new(dialog)

    def answer(self) -> None:
        if len(self._app.screen_stack) > 1:
            self._app.screen.post_message(Key("escape", None))

    def theme(self) -> None:
        self._app.theme = self._dice.choice(self._app.theme_names)

    def past(self) -> None:
        facts = {key: Fact(data, NOW) for screen in self._screens for key, data in FACTS[screen]().items()}
        then: Event = Rewound(NOW - timedelta(hours=1), facts, None)
        events: list[Event] = [then, Compared(True), Resumed(), Resumed()]
        tell(self._console, self._dice.choice(events))

    def scope(self) -> None:
        names = self._dice.choice([(SITE,), (SITE, OTHER)])
        scope = Scope(names, self._dice.choice(["", "ml"]))
        if self._dice.random() < 0.5:
            self._app.rescope(scope)
        else:
            tell(self._console, ScopeChanged(scope))
        if self._dice.random() < 0.5:
            self._app.is_beside = not self._app.is_beside

    def arming(self) -> None:
        until = NOW + timedelta(minutes=5)
        events: list[Event] = [ContextArmed(SITE, until), ContextDisarmed(SITE)]
        tell(self._console, self._dice.choice(events))

    def log(self) -> None:
        tell(self._console, CommandLogged(NOW, SITE, "maestro pod list", "running", self._dice.randrange(9)))
        self._app.action_log()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_order_of_sizes_keys_and_news_ends_the_console(
    seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    undrawn: list[str] = []

    def written_down(error: Exception) -> str:
        undrawn.append(repr(error))
        return ""

    monkeypatch.setattr(stage, "written_down", written_down)
    monkeypatch.setattr(ConsoleApp, "exit", lambda *arguments, **named: None)
    dice = random.Random(seed)
    screens = sorted(every_screen())
    dice.shuffle(screens)
    console = StillConsole(SERVICES, (SITE, OTHER))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        anything = Anything(app, console, dice, screens)
        came: list[str] = []
        for _ in range(STEPS):
            came.append(anything.comes())
            for _ in range(dice.randrange(MOST_TURNS)):
                await asyncio.sleep(0)
            assert app.fault is None, came[-8:]
            assert undrawn == [], came[-8:]
        await pilot.pause()
        assert app.fault is None, came[-8:]

    run_app(console, script, place=Place("pods"))


@pytest.mark.parametrize("name", ["menu", "words", "palette"])
def test_a_terminal_of_a_few_cells_ends_no_list_that_is_open(name: str) -> None:
    action = every_screen()["pods"].actions[0]

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        if name == "palette":
            app.action_command_palette()
        else:
            menu = partial(ActionMenu, (Target(SITE, "Pod", "a", "a"),), [(action, None)])
            app.push_screen(menu() if name == "menu" else DIALOGS["words"]())
        await until(pilot, lambda: bool(app.screen.query(OptionList)), "the list")
        for width in (*range(1, 30), 80):
            await pilot.resize_terminal(width, 24)
        assert app.fault is None
        assert app.size.width == 80

    run_app(StillConsole(SERVICES, (SITE,)), script, place=Place("pods"))
