"""Facts over time, in one file a context.

Invariant: a frame is what a fact was at an instant, whole; parts that did not change are kept once. A look is
which facts were known over a while: what no look of an instant has was not recorded then. Frames and looks
older than the retention go, and so do the oldest when the file is too large; what did not change since then
stays. The file is its owner's alone; what is read from it are values of the fact's own type, or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.standstill import PROCESS
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.tui.store.model import Fact, FactKey, Told

CHUNK_ITEMS = 64  # of a list: so many are kept together
RETENTION_HOURS = 24.0
MOST_BYTES = 256 * 2**20
LOOK_SECONDS = 15.0  # a look tells of so long after it; the next one comes sooner
MOST_CHUNK_BYTES = 64 * 2**20  # of one part, unpacked: more was not written by us
_HASH_BYTES = 16
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks (hash BLOB PRIMARY KEY, used_at REAL NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS frames (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, read_at REAL, chunks BLOB NOT NULL,
    is_list INTEGER NOT NULL, error TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS looks (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, until REAL NOT NULL, keys TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS looks_by_end ON looks (until);
CREATE INDEX IF NOT EXISTS frames_by_key ON frames (key, at);
CREATE INDEX IF NOT EXISTS frames_by_time ON frames (at);
"""


@dataclass(frozen=True, slots=True)
class _Written:
    """The last frame of a key: its items and their hashes, so that what is the same is not packed again."""

    fact: Fact
    frame: int
    parts: tuple[tuple[Any, ...], ...]
    hashes: tuple[bytes, ...]


class Film:
    """Opens or creates the file; thread-safe. Raises InvalidFile for a file that is broken or none of ours,
    and sqlite3.Error for what may pass, as everything that reads or writes does.

    `refused` says why what could not be kept last is not kept, by feed. Another process may put another
    file in its place: `is_in_place` is False then, and what is written here is seen by nobody.
    """

    @PROCESS.at_work()
    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.path = path
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._last: dict[FactKey, _Written] = {}
        self._look_id = 0
        self.refused: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        created = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        self._file = _identity(os.fstat(created))  # a file that comes between this and the next is another
        os.close(created)
        self._db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            if not is_broken(error):
                raise
            raise InvalidFile(
                "this is no recording of the console", file=str(path), why=str(error), fix="move it away"
            ) from error

    def close(self) -> None:
        with PROCESS.at_work(), self._lock:
            self._db.close()

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to this file; raises OSError where nobody can tell."""
        try:
            return _identity(self.path.stat()) == self._file
        except FileNotFoundError:
            return False

    # Writing

    def record(self, at: datetime, facts: Sequence[tuple[FactKey, Fact]]) -> int:
        """Keep which facts are known, and what has changed since it was kept last; how many these are."""
        with PROCESS.at_work(), self._lock, self._whole():
            self.refused = {}
            changed = [(key, fact) for key, fact in facts if not self._is_kept(key, fact)]
            kept = [self._is_written(at.timestamp(), key, fact) for key, fact in changed]
            self._look(at.timestamp(), [key for key, _ in facts if key in self._last])
        return sum(kept)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Everything that is written within it, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._last.clear()
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _is_written(self, at: float, key: FactKey, fact: Fact) -> bool:
        """False for what cannot be kept; it is no reason to keep nothing else."""
        try:
            self._write(at, key, fact)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            self.refused[key.feed] = str(error)
            self._last.pop(key, None)
            return False
        return True

    def _look(self, at: float, keys: Sequence[FactKey]) -> None:
        """The look before goes on while it has the same facts."""
        text = json.dumps(sorted(map(_text, keys)))
        goes_on = self._db.execute(
            "UPDATE looks SET until = ? WHERE id = ? AND keys = ? AND until BETWEEN ? AND ?",
            (at, self._look_id, text, at - LOOK_SECONDS, at),
        )
        if not goes_on.rowcount:
            row = self._db.execute("INSERT INTO looks (at, until, keys) VALUES (?, ?, ?)", (at, at, text))
            self._look_id = row.lastrowid or 0

    def _is_kept(self, key: FactKey, fact: Fact) -> bool:
        """Whether it is as it was; another console may have dropped the frame meanwhile."""
        last = self._last.get(key)
        if last is None or last.fact.data is not fact.data or last.fact.error != fact.error:
            return False
        return self._db.execute("SELECT 1 FROM frames WHERE id = ?", (last.frame,)).fetchone() is not None

    def _write(self, at: float, key: FactKey, fact: Fact) -> None:
        is_list = isinstance(fact.data, tuple)
        items = fact.data if is_list else (fact.data,) if fact.is_known else ()
        parts = tuple(tuple(items[i : i + CHUNK_ITEMS]) for i in range(0, len(items), CHUNK_ITEMS))
        known = self._last.get(key)
        hashes = []
        for index, part in enumerate(parts):
            is_known = known is not None and index < len(known.parts) and _is_same(known.parts[index], part)
            if known is not None and is_known and self._uses(at, known.hashes[index]):
                hashes.append(known.hashes[index])
            else:
                hashes.append(self._keep(at, part))
        chunks = b"".join(hashes)
        error = "" if fact.error is None else json.dumps([fact.error.what, fact.error.why, fact.error.fix])
        read_at = None if fact.read_at is None else fact.read_at.timestamp()
        newest = self._db.execute(
            "SELECT id, chunks, is_list, error FROM frames WHERE key = ? AND at <= ?"
            " ORDER BY at DESC LIMIT 1",
            (_text(key), at),
        ).fetchone()
        if newest is not None and newest[1:] == (chunks, is_list, error):
            frame = newest[0]  # another console kept the same
        else:
            frame = self._db.execute(
                "INSERT INTO frames (at, key, read_at, chunks, is_list, error) VALUES (?, ?, ?, ?, ?, ?)",
                (at, _text(key), read_at, chunks, is_list, error),
            ).lastrowid
        self._last[key] = _Written(fact, frame or 0, parts, tuple(hashes))

    def _keep(self, at: float, part: tuple[Any, ...]) -> bytes:
        packed = msgspec.msgpack.encode(part, enc_hook=_plain)
        digest = hashlib.blake2b(packed, digest_size=_HASH_BYTES).digest()
        if not self._uses(at, digest):
            row = (digest, at, zlib.compress(packed, 1))
            self._db.execute("INSERT INTO chunks (hash, used_at, data) VALUES (?, ?, ?)", row)
        return digest

    def _uses(self, at: float, digest: bytes) -> bool:
        """False where that part is gone: another console may have dropped it."""
        used = self._db.execute("UPDATE chunks SET used_at = ? WHERE hash = ?", (at, digest))
        return used.rowcount > 0

    def forget(self, before: datetime) -> None:
        """Drop what is older, and the oldest tenth while the file is too large."""
        with PROCESS.at_work(), self._lock, self._whole():
            self._carry(before.timestamp())
            self._drop(before.timestamp())
            while self._bytes() > self._most_bytes:
                cut = self._db.execute(
                    "SELECT at FROM frames ORDER BY at LIMIT 1 OFFSET (SELECT count(*) / 10 + 1 FROM frames)"
                ).fetchone()
                if cut is None or not self._drop(cut[0]):
                    break

    def _carry(self, before: float) -> None:
        """Let what was the newest then, and is looked at since, be of then: it is still what it was."""
        looks = self._db.execute("SELECT keys FROM looks WHERE until >= ?", (before,)).fetchall()
        looked_at = {text for (keys,) in looks for text in _texts(keys)}
        newest = self._db.execute(
            "SELECT id, key, chunks, max(at) FROM frames WHERE at <= ? GROUP BY key", (before,)
        ).fetchall()
        for frame, key, chunks, at in newest:
            if key in looked_at and at < before:
                self._db.execute("UPDATE frames SET at = ? WHERE id = ?", (before, frame))
                for start in range(0, len(chunks), _HASH_BYTES):
                    self._db.execute(
                        "UPDATE chunks SET used_at = max(used_at, ?) WHERE hash = ?",
                        (before, chunks[start : start + _HASH_BYTES]),
                    )

    def _drop(self, before: float) -> int:
        """How many frames went."""
        gone = self._db.execute("DELETE FROM frames WHERE at < ?", (before,)).rowcount
        self._db.execute("DELETE FROM chunks WHERE used_at < ?", (before,))
        self._db.execute("DELETE FROM looks WHERE until < ?", (before,))
        return gone

    def _bytes(self) -> int:
        (size,) = self._db.execute(
            "SELECT (SELECT coalesce(sum(length(data)), 0) FROM chunks)"
            " + (SELECT coalesce(sum(length(chunks)), 0) FROM frames)"
        ).fetchone()
        return int(size)

    # Reading

    def before(self, at: datetime) -> datetime | None:
        """The newest instant before that one at which anything was kept."""
        return self._instant("SELECT max(at) FROM frames WHERE at < ?", at)

    def after(self, at: datetime) -> datetime | None:
        """The oldest instant after that one."""
        return self._instant("SELECT min(at) FROM frames WHERE at > ?", at)

    def _instant(self, sql: str, at: datetime) -> datetime | None:
        with PROCESS.at_work(), self._lock:
            (found,) = self._db.execute(sql, (at.timestamp(),)).fetchone()
        return None if found is None else datetime.fromtimestamp(found, UTC)

    def at(self, at: datetime, kinds: dict[str, Any]) -> dict[FactKey, Fact]:
        """Every fact that was known then, as it was; `kinds` are types by feed.

        What cannot be read any more is left out, and so is what the looks of that time do not have.
        """
        with PROCESS.at_work(), self._lock:
            looks = self._db.execute(
                "SELECT keys FROM looks WHERE at <= ? AND until >= ?",
                (at.timestamp(), at.timestamp() - LOOK_SECONDS),
            ).fetchall()
            known = {text for (keys,) in looks for text in _texts(keys)}
            rows = self._db.execute(
                "SELECT key, read_at, chunks, is_list, error, max(at) FROM frames WHERE at <= ? GROUP BY key",
                (at.timestamp(),),
            ).fetchall()
            return dict(self._facts([row for row in rows if row[0] in known], kinds))

    def _facts(self, rows: list[Any], kinds: dict[str, Any]) -> Iterator[tuple[FactKey, Fact]]:
        for text, read_at, chunks, is_list, error, at in rows:
            key = _key(text)
            if key is None or key.feed not in kinds:
                continue
            try:
                fact = Fact()
                if read_at is not None:
                    data = self._data(chunks, is_list, kinds[key.feed])
                    fact = Fact(data, datetime.fromtimestamp(read_at, UTC))
                if error:
                    since = datetime.fromtimestamp(at, UTC)
                    fact = replace(fact, error=Told(*json.loads(error)), error_since=since)
            except (msgspec.MsgspecError, zlib.error, LookupError, ValueError, TypeError, OverflowError):
                continue
            yield key, fact

    def _data(self, chunks: bytes, is_list: int, kind: Any) -> Any:
        items: list[Any] = []
        whole = tuple[kind, ...]
        for start in range(0, len(chunks), _HASH_BYTES):
            digest = chunks[start : start + _HASH_BYTES]
            row = self._db.execute("SELECT data FROM chunks WHERE hash = ?", (digest,)).fetchone()
            if row is None:
                raise LookupError("a part is gone")
            unpack = zlib.decompressobj()
            packed = unpack.decompress(row[0], MOST_CHUNK_BYTES)
            if unpack.unconsumed_tail:
                raise ValueError("a part is larger than any that is written")
            items += msgspec.msgpack.decode(packed, type=ready(whole), dec_hook=_again)
        return tuple(items) if is_list else items[0]


def is_broken(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is no recording any more; else it may be locked, full or away for a while."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _plain(value: Any) -> str:
    """Untrusted text as it is; the screen makes every text visible. Raises TypeError for anything else."""
    if isinstance(value, Untrusted):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _again(kind: type[Any], value: Any) -> Untrusted:
    """What `_plain` wrote. Raises TypeError for anything else."""
    if kind is Untrusted and isinstance(value, str):
        return Untrusted(value)
    raise TypeError(f"{kind.__name__} cannot be kept")


def _is_same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return len(old) == len(new) and all(one is other for one, other in zip(old, new, strict=True))


def _text(key: FactKey) -> str:
    return json.dumps([key.feed, key.context, key.argument])


def _texts(keys: str) -> list[str]:
    """The keys of a look; none for one that is not ours."""
    try:
        return [str(one) for one in json.loads(keys)]
    except (ValueError, TypeError):
        return []


def _key(text: str) -> FactKey | None:
    try:
        parts = json.loads(text)
        return FactKey(*parts) if all(isinstance(one, str) for one in parts) else None
    except (ValueError, TypeError):
        return None
