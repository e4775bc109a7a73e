"""The keys as a file that is followed: what is added or taken out of it holds within a second.

Invariant: keys are put in force whole or not at all; a broken file leaves those before it and is told once.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from maestro_cli.core.errors import InvalidFile
from maestro_cli.serving.access.guard import Guard
from maestro_cli.serving.access.keys import Keys, read_keys
from maestro_cli.serving.telemetry.logs import Log

_LOOK_SECONDS = 0.5
_MAX_BYTES = 1_048_576


class KeysFile:
    """Follows one file. A Secret's file is a link that is swapped: content is compared, not times."""

    def __init__(self, path: Path, guard: Guard, log: Log) -> None:
        self._path = path
        self._guard = guard
        self._log = log
        self._applied: bytes | None = None
        self._problem = ""

    def read_first(self) -> None:
        """Put the file in force; raises InvalidFile: a server whose keys are not known must not start."""
        content = self._content()
        self._apply(content, self._decoded(content))

    def look(self) -> None:
        """Put the file in force when it is another than before."""
        try:
            content = self._content()
            if content != self._applied:
                self._apply(content, self._decoded(content))
            self._problem = ""
        except InvalidFile as error:
            if str(error) != self._problem:
                self._log.error("keys refused", error=str(error), source=str(self._path))
            self._problem = str(error)

    async def follow(self) -> None:
        """Look at the file until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look()

    def _content(self) -> bytes:
        try:
            with self._path.open("rb") as stream:
                return stream.read(_MAX_BYTES + 1)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise InvalidFile("cannot be read", file=str(self._path), why=why) from error

    def _decoded(self, content: bytes) -> Keys:
        try:
            return read_keys(content.decode("utf-8"), str(self._path))
        except UnicodeDecodeError as error:
            raise InvalidFile("is not UTF-8", file=str(self._path)) from error

    def _apply(self, content: bytes, keys: Keys) -> None:
        self._guard.put(keys)
        self._applied = content
        self._log.info("keys changed", keys=len(keys.keys), source=str(self._path))
