"""A journal that may be read and not written: on a disk mounted read-only, or of somebody else.

Invariant: nothing is written beside the file. What would first have to be (the roll-back of what a
crash left, a table that has not seen every event) is done in a copy in memory, made anew once the file is
another. A file that is being written is busy, never something to copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from maestro_cli.core.errors import ActionFailed, Busy, CannotRecord
from maestro_cli.core.files import unusable
from maestro_cli.journal.file import BUSY_TIMEOUT_SECONDS, translated

Stamp = tuple[tuple[int, int, int] | None, ...]
_BESIDE = ("", "-journal", "-wal")  # what SQLite keeps of one database, but for what it can make anew


def why_unwritable(path: Path) -> str:
    """Why a journal that exists cannot be written; "" where it can, and where there is none yet."""
    if not path.exists():
        return ""
    for each, wanted in ((path, os.W_OK), (path.parent, os.W_OK | os.X_OK)):
        if not os.access(each, wanted):
            is_mounted_so = os.statvfs(each).f_flag & os.ST_RDONLY
            why = "is on a disk that is mounted read-only" if is_mounted_so else "may not be written by you"
            return f"{each} {why}"
    return ""


def read_only(path: Path, why: str) -> CannotRecord:
    return CannotRecord(
        f"the journal {path} is read-only: no change can be made",
        why=why,
        fix="make it writable, or set XDG_STATE_HOME to a folder that you may write",
    )


def connected_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that shows what is there now. Raises what `file.translated` makes of SQLite's errors."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        db = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, str(error)) from error
    try:
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        db.close()
        meant = translated(error, path)
        if not isinstance(error, sqlite3.OperationalError) or isinstance(meant, Busy):
            raise meant from error
        return _recovered(path)  # a crash left something to roll back, or a WAL without its index
    return db


def stamp_of(path: Path) -> Stamp:
    """What differs once a file of the database was written; opens none, which would end locks of SQLite."""
    return tuple(map(_stamp, (path.with_name(path.name + suffix) for suffix in _BESIDE)))


def is_copy(db: sqlite3.Connection) -> bool:
    return not db.execute("PRAGMA database_list").fetchone()[2]


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _unreadable(path: Path, why: str) -> ActionFailed:
    return ActionFailed(
        f"the journal {path} cannot be read",
        why=why if os.access(path, os.R_OK) else "it may not be read by you",
        fix="have its owner allow it, or set XDG_STATE_HOME to a folder that you may write",
    )


def in_memory(db: sqlite3.Connection, amend: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """A copy with what `amend` writes in it; the original is closed."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with closing(db):
        db.backup(copy)
    copy.row_factory = sqlite3.Row
    amend(copy)
    return copy


def _recovered(path: Path) -> sqlite3.Connection:
    """What SQLite makes of a copy of the files, in a folder for this user alone that is gone at once."""
    try:
        with tempfile.TemporaryDirectory(prefix="maestro-journal-") as folder:
            copy = Path(folder) / path.name
            for suffix in _BESIDE:
                if (file := path.with_name(path.name + suffix)).exists():
                    shutil.copyfile(file, copy.with_name(copy.name + suffix))
            return in_memory(sqlite3.connect(copy, isolation_level=None), lambda db: None)
    except OSError as error:
        raise ActionFailed(
            f"the journal {path} cannot be read where it is",
            why=unusable(Path(error.filename or path), error),
            fix="copy its folder to a disk that can be written, and set XDG_STATE_HOME",
        ) from error
    except sqlite3.DatabaseError as error:
        raise translated(error, path) from error
