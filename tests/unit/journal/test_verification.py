"""Any changed, removed, inserted or swapped event is found, and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.journal.model import Event, Head
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import parse_anchor, verify

EVENTS = 20


class Tally:
    """A projection that counts events by kind."""

    name = "tally"
    version = 1
    tables = ("tally",)
    schema = "CREATE TABLE tally (kind TEXT PRIMARY KEY, count INTEGER NOT NULL);"

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        db.execute(
            "INSERT INTO tally VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET count = count + 1",
            (event.kind,),
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "journal.sqlite"
    journal = Journal(file, projections=(Tally(),), clock=SystemClock())
    for number in range(1, EVENTS + 1):
        journal.append("thing.happened", f"thing/{number}", "tester", {"number": number, "name": "é"})
    journal.close()
    return file


def tamper(path: Path, *statements: str) -> None:
    """Write as someone would who is not maestro: without its triggers."""
    with sqlite3.connect(path) as db:
        db.executescript(
            "DROP TRIGGER IF EXISTS events_are_not_updated; DROP TRIGGER IF EXISTS events_are_not_deleted;"
        )
        for statement in statements:
            db.execute(statement)
    db.close()


def found(path: Path) -> list[tuple[int, str]]:
    return [(finding.seq, finding.problem) for finding in verify(path, (Tally(),)).findings]


def test_an_untouched_journal_is_intact(path: Path) -> None:
    result = verify(path, (Tally(),))
    assert result.intact
    assert result.events == result.head.seq == EVENTS


@pytest.mark.parametrize("column", ["time", "kind", "subject", "actor", "data"])
@pytest.mark.parametrize("seq", [1, 7, EVENTS])
def test_a_changed_field_is_found_and_named(path: Path, column: str, seq: int) -> None:
    tamper(path, f"UPDATE events SET {column} = 'x' || {column} WHERE seq = {seq}")
    assert found(path) == [(seq, "changed")]


@pytest.mark.parametrize("seq", [1, 7])
def test_a_removed_event_is_found_and_named(path: Path, seq: int) -> None:
    tamper(path, f"DELETE FROM events WHERE seq = {seq}")
    assert found(path) == [(seq, "removed")]


def test_events_removed_from_the_end_are_found(path: Path) -> None:
    tamper(path, f"DELETE FROM events WHERE seq > {EVENTS - 3}")
    assert found(path) == [(EVENTS - 2, "removed")]


def test_events_removed_from_the_end_with_the_head_are_found_by_the_sequence(path: Path) -> None:
    tamper(
        path,
        f"DELETE FROM events WHERE seq > {EVENTS - 3}",
        "UPDATE head SET (seq, hash) = (SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1)",
    )
    assert found(path) == [(EVENTS - 2, "removed")]


def test_swapped_events_are_found_and_named(path: Path) -> None:
    tamper(
        path,
        "UPDATE events SET seq = -1 WHERE seq = 5",
        "UPDATE events SET seq = 5 WHERE seq = 9",
        "UPDATE events SET seq = 9 WHERE seq = -1",
    )
    assert found(path) == [(5, "swapped"), (9, "swapped")]


def test_an_event_put_into_a_gap_is_found(path: Path) -> None:
    tamper(
        path,
        "DELETE FROM events WHERE seq = 4",
        "INSERT INTO events SELECT 4, time, 'made.up', subject, actor, data, prev, 'f00' "
        "FROM events WHERE seq = 3",
    )
    assert found(path) == [(4, "inserted")]


def test_an_event_put_at_the_end_is_found(path: Path) -> None:
    tamper(
        path,
        f"INSERT INTO events SELECT {EVENTS + 1}, time, kind, subject, actor, data, hash, 'f00' "
        f"FROM events WHERE seq = {EVENTS}",
    )
    assert [seq for seq, _ in found(path)] == [EVENTS + 1, EVENTS + 1]


def test_a_projection_that_says_something_else_is_found(path: Path) -> None:
    tamper(path, "UPDATE tally SET count = 1")
    assert found(path) == [(EVENTS, "projection")]


def test_rows_in_another_order_say_the_same(path: Path) -> None:
    journal = Journal(path, projections=(Tally(),), clock=SystemClock())
    journal.append("thing.ended", "thing/1", "tester", {})
    journal.close()
    tamper(
        path,
        "CREATE TABLE kept AS SELECT * FROM tally",
        "DELETE FROM tally",
        "INSERT INTO tally SELECT * FROM kept ORDER BY kind",
        "DROP TABLE kept",
    )
    assert found(path) == []
    tamper(path, "INSERT INTO tally VALUES ('thing.made-up', 1)")
    assert [problem for _, problem in found(path)] == ["projection"]


def test_a_rewritten_chain_is_found_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    def write(file: Path, word: str) -> Head:
        journal = Journal(file, clock=SystemClock())
        for number in range(5):
            journal.append("thing.happened", "thing/1", "tester", {"word": word, "number": number})
        head = journal.head()
        journal.close()
        return head

    kept = write(tmp_path / "a", "true")
    write(tmp_path / "b", "false")
    assert verify(tmp_path / "b").intact
    assert not verify(tmp_path / "b", anchor=kept).intact
    assert verify(tmp_path / "a", anchor=kept).intact


def test_a_journal_that_ends_before_the_kept_head_is_found(path: Path) -> None:
    assert not verify(path, anchor=Head(EVENTS + 5, "0" * 64)).intact


def test_a_missing_journal_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verify(tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\x00" * 200])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(InvalidFile):
        verify(file)


@pytest.mark.parametrize("text", ["", "5", "5:abc", "x:" + "0" * 64, "5:" + "g" * 64])
def test_an_anchor_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_anchor(text)


def test_the_file_itself_refuses_to_forget(path: Path) -> None:
    db = sqlite3.connect(path)
    attempts: list[Callable[[], object]] = [
        lambda: db.execute("DELETE FROM events WHERE seq = 1"),
        lambda: db.execute("UPDATE events SET actor = 'x' WHERE seq = 1"),
    ]
    for attempt in attempts:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            attempt()
    db.close()
