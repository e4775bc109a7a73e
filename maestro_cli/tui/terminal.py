"""The terminal that the screen is drawn on.

Invariant: drawn on it wherever messages and errors are sent; one that has gone away holds up nothing. With
NO_COLOR no colour is sent, also no grey.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from threading import Event, RLock, Thread, current_thread, main_thread
from typing import IO, Any, Generic, TypeVar

from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter
from textual.message import Message

from maestro_cli.tui.keyboard import Keyboard
from maestro_cli.tui.opening import ENTER
from maestro_cli.tui.pen import Pen, pen_for
from maestro_cli.tui.text import Colourless

R = TypeVar("R")


class ColourlessApp(App[R], Generic[R]):
    """An app that honours NO_COLOR: Textual makes grey of every colour."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, Colourless()] if self.no_color else filters


class Lasting:
    """A file that may go away: what is written to it then is dropped."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def end_when_gone(descriptor: int, over: Event) -> None:
    """Wait until a terminal has gone, and have the console end as by the signal of that; until it is over.

    The signal comes by itself only to the session whose terminal it was, and a terminal that has gone is read
    as an end of the file, again and again.
    """
    poller = select.poll()
    poller.register(descriptor, 0)  # nothing but that it hung up
    while not over.is_set():
        found = [what for _, what in poller.poll(500)]
        if any(what & select.POLLNVAL for what in found):
            return  # closed here, or of a system that does not tell it of terminals
        if any(what & (select.POLLHUP | select.POLLERR) for what in found):
            ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGTERM if ignored else signal.SIGHUP)
            return


def _is_job() -> bool:
    """Whether a shell put it into a group of its own, and so notices that it stopped."""
    return os.getsid(0) != os.getpgrp()


def _never() -> bool:
    return False


def drawing_driver(found: type[Driver], take: Callable[[], bool] = _never) -> type[Driver]:
    """The driver, one of a terminal made to last. `take` gets the terminal from whoever has it, and answers
    whether that shows the other screen: then it is not entered anew, which would blank it until it is drawn.

    Textual draws on stderr, which is a file after `2>file`; and its drawing thread ends at the first error,
    after which the screen waits for that thread for ever.
    """
    from textual.drivers.linux_driver import LinuxDriver

    if not issubclass(found, LinuxDriver):
        return found

    class LastingDriver(found):  # type: ignore[misc, valid-type]  # the class that was found
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            error = sys.__stderr__
            file = sys.__stdout__ if error is not None and not error.isatty() else error
            self._lasting = None if file is None else Lasting(file)
            self._file: Pen | Lasting | None = self._lasting
            self._pen: Pen | None = None
            self._is_entered = False
            self._is_suspending = self._is_left = False
            self._drawing = RLock()  # what is drawn and what of it is queued keep their order
            self._depth = 0  # of writes in the thread that signals are handled in
            self._put_off: list[Callable[[], None]] = []
            self._keyboard: Keyboard | None = None

        @property
        def can_suspend(self) -> bool:
            return bool(super().can_suspend) and _is_job()

        def _sigtstp_application(self, *_: object) -> None:
            """Leave the screen, and stop with all that the shell began with it, which it waits for."""
            if self._depth:
                self._put_off.append(self._sigtstp_application)
                return
            if self._auto_restart:
                self.suspend_application_mode()
                self._must_signal_resume = True
            os.kill(-os.getpgrp() if _is_job() else os.getpid(), signal.SIGSTOP)

        def _sigcont_application(self, *_: object) -> None:
            """Where it was stopped unasked, the shell changed the terminal's modes all the same.

            Whoever is told that a terminal has gone is told to go on, too: one that was left is not taken
            again, since nobody would leave it any more.
            """
            if self._depth:
                self._put_off.append(self._sigcont_application)
                return
            if self._is_left:
                return
            if self._auto_restart and self._key_thread is not None and not self._must_signal_resume:
                self.suspend_application_mode()
                self._must_signal_resume = True
            super()._sigcont_application()

        def suspend_application_mode(self) -> None:
            self._is_suspending = True
            try:
                super().suspend_application_mode()
            finally:
                self._is_suspending = False

        def stop_application_mode(self) -> None:
            self._is_left = self._is_left or not self._is_suspending
            super().stop_application_mode()

        def start_application_mode(self) -> None:
            self._is_entered = take()
            if self._lasting is not None:
                self._pen = pen_for(self._lasting)
                self._file = self._pen or self._lasting
            if self._keyboard is None:
                self._keyboard = Keyboard(self.fileno, self.process_message, self._app._handle_exception)
            super().start_application_mode()
            if self._key_thread is not None and self._key_thread.is_alive():
                self._keyboard.open()  # in the background a terminal is not taken, and not read either

        def disable_input(self) -> None:
            if self._keyboard is not None:
                self._keyboard.close()
            super().disable_input()

        def close(self) -> None:
            super().close()
            if self._pen is not None:
                self._pen.close()

        def write(self, data: str) -> None:
            is_of_signals = current_thread() is main_thread()
            self._depth += is_of_signals
            try:
                with self._drawing:
                    if self._is_entered and data == ENTER:
                        self._is_entered = False
                    elif left := data if self._pen is None else self._pen.draw(data):
                        super().write(left)
            finally:
                self._depth -= is_of_signals
            while is_of_signals and self._put_off and not self._depth:
                self._put_off.pop(0)()

        def send_message(self, message: Message) -> None:
            """As any thread does. Textual makes a task for it, which waits for two turns of the loop."""
            self._app.post_message(message)

        def run_input_thread(self) -> None:
            """Until the terminal is left; the loop reads it."""
            over = Event()  # not that of the driver, which is for a moment alone
            Thread(target=end_when_gone, args=(self.fileno, over), daemon=True).start()
            try:
                if self._keyboard is not None:
                    self._keyboard.stand_by(self.exit_event)
            finally:
                over.set()

    return LastingDriver
