"""The keyboard of a terminal, read by the loop itself.

Invariant: what is typed comes to the app in order, in the turn in which it is there, and no thread has to be
waited for, but where the loop cannot be told that something is there; one that has gone is read no more.
"""

from __future__ import annotations

import asyncio
import os
import select
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event

from textual import constants
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from maestro_cli.tui.pasting import ESCAPE, Pastes, Piece

READ_BYTES = 4096
LOOK_SECONDS = 0.1
LATER_SECONDS = 0.001  # than an escape may wait for what belongs to it, so that its time is over for certain
BREATH_SECONDS = 0.05  # within which what follows a paste may be part of it
UNENDED_SECONDS = 5.0  # of a paste, or a mark of one, nothing more has come for so long: it is shown
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\r"}


def is_watchable(descriptor: int) -> bool:
    """Whether a loop can be told when there is something to read: not of a plain file, nor for certain of a
    terminal where there is no epoll (macOS)."""
    if not hasattr(select, "epoll"):
        return False
    with select.epoll() as watch:
        try:
            watch.register(descriptor, select.EPOLLIN)
        except OSError:
            return False
    return True


class Keyboard:
    """Of one terminal, from `open` to `close`, both in the loop."""

    def __init__(
        self, descriptor: int, take: Callable[[Message], object], fail: Callable[[Exception], object]
    ) -> None:
        """`take` gets each key, click and answer of the terminal; `fail` what nobody expected."""
        self._shared, self._take, self._fail = descriptor, take, fail
        self._own = -1
        self._is_watched = is_watchable(descriptor)
        self._parser = XTermParser()
        self._pastes = Pastes()
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waits: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Of a paste that had begun before it was closed more may come."""
        self._loop, self._parser = asyncio.get_running_loop(), XTermParser()
        with suppress(OSError):  # opened anew: another program that reads first would hold the loop else
            self._own = os.open(os.ttyname(self._shared), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        if self._is_watched:
            self._loop.add_reader(self._descriptor, self._read)
        if self._pastes.is_waiting:
            self._loop.call_soon(self._end)

    @property
    def _descriptor(self) -> int:
        return self._shared if self._own < 0 else self._own

    @property
    def is_closed(self) -> bool:
        return self._loop is None

    def close(self) -> None:
        """What was typed and not read yet stays with the terminal."""
        loop, self._loop = self._loop, None
        if loop is not None and self._is_watched and not loop.is_closed():
            loop.remove_reader(self._descriptor)
        own, self._own = self._own, -1
        if own >= 0:
            os.close(own)
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def stand_by(self, over: Event) -> None:
        """In a thread until it is `over`: have the loop read where it is not told itself."""
        if self._is_watched:
            over.wait()
        while not over.is_set():
            loop, is_read = self._loop, Event()
            if loop is None:
                over.wait(LOOK_SECONDS)
            elif self._is_ready():
                try:
                    loop.call_soon_threadsafe(self._read_for, is_read)
                except RuntimeError:
                    return  # it has ended
                while not (is_read.wait(LOOK_SECONDS) or over.is_set()):
                    continue

    def _is_ready(self) -> bool:
        try:
            return bool(select.select([self._descriptor], [], [], LOOK_SECONDS)[0])
        except (OSError, ValueError):  # closed meanwhile
            return False

    def _read_for(self, is_read: Event) -> None:
        try:
            if self._loop is not None:
                self._read()
        finally:
            is_read.set()

    def _read(self) -> None:
        try:
            typed = os.read(self._descriptor, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            typed = b""
        if not typed:
            self.close()
            return
        if text := self._decode(typed):
            self._heed(self._pastes.fed(text))
            self._wait()

    def _heed(self, pieces: Iterable[Piece]) -> None:
        """Textual's own reading of a paste makes keys of what follows an escape in it."""
        for piece in pieces:
            if piece.is_pasted:
                self._give((Paste(piece.text.translate(_CONTROLS)),))
            elif piece.text:  # nothing is the end for the parser
                self._give(self._parser.feed(piece.text))

    def _wait(self) -> None:
        """For more; what has come alone until then is all: an escape is a key, and no beginning."""
        if self._waits is not None:
            self._waits.cancel()
        if self._loop is not None:
            pastes = self._pastes
            beside = BREATH_SECONDS if pastes.is_in_paste else constants.ESCAPE_DELAY
            seconds = UNENDED_SECONDS if pastes.is_open or pastes.is_begun else beside
            self._waits = self._loop.call_later(seconds + LATER_SECONDS, self._end)

    def _end(self) -> None:
        self._waits = None
        pieces = self._pastes.rest()
        if pieces == [Piece(ESCAPE)]:
            self._give((Key("escape", ESCAPE),))
        else:
            self._heed(pieces)
        self._give(self._parser.tick())
        if self._pastes.is_waiting or pieces:
            self._wait()

    def _give(self, messages: Iterable[Message]) -> None:
        try:
            for message in messages:
                self._take(message)
        except Exception as error:  # noqa: BLE001 - the border of the loop, which would only log it
            self._fail(error)
