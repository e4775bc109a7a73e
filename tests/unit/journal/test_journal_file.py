"""The journal's file is private, says what stops it, and survives what crashes and tampering leave."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ActionFailed, Busy, InvalidFile
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal import store
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify


class SteppingClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "maestro" / "journal" / "a.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal(path, clock=SystemClock())
    yield opened
    opened.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def tamper(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    db.executescript("DROP TRIGGER events_are_not_updated; DROP TRIGGER events_are_not_deleted;")
    db.execute(statement)
    db.commit()
    db.close()


def test_only_its_owner_may_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        journal = Journal(path, clock=SystemClock())
        with journal.transaction() as transaction:
            transaction.append("a", "s/1", "me", {})
            beside = sorted(path.parent.iterdir())
            assert len(beside) > 1  # the rollback journal or the WAL
            assert {mode(file) for file in beside} == {0o600}
        journal.close()
    finally:
        os.umask(before)
    assert mode(path.parent) == mode(path.parent.parent) == 0o700


@pytest.mark.parametrize("obstacle", ["a file for a folder", "a folder for the file"])
def test_a_place_that_cannot_hold_it_stops_the_caller(path: Path, obstacle: str) -> None:
    if obstacle == "a file for a folder":
        path.parent.parent.mkdir(parents=True)
        path.parent.write_text("", encoding="utf-8")
    else:
        path.mkdir(parents=True)
    with pytest.raises(ActionFailed, match=r"cannot be (used|written)") as caught:
        Journal(path, clock=SystemClock())
    assert caught.value.why
    assert caught.value.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_stops_the_caller(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o500)
    with pytest.raises(ActionFailed, match="cannot be written"):
        Journal(path, clock=SystemClock())


def test_a_full_disk_stops_the_caller_and_leaves_the_journal_whole(journal: Journal) -> None:
    journal.append("a", "s/1", "me", {})
    pages = journal.query("PRAGMA page_count")[0][0]
    journal.query(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to run out of space
    with pytest.raises(ActionFailed, match="cannot be written") as caught:
        journal.append("a", "s/1", "me", {"text": "x" * 100_000})
    assert "full" in caught.value.why
    journal.query("PRAGMA max_page_count = 1000000")
    journal.append("a", "s/1", "me", {})
    assert verify(journal.path).intact


def test_a_writer_that_does_not_end_makes_others_busy(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_TIMEOUT_SECONDS", 0.05)
    other = Journal(journal.path, clock=SystemClock())
    with journal.transaction() as transaction:
        transaction.append("a", "s/1", "me", {})
        with pytest.raises(Busy, match="busy") as caught:
            other.append("b", "s/1", "you", {})
    assert str(journal.path) in caught.value.why
    assert other.append("b", "s/1", "you", {}).seq == 2
    other.close()


def test_a_mistake_of_ours_is_not_called_a_full_disk(journal: Journal) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        journal.query("SELECT * FROM elsewhere")


def test_an_append_after_its_transaction_is_refused(journal: Journal) -> None:
    with journal.transaction() as transaction:
        transaction.append("a", "s/1", "me", {})
    with pytest.raises(RuntimeError, match="outside"):
        transaction.append("b", "s/1", "me", {})
    assert journal.head().seq == 1


def test_opening_a_journal_that_is_up_to_date_writes_nothing(journal: Journal) -> None:
    journal.append("a", "s/1", "me", {})
    before = journal.path.read_bytes()
    Journal(journal.path, clock=SystemClock()).close()
    assert journal.path.read_bytes() == before


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
def test_any_hostile_text_can_be_recorded_and_the_chain_holds(journal: Journal, key: str, value: str) -> None:
    event = journal.append("said", f"thing/{value}", value, {key: value, "list": [value]})
    assert journal.events(after=event.seq - 1) == [event]
    assert event.data["list"] == ["".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)]


def test_hostile_text_in_the_chain_is_verified(journal: Journal) -> None:
    for text in ("\x00", "\ud800", "\ud83d\ude00", "'; DROP TABLE events; --", "\u202e", '"\\'):
        journal.append(text, text, text, {text: text})
    assert verify(journal.path).intact


def test_an_actor_never_carries_a_secret(path: Path) -> None:
    journal = Journal(path, clock=SystemClock(), redactor=Redactor(["hunter2!"]))
    assert "hunter2!" not in journal.append("a", "s/1", "me:hunter2!", {}).actor
    journal.close()


def test_what_a_crash_left_half_written_is_rolled_back_before_it_is_verified(
    journal: Journal, tmp_path: Path
) -> None:
    if store.journal_mode() == "WAL":
        pytest.skip("a WAL file needs no rollback")
    journal.append("a", "s/1", "me", {})
    journal.query("PRAGMA cache_size = 1")  # spill: pages reach the file before the commit
    with journal.transaction() as transaction:
        for _ in range(30):
            transaction.append("b", "s/1", "me", {"text": "x" * 8000})
        for suffix in ("", "-journal"):  # what a power cut would leave
            shutil.copy(f"{journal.path}{suffix}", f"{tmp_path / 'left.sqlite'}{suffix}")
    left = tmp_path / "left.sqlite"
    assert left.read_bytes().count(b"x" * 1000) > 0
    result = verify(left)
    assert result.intact
    assert result.events == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET kind = x'00ff' WHERE seq = 2",
        "UPDATE events SET data = x'7b7d' WHERE seq = 2",
        "UPDATE events SET actor = CAST(x'ff' AS TEXT) WHERE seq = 2",
        "UPDATE events SET time = 5.5 WHERE seq = 2",
        "UPDATE events SET data = 'not json' WHERE seq = 2",
    ],
)
def test_an_event_of_another_type_is_found_and_named(journal: Journal, statement: str) -> None:
    for _ in range(3):
        journal.append("a", "s/1", "me", {})
    tamper(journal.path, statement)
    assert [(finding.seq, finding.problem) for finding in verify(journal.path).findings] == [(2, "changed")]


def test_an_event_that_cannot_be_read_says_how_to_look_further(journal: Journal) -> None:
    journal.append("a", "s/1", "me", {})
    tamper(journal.path, "UPDATE events SET data = 'not json'")
    with pytest.raises(InvalidFile) as caught:
        journal.events()
    assert "journal verify" in caught.value.fix


def test_a_missing_head_is_found(journal: Journal) -> None:
    journal.append("a", "s/1", "me", {})
    tamper(journal.path, "DELETE FROM head")
    assert [finding.problem for finding in verify(journal.path).findings] == ["removed"]
    with pytest.raises(InvalidFile, match="not an intact journal"):
        journal.append("b", "s/1", "me", {})


@pytest.mark.parametrize("name", ["a b.sqlite", "a?b.sqlite", "a#b.sqlite", "100%41.sqlite", "é.sqlite"])
def test_any_file_name_can_be_verified(tmp_path: Path, name: str) -> None:
    journal = Journal(tmp_path / name, clock=SystemClock())
    journal.append("a", "s/1", "me", {})
    journal.close()
    assert verify(tmp_path / name).events == 1
    assert all(file.name.startswith(name) for file in tmp_path.iterdir() if file.is_file())


def test_verifying_changes_nothing(journal: Journal) -> None:
    journal.append("a", "s/1", "me", {})
    before = (journal.path.read_bytes(), journal.path.stat().st_mtime_ns)
    verify(journal.path)
    assert (journal.path.read_bytes(), journal.path.stat().st_mtime_ns) == before


def test_the_same_holder_takes_its_lease_again_and_loses_the_earlier_one(path: Path) -> None:
    clock = SteppingClock()
    journal = Journal(path, clock=clock)
    first = journal.acquire_lease("run/1", "work-1", 10)
    second = journal.acquire_lease("run/1", "work-1", 10)
    assert second.fence == first.fence + 1
    with pytest.raises(Busy, match="lost"):
        journal.renew_lease(first, 10)
    journal.release_lease(first)  # changes nothing: it was lost
    assert journal.lease("run/1") == second
    journal.close()


def test_a_lease_ends_for_everyone_at_the_same_instant(path: Path) -> None:
    clock = SteppingClock()
    journal = Journal(path, clock=clock)
    lease = journal.acquire_lease("run/1", "me", 10)
    clock.sleep(10)
    assert journal.lease("run/1") is None
    with pytest.raises(Busy, match="lost"), journal.transaction() as transaction:
        transaction.require_lease(lease)
    assert journal.acquire_lease("run/1", "you", 10).fence == lease.fence + 1
    journal.close()


def test_one_lease_is_given_once_however_many_ask(journal: Journal) -> None:
    start = threading.Barrier(6)
    won: list[str] = []

    def ask(name: str) -> None:
        own = Journal(journal.path, clock=SystemClock())
        start.wait(timeout=10)
        try:
            won.append(own.acquire_lease("run/1", name, 60).holder)
        except Busy:
            pass
        finally:
            own.close()

    threads = [threading.Thread(target=ask, args=(f"h{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(won) == 1
    held = journal.lease("run/1")
    assert held is not None
    assert held.holder == won[0]
    assert held.fence == 1
