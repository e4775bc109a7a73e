"""The file behind the journal: who may read it, how SQLite keeps it, and what its errors mean.

Invariant: it is readable by its owner alone, and an error of SQLite that a user can act on says how.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from maestro_cli.config.locations import make_private
from maestro_cli.core.errors import ActionFailed, Busy, CannotRecord, InvalidFile
from maestro_cli.core.files import unusable

SAFE_WAL_SINCE = (3, 51, 3)
BUSY_TIMEOUT_SECONDS = 10.0


def journal_mode() -> str:
    """`WAL` where the linked SQLite is safe with it, else `TRUNCATE` (a rollback journal)."""
    return "WAL" if sqlite3.sqlite_version_info >= SAFE_WAL_SINCE else "TRUNCATE"


def create(path: Path) -> None:
    """Make the file for this user alone; SQLite gives its journal and WAL files the same mode."""
    make_private(path.parent)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ActionFailed(
            f"the journal {path} cannot be written",
            why=unusable(path, error),
            fix=f"make {path.parent} a folder that you may write, or set XDG_STATE_HOME",
        ) from error


def choose_mode(db: sqlite3.Connection, path: Path) -> None:
    """Set the journal mode; raises Busy when a connection elsewhere keeps the file in another one."""
    wanted = journal_mode().lower()
    if wanted == "wal" and db.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
        return  # setting it again would ask for a lock
    if db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0] != wanted:
        raise Busy(
            "the journal is in use by another version of SQLite",
            why=f"{path} cannot be changed to {wanted} while others have it open",
            fix="end those processes and try again",
        )


def broken(path: Path, why: str) -> InvalidFile:
    return InvalidFile(
        "is not an intact journal", file=str(path), why=why, fix="maestro journal verify says what is wrong"
    )


_NOT_WRITABLE = {
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS,
}  # fmt: skip


def translated(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """The error for the user; a mistake of ours (a wrong statement, a constraint) stays what it is."""
    text = str(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy("the journal is busy", why=f"another process is writing {path}", fix="try again")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return InvalidFile(
            "is not an intact SQLite file", file=str(path), why=text, fix="restore it from a copy"
        )
    if code in _NOT_WRITABLE:
        return CannotRecord(
            f"the journal {path} cannot be written", why=text, fix="free disk space or check permissions"
        )
    if "decode" in text:  # text that is no UTF-8: Python's own error, without a code
        return broken(path, text)
    return error
