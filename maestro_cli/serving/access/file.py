"""The keys as a file that is followed: what is added or taken out of it holds within a second.

Invariant: keys are put in force whole or not at all; a broken file leaves those before it and is told once. A
file that is gone for longer than GRACE_SECONDS takes its keys with it: who deletes it wants nobody let in.
Nothing but a regular file is read: requests would wait for a pipe too.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import NotRegular, open_file
from maestro_cli.serving.access.guard import Guard
from maestro_cli.serving.access.keys import Keys, read_keys
from maestro_cli.serving.telemetry.logs import Log

GRACE_SECONDS = 5.0  # a file that is deleted and written anew refuses nobody meanwhile
_LOOK_SECONDS = 0.5
_MAX_BYTES = 1_048_576
# Not every OSError: a process without a descriptor left knows nothing of the file.
_GONE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, NotRegular)


class KeysFile:
    """Follows one file. A Secret's file is a link that is swapped: content is compared, not times.

    `withdrawn` says why no key of the file holds any more; it is empty while they do.
    """

    def __init__(self, path: Path, guard: Guard, log: Log, clock: Clock) -> None:
        self._path = path
        self._guard = guard
        self._log = log
        self._clock = clock
        self._applied: bytes | None = None
        self._problem = ""
        self._gone_since: float | None = None
        self.withdrawn = ""

    def read_first(self) -> None:
        """Put the file in force; raises InvalidFile: a server whose keys are not known must not start."""
        content = self._content()
        self._apply(content, self._decoded(content))

    def look(self) -> None:
        """Put the file in force when it is another than before, and nothing once it is gone for good."""
        try:
            content = self._content()
            self._gone_since = None
            if content != self._applied:
                self._apply(content, self._decoded(content))
            self._problem = ""
        except InvalidFile as error:
            problem = f"{error}: {error.why}" if error.why else str(error)
            if problem != self._problem:
                self._log.error("keys refused", error=problem, source=str(self._path))
            self._problem = problem
            if isinstance(error.__cause__, _GONE):
                self._miss(problem)

    def _miss(self, why: str) -> None:
        now = self._clock.monotonic()
        self._gone_since = now if self._gone_since is None else self._gone_since
        if not self.withdrawn and now - self._gone_since >= GRACE_SECONDS:
            self._guard.put(Keys("maestro.keys/1"))
            self._applied, self.withdrawn = None, f"no key holds: {why}"
            self._log.error("keys withdrawn", error=why, source=str(self._path))

    async def follow(self) -> None:
        """Look at the file until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look()

    def _content(self) -> bytes:
        try:
            with open_file(self._path) as stream:
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
        self._applied, self.withdrawn = content, ""
        self._log.info("keys changed", keys=len(keys.keys), source=str(self._path))
