"""What any screen of the console stands on: the terminal, threads beside it, and what is told.

Invariant: work that takes its time is done in a thread of its own; what cannot be drawn is told, and the rest
is still drawn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from textual import on
from textual.driver import Driver
from textual.screen import Screen

from maestro_cli.core.errors import defect
from maestro_cli.tui.console import Console
from maestro_cli.tui.defects import written_down
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.keys.order import OrderedKeys
from maestro_cli.tui.messages import Remarked
from maestro_cli.tui.opening import Opening
from maestro_cli.tui.painting import FrontScreen
from maestro_cli.tui.terminal import drawing_driver
from maestro_cli.tui.themes import DEFAULT, THEMES
from maestro_cli.tui.widgets.status_line import StatusLine

ANNOUNCED_SECONDS = 15


class Stage(OrderedKeys[None]):
    """An app over one Console, which is `behind` it; what stood on the terminal before is its `opening`."""

    def __init__(self, console: Console, theme: str) -> None:
        self.opening: Opening | None = None
        super().__init__()
        self.behind = console
        self.is_ending = False
        self.fault: Exception | None = None  # what ended it, which nobody expected
        self.status = StatusLine()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme if theme in self.theme_names else DEFAULT

    def get_default_screen(self) -> Screen[None]:
        return FrontScreen()

    def get_driver_class(self) -> type[Driver]:
        return drawing_driver(super().get_driver_class(), self._take_terminal)

    def _take_terminal(self) -> bool:
        """Whether it shows the other screen already."""
        return self.opening is not None and self.opening.hand_over()

    def end_soon(self) -> None:
        """End in order; from any thread, and from a signal handler; as soon as it is ready."""
        self.is_ending = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit)

    @on(Driver.SignalResume)
    def paint_again(self) -> None:
        """The terminal showed something else meanwhile."""
        self.screen.refresh(layout=True)

    def colour_of_context(self, context: str) -> str:
        return self.behind.store.snapshot.colour(context)

    def now(self) -> datetime:
        return self.behind.clock.now()

    @property
    def theme_names(self) -> tuple[str, ...]:
        return tuple(theme.name for theme in THEMES)

    def beside(self, work: Callable[[], None]) -> None:
        """Do what takes its time, and tells the store or remarks, in a thread of its own."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the border of the thread; at the end nobody is told
                with suppress(RuntimeError):
                    self.remark(told(error).line)

        threading.Thread(target=run, name="beside", daemon=True).start()

    def _handle_exception(self, error: Exception) -> None:
        """It ends, in order: who opened it tells why, as any command does, instead of a traceback."""
        self.fault = self.fault or error
        super()._handle_exception(error)
        self._exit_renderables.clear()

    @contextmanager
    def _border(self, what: str) -> Iterator[None]:
        """What cannot be drawn is told, and the rest is still drawn."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever was read, it does not end the console
            self.status.tell(f"{what} cannot be drawn: {defect(error)}; {written_down(error)}")

    def _speak(self, sequence: str) -> None:
        """Write to the terminal what is no part of the screen."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def _show_news(self, words: str) -> None:
        self.notify(words, timeout=ANNOUNCED_SECONDS, markup=False)

    @on(Remarked)
    def remarked(self, event: Remarked) -> None:
        self.status.tell(event.text, stays=event.stays)

    def remark(self, text: str, *, stays: bool = False) -> None:
        """Show a remark, until another place is shown unless it `stays`; from any thread."""
        self.post_message(Remarked(text, stays=stays))
