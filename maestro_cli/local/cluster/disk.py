"""The newest version of every object, in one SQLite file of the state folder.

Invariant: once `settled` returns, everything noted before it is on disk; the server sends nothing, not
even an answer to a read, before that. So whatever a client was told outlives the process. What the disk
refuses is taken back in memory as well, so that reads tell what is on disk.

One thread writes, and all that is noted while it does goes into its next transaction.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maestro_cli.core.errors import ActionFailed, Busy, InvalidFile, MaestroError
from maestro_cli.local.cluster.status import ApiError
from maestro_cli.local.cluster.store import Event, Key

FILE = "cluster.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT, namespace TEXT, name TEXT, revision INTEGER, object BLOB, PRIMARY KEY (kind, namespace, name)
);
CREATE TABLE IF NOT EXISTS progress (only INTEGER PRIMARY KEY, revision INTEGER);
"""
_PUT = "REPLACE INTO objects VALUES (?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?"
_PROGRESS = "REPLACE INTO progress VALUES (0, ?)"
Batch = list[tuple[str, Event]]


class Disk:
    """The file of one cluster process; another process that opens it is told it is busy."""

    def __init__(self, state: Path) -> None:
        """Open or make the file. Raises Busy, InvalidFile (not intact), ActionFailed (not writable).

        `undo` has to be set: it takes back in memory what was noted, the newest first. `trouble` is why the
        disk refused the last write, "" when it took it.
        """
        self.undo: Callable[[str, Event], None] | None = None
        self.trouble = ""
        self._path = state / FILE
        self._noted: Batch = []
        self._revision = self._safe = 0
        self._writing: asyncio.Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, "disk")
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=2, check_same_thread=False)
            # Exclusive, so that there is one connection and SQLite needs no memory shared with others.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise self._refusal(error) from error

    def load(self) -> Iterator[tuple[str, Key, int, bytes]]:
        """Each object: kind, key, revision, JSON."""
        for kind, namespace, name, revision, raw in self._db.execute("SELECT * FROM objects"):
            yield kind, (namespace, name), revision, raw

    def revision(self) -> int:
        """The last revision that was given out, 0 for a new file."""
        return int((self._db.execute("SELECT revision FROM progress").fetchone() or (0,))[0])

    def note(self, kind: str, event: Event) -> None:
        """Have a commit written with the next transaction."""
        self._noted.append((kind, event))
        self._revision = event.revision

    async def settled(self) -> None:
        """Wait until all that was noted before is on disk. Raises ApiError 500 when it cannot be: then
        nothing of it is there any more, in memory neither.
        """
        wanted = self._revision
        while self._safe < wanted:
            if self._writing is None or self._writing.done():
                self._writing = asyncio.ensure_future(self._write())
            await asyncio.shield(self._writing)

    async def _write(self) -> None:
        batch, self._noted, revision = self._noted, [], self._revision
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._commit, batch, revision)
        except BaseException as error:
            self._noted = batch + self._noted  # whatever it was, this is not on disk
            if not isinstance(error, Exception):
                raise
            self._take_back()
            told = str(error) or type(error).__name__
            self.trouble = f"{self._path} cannot be written: {told}; free disk space and try again"
            raise ApiError(500, "InternalError", f"nothing was changed: {self.trouble}") from error
        self._safe, self.trouble = revision, ""

    def _take_back(self) -> None:
        assert self.undo is not None
        for kind, event in reversed(self._noted):
            self.undo(kind, event)
        self._noted, self._revision = [], self._safe

    def _commit(self, batch: Batch, revision: int) -> None:
        newest = {(kind, *event.after.key): event for kind, event in batch}
        gone = [place for place, event in newest.items() if event.gone]
        kept = [
            (*place, event.revision, event.after.raw) for place, event in newest.items() if not event.gone
        ]
        self._db.execute("BEGIN")
        try:
            self._db.executemany(_REMOVE, gone)
            self._db.executemany(_PUT, kept)
            self._db.execute(_PROGRESS, (revision,))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._thread.shutdown()
        self._db.close()

    def _refusal(self, error: sqlite3.Error | OSError) -> MaestroError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Busy("another cluster process has the state", why=str(self._path), fix="end it first")
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            fix = "remove it: the cluster then starts empty"
            return InvalidFile("is not an intact SQLite file", file=str(self._path), why=str(error), fix=fix)
        return ActionFailed(
            f"{self._path} cannot be written", why=str(error), fix="check space and permissions"
        )
