"""Keys one after another.

Invariant: a key is given to nobody before the one that was pressed earlier has done what it does, so that
what is typed at once after a key that moves the focus or opens a dialog goes where it is meant to go. What is
pasted waits for its turn as a key does. No key is lost: those that were typed before there was a screen wait
for it. After that none is held back for longer than `LONGEST_SECONDS` by what does not answer, be it a key or
the screen that it leads to; but what is typed after one that asks for words waits for the dialog, however
late that comes. Only what leaves the console, and what ends experiments, passes by then.
What the last one of those typed did is painted at once; where a list or a text has done it, its messages are
followed a moment later, unless somebody types on: what draws the terminal needs the processor first.

Textual gives each key to whatever has the focus when it comes, and carries out its binding later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from textual.app import ScreenStackError
from textual.dom import DOMNode
from textual.events import Event, Key, Paste
from textual.message import Message

from maestro_cli.tui.painting import FrontScreen, paint_now
from maestro_cli.tui.terminal import ColourlessApp

R = TypeVar("R")

LONGEST_SECONDS = 0.5
LOOKS = 20  # within them
LOOK_SECONDS = 0.005  # at the start, whether everything is there
MOST_LAPS = 6
DRAWN_SECONDS = 0.002  # what is painted is on most terminals by then


class LapOver(Message):
    """Went the way of a key, behind it: from what has the focus up to the app."""

    def __init__(self, key: int, lap: int, begun_at: DOMNode) -> None:
        super().__init__()
        self.key, self.lap, self.begun_at = key, lap, begun_at


class OrderedKeys(ColourlessApp[R], Generic[R]):
    """An app that holds a key back until the one before is done with."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._held: deque[Key | Paste] = deque()
        self._opening: set[object] = set()  # what will open a dialog
        self.never_held: frozenset[str] = frozenset()
        self.count = 0  # of keys that were given on
        self._is_passing = True  # until what a key may open is there
        self._rests: asyncio.TimerHandle | None = None  # while what was painted is drawn

    def on_ready(self) -> None:
        self.call_later(self._begin_once_whole)

    async def _begin_once_whole(self) -> None:
        """A widget is mounted once all within it is."""
        if self.screen_stack and not all(one.is_mounted for one in self.screen_stack[0].query()):
            self.set_timer(LOOK_SECONDS, self._begin_once_whole)
        else:
            await self._done(0)

    @property
    def is_typed_ahead(self) -> bool:
        """Whether keys wait to be given on."""
        return bool(self._held)

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._is_passing or (self._opening and not self._passes_by(event)):
            self._held.append(event)
            await self._go_on()
        else:
            await self._pass(event)

    def hold_for(self, work: object, *, however_late: bool = False) -> None:
        """Hold back what is typed from now on, until `let_go` of it."""
        self._opening.add(work)
        if not however_late:
            self.set_timer(LONGEST_SECONDS, lambda: self.let_go(work))

    async def let_go(self, work: object) -> None:
        """Its dialog is up, or none will come now."""
        self._opening.discard(work)
        await self._pass_next()

    def _passes_by(self, event: Key | Paste) -> bool:
        return isinstance(event, Key) and event.key in self.never_held

    async def _pass(self, event: Key | Paste) -> None:
        self._is_passing, self.count = True, self.count + 1
        key = self.count
        await super().on_event(event)
        is_painted = not self._held and self._paint()
        self._look_again(key, LOOKS)
        if is_painted:
            self._rests = self._after(DRAWN_SECONDS, self._go_on)
        else:
            await self._lap(key, 1)

    def _paint(self) -> bool:
        """Whether what has the focus had changed."""
        return (
            bool(self.screen_stack) and isinstance(self.screen, FrontScreen) and self.screen.paint_focused()
        )

    async def _go_on(self) -> None:
        """Follow the key that was painted."""
        if self._rests is not None:
            self._rests.cancel()
            self._rests = None
            await self._lap(self.count, 1)

    def _after(self, seconds: float, then: Callable[[], Awaitable[None]]) -> asyncio.TimerHandle:
        """As `set_timer`, which makes a task of each."""
        return asyncio.get_running_loop().call_later(seconds, self.call_later, then)

    def _look_again(self, key: int, looks: int) -> None:
        """In many short times, not in a long one: a machine that is busy meanwhile has not waited in vain."""
        self._after(LONGEST_SECONDS / LOOKS, lambda: self._look(key, looks - 1))

    async def _look(self, key: int, looks: int) -> None:
        if key != self.count or not self._is_passing:
            return
        if looks:
            self._look_again(key, looks)
        else:
            await self._done(key)

    async def _lap(self, key: int, lap: int) -> None:
        """Two at least: the first follows the key to its binding, the second what that has told the app."""
        begun_at = self._key_goes_to()
        if begun_at is None or not begun_at.post_message(LapOver(key, lap, begun_at)):
            await self._done(key)

    async def on_lap_over(self, event: LapOver) -> None:
        event.stop()
        if event.key != self.count:
            return
        is_settled = event.lap > 1 and event.begun_at is self._key_goes_to()
        if is_settled or event.lap == MOST_LAPS:
            await self._done(event.key)
        else:
            await self._lap(event.key, event.lap + 1)

    def _key_goes_to(self) -> DOMNode | None:
        """None at the end, when there is no screen any more."""
        try:
            return self.focused or self.screen
        except ScreenStackError:
            return None

    async def _done(self, key: int) -> None:
        if key == self.count and self._is_passing:
            self._is_passing = False
            await self._pass_next()
            if not self._held and self._key_goes_to() is not None:
                paint_now(self.screen)

    async def _pass_next(self) -> None:
        """The one that has waited longest; while a dialog is waited for, the one that is not held for it."""
        if self._is_passing or self._key_goes_to() is None:
            return
        found = next((one for one in self._held if not self._opening or self._passes_by(one)), None)
        if found is not None:
            self._held.remove(found)
            await self._pass(found)
