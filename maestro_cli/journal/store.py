"""The journal: one SQLite file a context, appended to by several processes.

Invariant: an event, its projections and the head move in one transaction, or not at all. SQLite
before 3.51.3 can corrupt a WAL file that several connections share, so a rollback journal is used
there. What cannot be written stops the caller: no journal, no change. A file that may only be read is
shown as it is.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.clock import Clock, from_rfc3339, to_rfc3339
from maestro_cli.core.errors import Busy, InvalidFile
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.standstill import PROCESS
from maestro_cli.journal.file import BUSY_TIMEOUT_SECONDS, broken, choose_mode, create, translated
from maestro_cli.journal.file import SAFE_WAL_SINCE as SAFE_WAL_SINCE
from maestro_cli.journal.file import journal_mode as journal_mode
from maestro_cli.journal.model import Event, Head, Lease, Projection, chain_hash
from maestro_cli.journal.reading import (
    Stamp,
    connected_for_reading,
    in_memory,
    is_copy,
    read_only,
    stamp_of,
    why_unwritable,
)  # fmt: skip
from maestro_cli.journal.schema import FORMAT, format_of, make_tables, recreate

EVENT_COLUMNS = "seq, time, kind, subject, actor, data, prev, hash"
_SURROGATES = re.compile("[\ud800-\udfff]")  # half characters: neither UTF-8 nor SQLite can carry them


class Transaction:
    """Reads and appends that become visible together; only valid inside `Journal.transaction`."""

    def __init__(self, journal: Journal, db: sqlite3.Connection) -> None:
        self._journal = journal
        self._db = db

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        return self._db.execute(sql, parameters).fetchall()

    def append(self, kind: str, subject: str, actor: str, data: Mapping[str, Any]) -> Event:
        """Add one event and fold it into every projection."""
        return self._journal._append(self._db, kind, subject, actor, data)

    def require_lease(self, lease: Lease) -> None:
        """Raises Busy when the lease expired or somebody took over."""
        rows = self.query("SELECT holder, fence, until FROM leases WHERE name = ?", (lease.name,))
        held = rows and rows[0]["holder"] == lease.holder and rows[0]["fence"] == lease.fence
        if not held or rows[0]["until"] <= to_rfc3339(self._journal.clock.now()):
            raise Busy(f"the lease on {lease.name} was lost", why="it expired or another process took it")


class Journal:
    """Opens or creates the file; thread-safe; raises InvalidFile for a file of another kind.

    `why_read_only` says why nothing can be appended, "" where it can; each write looks again.
    """

    def __init__(
        self,
        path: Path,
        *,
        projections: Sequence[Projection] = (),
        clock: Clock,
        redactor: Redactor | None = None,
    ) -> None:
        self.path = path
        self.clock = clock
        self.redactor = redactor or Redactor()
        self._projections = tuple(projections)
        self._lock = threading.RLock()
        self._end: Head | None = None  # of the open transaction, once it has appended
        self.last_written = 0  # the newest event that this process appended
        self.why_read_only = why_unwritable(path)
        self._copied: Stamp | None = None  # of the files, where a copy of them is read
        self._db = self._opened()

    @PROCESS.at_work()  # a reader of a rollback journal that is stopped midway keeps every writer out
    def _opened(self) -> sqlite3.Connection:
        if not self.why_read_only:
            create(self.path)
        stamp = stamp_of(self.path)  # before anything is read: what comes while it is is news
        db = connected_for_reading(self.path) if self.why_read_only else self._connect()
        try:
            db.row_factory = sqlite3.Row
            db = self._prepared_for_reading(db) if self.why_read_only else self._prepared(db)
            self._copied = stamp if is_copy(db) else None
            return db
        except sqlite3.DatabaseError as error:
            db.close()
            raise translated(error, self.path) from error
        except BaseException:
            db.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise translated(error, self.path) from error
        try:
            choose_mode(db, self.path)
            db.execute("PRAGMA synchronous = FULL")
        except sqlite3.DatabaseError as error:
            db.close()
            raise translated(error, self.path) from error
        except BaseException:
            db.close()
            raise
        return db

    def _prepared(self, db: sqlite3.Connection) -> sqlite3.Connection:
        with self._writing(db):
            if not db.execute("SELECT 1 FROM sqlite_master").fetchall() and format_of(db) == 0:
                make_tables(db)
            self._require_format(db)
            self._catch_up(db)
        return db

    def _prepared_for_reading(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """As it is, where its tables have seen every event; else a copy, until the files are others."""
        self._require_format(db)
        if self._lags(db):
            db = in_memory(db, self._catch_up)
        db.execute("PRAGMA query_only = ON")
        return db

    def _require_format(self, db: sqlite3.Connection) -> None:
        if (version := format_of(db)) != FORMAT:
            raise InvalidFile(
                "is not a journal this maestro can read",
                file=str(self.path),
                why=f"its format is {version}, this maestro writes {FORMAT}",
            )

    def _lags(self, db: sqlite3.Connection) -> bool:
        """Whether a projection is of another version, or has not seen every event."""
        known = {row["name"]: (row["version"], row["seq"]) for row in db.execute("SELECT * FROM projections")}
        seq = self._head(db).seq
        return any(known.get(one.name) != (one.version, seq) for one in self._projections)

    def _catch_up(self, db: sqlite3.Connection) -> None:
        """Create, replay or continue each projection until it has seen every event."""
        head = self._head(db)
        known = {row["name"]: row for row in db.execute("SELECT * FROM projections")}
        for projection in self._projections:
            row = known.get(projection.name)
            seq = row["seq"] if row is not None else 0
            if row is None or row["version"] != projection.version:
                recreate(db, projection)
                seq = 0
            if seq < head.seq:
                for event in _read(db, "WHERE seq > ? ORDER BY seq", (seq,)):
                    projection.apply(db, event)
            if row is None or (row["version"], row["seq"]) != (projection.version, head.seq):
                db.execute(
                    "INSERT OR REPLACE INTO projections VALUES (?, ?, ?)",
                    (projection.name, projection.version, head.seq),
                )

    @contextmanager
    def _writing(self, opened: sqlite3.Connection | None = None) -> Iterator[sqlite3.Connection]:
        with PROCESS.at_work(), self._lock:
            db = opened or self._writable()
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.DatabaseError as error:
                raise translated(error, self.path) from error
            try:
                yield db
                db.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                _roll_back(db)
                raise translated(error, self.path) from error
            except BaseException:
                _roll_back(db)
                raise

    def _writable(self) -> sqlite3.Connection:
        """The connection, opened anew once what could only be read can be written. Raises ActionFailed."""
        if self.why_read_only:
            self.why_read_only = why_unwritable(self.path)
            if self.why_read_only:
                raise read_only(self.path, self.why_read_only)
            before, self._db = self._db, self._opened()
            before.close()
        return self._db

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One short write transaction: read, decide, append.

        Raises Busy when another process holds the file for over ten seconds, ActionFailed when the
        file cannot be written.
        """
        with self._writing() as db:
            self._catch_up_others(db)
            try:
                yield Transaction(self, db)
                self._settle(db)
            finally:
                self._end = None

    def _settle(self, db: sqlite3.Connection) -> None:
        """Move the head and the projections to the end of the transaction, once for all its events."""
        if self._end is None:
            return
        db.execute("UPDATE head SET seq = ?, hash = ?", (self._end.seq, self._end.hash))
        names = [(self._end.seq, projection.name) for projection in self._projections]
        db.executemany("UPDATE projections SET seq = ? WHERE name = ?", names)
        self.last_written = self._end.seq

    def _catch_up_others(self, db: sqlite3.Connection) -> None:
        """A process with fewer projections may have appended; see its events before deciding."""
        names = [projection.name for projection in self._projections]
        if not names:
            return
        marks = ",".join("?" * len(names))
        row = db.execute(f"SELECT MIN(seq), COUNT(*) FROM projections WHERE name IN ({marks})", names)
        lowest, count = row.fetchone()
        if count != len(names) or lowest < self._head(db).seq:
            self._catch_up(db)

    def append(self, kind: str, subject: str, actor: str, data: Mapping[str, Any]) -> Event:
        """Add one event durably; see `transaction` for what it raises."""
        with self.transaction() as transaction:
            return transaction.append(kind, subject, actor, data)

    def _append(
        self, db: sqlite3.Connection, kind: str, subject: str, actor: str, data: Mapping[str, Any]
    ) -> Event:
        if not db.in_transaction:
            raise RuntimeError("append outside its transaction")
        head = self._end or self._head(db)
        text = canonical_json(data)
        if self.redactor.may_change(text):
            text = canonical_json(self.redactor.clean_value(json.loads(text)))
        text, kind, subject = _whole(text), _whole(kind), _whole(subject)
        actor = _whole(self.redactor.clean(actor))
        seq, time = head.seq + 1, to_rfc3339(self.clock.now())
        own = chain_hash(seq, time, kind, subject, actor, head.hash, text)
        event = Event(seq, time, kind, subject, actor, json.loads(text), head.hash, own)
        db.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, time, kind, subject, actor, text, head.hash, own),
        )
        self._end = Head(seq, own)
        for projection in self._projections:
            projection.apply(db, event)
        return event

    def _head(self, db: sqlite3.Connection) -> Head:
        row = db.execute("SELECT seq, hash FROM head").fetchone()
        if row is None:
            raise broken(self.path, "its head is missing")
        return Head(row["seq"], row["hash"])

    def _current(self) -> sqlite3.Connection:
        """The connection; where it reads a copy of files that are others by now, one anew."""
        if self._copied is not None and self._copied != stamp_of(self.path):
            before, self._db = self._db, self._opened()
            before.close()
        return self._db

    def head(self) -> Head:
        with PROCESS.at_work(), self._lock:
            try:
                return self._end or self._head(self._current())
            except sqlite3.DatabaseError as error:
                raise translated(error, self.path) from error

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Read projections outside a transaction."""
        with PROCESS.at_work(), self._lock:
            try:
                return self._current().execute(sql, parameters).fetchall()
            except sqlite3.DatabaseError as error:
                raise translated(error, self.path) from error

    def events(
        self, *, subject: str | None = None, kinds: Sequence[str] = (), after: int = 0, limit: int = -1
    ) -> list[Event]:
        """Events in order; a kind that ends in `.` matches as a prefix (`change.`), and so does a subject
        that ends in `/` (`drill/`); a subject is found by an index, kinds alone are not."""
        terms, parameters = ["seq > ?"], [after]  # type: tuple[list[str], list[Any]]
        if subject is not None and subject.endswith("/"):
            # `+`: not by seq, which would look at every event
            terms = ["+seq > ?", "subject >= ?", "subject < ?"]
            parameters += [subject, f"{subject[:-1]}0"]  # 0 comes after /
        elif subject is not None:
            terms.append("subject = ?")
            parameters.append(subject)
        if kinds:
            terms.append("(" + " OR ".join("kind GLOB ?" for _ in kinds) + ")")
            parameters += [kind + "*" if kind.endswith(".") else kind for kind in kinds]
        parameters.append(limit)
        where = f"WHERE {' AND '.join(terms)} ORDER BY seq LIMIT ?"
        with PROCESS.at_work(), self._lock:
            try:
                return list(_read(self._current(), where, parameters))
            except json.JSONDecodeError as error:
                raise broken(self.path, f"an event is not JSON: {error}") from error
            except sqlite3.DatabaseError as error:
                raise translated(error, self.path) from error

    # Leases

    def acquire_lease(self, name: str, holder: str, seconds: float) -> Lease:
        """Take a name for a while; raises Busy naming the holder when somebody else has it.

        The same holder may take it again at once, under a new fence: its earlier lease is then lost. A
        holder is therefore one piece of work, never a person or a machine.
        """
        with self._writing() as db:
            now = self.clock.now()
            row = db.execute("SELECT * FROM leases WHERE name = ?", (name,)).fetchone()
            if row is not None and row["holder"] != holder and row["until"] > to_rfc3339(now):
                raise Busy(
                    f"{name} is held by {row['holder']}",
                    why=f"its lease runs until {row['until']}",
                    fix="wait for it to end, or stop that process",
                )
            fence = (row["fence"] if row is not None else 0) + 1
            return self._put_lease(db, name, holder, fence, now, seconds)

    def renew_lease(self, lease: Lease, seconds: float) -> Lease:
        """Keep a lease; raises Busy when it was lost."""
        with self._writing() as db:
            Transaction(self, db).require_lease(lease)
            return self._put_lease(db, lease.name, lease.holder, lease.fence, self.clock.now(), seconds)

    def _put_lease(
        self, db: sqlite3.Connection, name: str, holder: str, fence: int, now: datetime, seconds: float
    ) -> Lease:
        lease = Lease(name, holder, fence, to_rfc3339(now + timedelta(seconds=seconds)))
        db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (name, holder, fence, lease.until))
        return lease

    def release_lease(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it was lost already. The fence stays."""
        with self._writing() as db:
            db.execute(
                "UPDATE leases SET until = ? WHERE name = ? AND holder = ? AND fence = ?",
                (to_rfc3339(self.clock.now()), lease.name, lease.holder, lease.fence),
            )

    def lease(self, name: str) -> Lease | None:
        """The lease on a name if it is still running, else None."""
        rows = self.query("SELECT * FROM leases WHERE name = ?", (name,))
        if not rows or from_rfc3339(rows[0]["until"]) <= self.clock.now():
            return None
        return Lease(*rows[0])

    def close(self) -> None:
        with PROCESS.at_work(), self._lock:
            self._db.close()


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")


def _whole(text: str) -> str:
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _read(db: sqlite3.Connection, where: str, parameters: Sequence[Any]) -> Iterator[Event]:
    rows = db.execute(f"SELECT {EVENT_COLUMNS} FROM events {where}", parameters)
    for seq, time, kind, subject, actor, data, prev, own in rows:
        yield Event(seq, time, kind, subject, actor, json.loads(data), prev, own)
