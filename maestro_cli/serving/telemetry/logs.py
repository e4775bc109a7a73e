"""One JSON line an event, on stderr.

Invariant: a line is ASCII JSON whatever a client or a model wrote into it, each text in it is capped, and
a log that nobody reads never stops the server.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TextIO

from maestro_cli.core.clock import SystemClock, to_rfc3339
from maestro_cli.serving.errors import ModelError, ServingError
from maestro_cli.serving.models.repository import Entry

MAX_TEXT_CHARACTERS = 2000
_CLOCK = SystemClock()


class Log:
    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr

    def write(self, level: str, message: str, **fields: object) -> None:
        """`level` is info, warning or error; fields that are None are left out."""
        line: dict[str, object] = {"time": to_rfc3339(_CLOCK.now()), "level": level, "message": message}
        line.update({key: _capped(value) for key, value in fields.items() if value is not None})
        try:
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return

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
        """The one line of a request that was not answered with 200."""
        failed = isinstance(error, ModelError)
        self.write(
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
        self._log.write(
            "error" if record.levelno >= logging.ERROR else "warning",
            record.getMessage(),
            logger=record.name,
            error=None if error is None else f"{type(error).__name__}: {error}",
        )

    def install(self) -> None:
        """Make this the only handler of the root logger."""
        logging.getLogger().handlers[:] = [self]
        logging.raiseExceptions = False
