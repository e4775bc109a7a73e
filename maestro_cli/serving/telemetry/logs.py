"""One JSON line an event, on stderr.

Invariant: a line is ASCII JSON whatever a client or a model wrote into it, each text in it is capped, and
a log that nobody reads never stops the server: lines wait for a thread, and those without room are counted.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import time
from collections import Counter
from typing import TextIO

from maestro_cli.core.clock import SystemClock, to_rfc3339
from maestro_cli.serving.errors import ModelError, ServingError
from maestro_cli.serving.models.repository import Entry

MAX_TEXT_CHARACTERS = 2000
WAITING_LINES = 1000
LINES_A_SECOND = 100  # of one message that others can cause as often as they like
_LAST_LINES_SECONDS = 1.0
_CLOCK = SystemClock()


class Log:
    """Writes where it is called until `start`, then on a thread of its own until `close`.

    `lost` counts lines that were not written: `full` when nobody read them, `limited` beyond the rate.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING_LINES)
        self._thread: threading.Thread | None = None
        self._this_second: tuple[int, Counter[str]] = (0, Counter())
        self.lost: Counter[str] = Counter()

    def start(self) -> None:
        """From now on no caller waits for who reads the stream."""
        self._thread = threading.Thread(target=self._write_waiting, name="log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Have the last lines written, for a second at most; lines from now on are lost."""
        if self._thread is None:
            return
        try:
            self._waiting.put(None, timeout=_LAST_LINES_SECONDS)
        except queue.Full:
            return
        self._thread.join(_LAST_LINES_SECONDS)

    def _write_waiting(self) -> None:
        while (line := self._waiting.get()) is not None:
            self._put_down(line)

    def _put_down(self, line: str) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return

    def write(self, level: str, message: str, **fields: object) -> None:
        """`level` is info, warning or error; fields that are None are left out."""
        line: dict[str, object] = {"time": to_rfc3339(_CLOCK.now()), "level": level, "message": message}
        line.update({key: _capped(value) for key, value in fields.items() if value is not None})
        text = json.dumps(line) + "\n"
        if self._thread is None:
            self._put_down(text)
            return
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.lost["full"] += 1

    def limited(self, level: str, message: str, **fields: object) -> None:
        """Write it, unless there were too many of that message in this second."""
        second = int(time.monotonic())
        if self._this_second[0] != second:
            self._this_second = (second, Counter())
        counts = self._this_second[1]
        counts[message] += 1
        if counts[message] > LINES_A_SECOND:
            self.lost["limited"] += 1
            return
        self.write(level, message, **fields)

    def info(self, message: str, **fields: object) -> None:
        self.write("info", message, **fields)

    def warning(self, message: str, **fields: object) -> None:
        self.write("warning", message, **fields)

    def error(self, message: str, **fields: object) -> None:
        self.write("error", message, **fields)

    def refusal(
        self,
        error: ServingError,
        *,
        path: str,
        entry: Entry | None = None,
        request_id: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        """The one line of a request that was not answered with 200; what clients do wrong is limited."""
        failed = isinstance(error, ModelError)
        tell = self.write if failed else self.limited
        tell(
            "error" if failed else "warning",
            "inference failed" if failed else "request refused",
            model=entry.name if entry else None,
            version=str(entry.version) if entry else None,
            status=error.status,
            error=error.text,
            request_id=request_id,
            trace_id=trace_id,
            path=path,
        )


def _capped(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= MAX_TEXT_CHARACTERS else text[: MAX_TEXT_CHARACTERS - 1] + "…"


class LibraryLog(logging.Handler):
    """Carries what uvicorn and asyncio log at WARNING or worse into the same JSON lines."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.limited(  # uvicorn warns of every request that is no HTTP
            "error" if record.levelno >= logging.ERROR else "warning",
            record.getMessage(),
            logger=record.name,
            error=None if error is None else f"{type(error).__name__}: {error}",
        )

    def install(self) -> None:
        """Make this the only handler of the root logger."""
        logging.getLogger().handlers[:] = [self]
        logging.raiseExceptions = False
