"""Proof that the journal is what was written.

Invariant: reads the file as it is, trusts only the hashes, and repairs nothing (SQLite itself first
rolls back what a crash left half written). Someone who can write
the file can also recompute the whole chain; compare `Head` with one kept elsewhere to notice that.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from maestro_cli.core.errors import Busy, InvalidFile, MaestroError, NotFound, UsageError
from maestro_cli.core.standstill import PROCESS
from maestro_cli.journal.file import BUSY_TIMEOUT_SECONDS
from maestro_cli.journal.model import GENESIS, Event, Finding, Head, Projection, Verification, chain_hash
from maestro_cli.journal.reading import connected_for_reading, why_unwritable
from maestro_cli.journal.schema import recreate
from maestro_cli.journal.store import EVENT_COLUMNS, _read

MAX_FINDINGS = 100


@PROCESS.at_work()
def verify(path: Path, projections: Sequence[Projection] = (), *, anchor: Head | None = None) -> Verification:
    """Check every hash, link, gap, the head, an earlier head (`anchor`) and every projection.

    Raises NotFound without a file, InvalidFile when it is not SQLite.
    """
    if not path.exists():
        raise NotFound(f"there is no journal at {path}", fix="nothing has been recorded in this context yet")
    db = connected_for_reading(path) if why_unwritable(path) else _connected(path)
    db.row_factory = sqlite3.Row
    try:
        db.execute("PRAGMA query_only = ON")
        db.execute("BEGIN")
        try:
            return _verify(db, projections, anchor)
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
            # Not UTF-8: read it again, slower, so that the hash does not fit and names the place.
            db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            return _verify(db, projections, anchor)
    except sqlite3.DatabaseError as error:
        raise _unreadable(error, path) from error
    finally:
        db.close()


def _connected(path: Path) -> sqlite3.Connection:
    """Not mode=ro: that cannot roll back what a crash left."""
    try:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_SECONDS)
    except sqlite3.DatabaseError as error:
        raise InvalidFile("cannot be read", file=str(path), why=str(error)) from error


def _unreadable(error: sqlite3.DatabaseError, path: Path) -> MaestroError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy("the journal is busy", why=f"another process is writing {path}", fix="try again")
    return InvalidFile(
        "is not an intact journal", file=str(path), why=str(error), fix="keep it as evidence; restore a copy"
    )


def parse_anchor(text: str) -> Head:
    """Read `SEQ:HASH` as `journal verify` prints it; raises UsageError."""
    seq, _, own = text.partition(":")
    if not re.fullmatch("[0-9]{1,18}", seq) or len(own) != 64 or set(own) - set("0123456789abcdef"):
        raise UsageError(f"{text!r} is not a head", fix="write SEQ:HASH, as journal verify prints it")
    return Head(int(seq), own)


def _verify(db: sqlite3.Connection, projections: Sequence[Projection], anchor: Head | None) -> Verification:
    findings: list[Finding] = []
    bad: list[sqlite3.Row] = []
    expected, count, last_seq = 1, 0, 0
    prev, prev_is_known = GENESIS, True
    for row in db.execute(f"SELECT {EVENT_COLUMNS} FROM events ORDER BY seq"):
        count += 1
        seq, own = row[0], row[7]
        last_seq = seq
        if seq > expected:
            span = f"event {expected}" if seq == expected + 1 else f"events {expected} to {seq - 1}"
            findings.append(Finding(expected, "removed", f"{span} missing before {seq}"))
        honest = _own_hash(row, seq) == own
        if not honest:
            bad.append(row)
        elif row["prev"] != prev and seq == expected and prev_is_known:
            findings.append(Finding(seq, "inserted", f"event {seq} does not follow the event before it"))
        if anchor is not None and seq == anchor.seq and own != anchor.hash:
            findings.append(Finding(seq, "changed", "its hash differs from the one kept elsewhere"))
        expected, prev, prev_is_known = seq + 1, own, honest
        if len(findings) + len(bad) > MAX_FINDINGS:
            break
    findings += _classify(db, bad)
    head = db.execute("SELECT seq, hash FROM head").fetchone()
    if head is None:
        findings.append(Finding(last_seq, "removed", "the recorded end is missing"))
        head = {"seq": last_seq, "hash": prev}
    findings += _check_end(db, head, last_seq, prev, anchor)
    if not findings:
        findings += _check_projections(db, projections)
    findings.sort(key=lambda finding: finding.seq)
    return Verification(count, Head(head["seq"], head["hash"]), tuple(findings))


def _own_hash(row: sqlite3.Row, seq: int) -> str:
    """What the hash should be; never a hash when a column holds something else than text."""
    _, time, kind, subject, actor, data, prev, _ = row
    if not (type(time) is type(kind) is type(subject) is type(actor) is type(data) is type(prev) is str):
        return "not text"
    return chain_hash(seq, time, kind, subject, actor, prev, data)


def _classify(db: sqlite3.Connection, bad: Sequence[sqlite3.Row]) -> list[Finding]:
    """A row whose hash fits another place was moved there; any other was changed or made up."""
    findings = []
    places = {row["seq"] for row in bad}
    for row in bad:
        home = next((seq for seq in places if seq != row["seq"] and _own_hash(row, seq) == row["hash"]), None)
        if home is not None:
            findings.append(Finding(row["seq"], "swapped", f"event {row['seq']} was written as {home}"))
            continue
        after = db.execute("SELECT prev FROM events WHERE seq = ?", (row["seq"] + 1,)).fetchone()
        known = after is None or after["prev"] == row["hash"]
        problem = "changed" if known else "inserted"
        detail = "its content does not match its hash" if known else "it does not belong to the chain"
        findings.append(Finding(row["seq"], problem, f"event {row['seq']}: {detail}"))
    return findings


def _check_end(
    db: sqlite3.Connection,
    head: Mapping[str, Any] | sqlite3.Row,
    last_seq: int,
    last_hash: str,
    anchor: Head | None,
) -> list[Finding]:
    findings = []
    issued = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    highest = max(head["seq"], issued["seq"] if issued else 0, anchor.seq if anchor else 0)
    if last_seq < highest:
        findings.append(
            Finding(last_seq + 1, "removed", f"events {last_seq + 1} to {highest} missing at the end")
        )
    elif last_seq > head["seq"]:
        findings.append(Finding(head["seq"] + 1, "inserted", "events were added past the recorded end"))
    elif last_hash != head["hash"]:
        findings.append(Finding(last_seq, "changed", "the recorded end has another hash"))
    return findings


def _check_projections(db: sqlite3.Connection, projections: Sequence[Projection]) -> list[Finding]:
    """Replay all events into an empty database and compare the tables."""
    fresh = sqlite3.connect(":memory:")
    fresh.row_factory = sqlite3.Row
    try:
        for projection in projections:
            recreate(fresh, projection)
        last = 0
        event: Event
        for event in _read(db, "ORDER BY seq", ()):
            last = event.seq
            for projection in projections:
                projection.apply(fresh, event)
        findings = []
        for projection in projections:
            row = db.execute("SELECT * FROM projections WHERE name = ?", (projection.name,)).fetchone()
            if row is None or row["seq"] < last or row["version"] != projection.version:
                continue  # it has not been asked for since; it is replayed when it is
            findings += [
                Finding(last, "projection", f"the table {table} differs from what the events say")
                for table in projection.tables
                if not _same_rows(db, fresh, table)
            ]
        return findings
    finally:
        fresh.close()


def _same_rows(db: sqlite3.Connection, fresh: sqlite3.Connection, table: str) -> bool:
    """Whether both hold the same rows; nearly always in the same order, which spares the sorting."""
    pairs = zip_longest(_rows(db, table), _rows(fresh, table))
    if all(mine == theirs for mine, theirs in pairs):
        return True
    return sorted(_rows(db, table), key=repr) == sorted(_rows(fresh, table), key=repr)


def _rows(db: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    return map(tuple, db.execute(f"SELECT * FROM {table}"))
