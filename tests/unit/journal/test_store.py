"""Appends, projections and leases move together, across threads and processes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from maestro_cli.core.errors import ActionFailed, Busy, InvalidFile
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.standstill import PROCESS
from maestro_cli.journal.model import Event, Head
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.patience import PATIENCE_SECONDS
from tests.unit.journal.hand_clock import HandClock


class Names:
    """A projection of the last name of each subject; refuses one on purpose."""

    tables = ("names",)
    name = "names"

    def __init__(self, version: int = 1, column: str = "name") -> None:
        self.version = version
        self.column = column

    @property
    def schema(self) -> str:
        return f"CREATE TABLE names (subject TEXT PRIMARY KEY, {self.column} TEXT NOT NULL);"

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        if event.data.get("name") == "refused":
            raise ValueError("refused")
        db.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (event.subject, event.data["name"]))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journal(tmp_path: Path, clock: HandClock) -> Journal:
    return Journal(tmp_path / "journal.sqlite", projections=(Names(),), clock=clock)


def test_an_event_and_its_projection_appear_together(journal: Journal) -> None:
    journal.append("named", "thing/1", "tester", {"name": "a"})
    assert [tuple(row) for row in journal.query("SELECT * FROM names")] == [("thing/1", "a")]


def test_a_failing_projection_takes_the_event_back(journal: Journal) -> None:
    with pytest.raises(ValueError, match="refused"):
        journal.append("named", "thing/1", "tester", {"name": "refused"})
    assert journal.events() == []
    assert journal.head().seq == 0


def test_a_failing_transaction_leaves_nothing(journal: Journal) -> None:
    def fail_midway() -> None:
        with journal.transaction() as transaction:
            transaction.append("named", "thing/1", "tester", {"name": "a"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert journal.events() == []
    journal.append("named", "thing/1", "tester", {"name": "b"})
    assert verify(journal.path, (Names(),)).intact


def test_a_projection_of_a_newer_version_is_replayed(journal: Journal, clock: HandClock) -> None:
    journal.append("named", "thing/1", "tester", {"name": "a"})
    journal.close()
    newer = Journal(journal.path, projections=(Names(2, "title"),), clock=clock)
    assert [row["title"] for row in newer.query("SELECT * FROM names")] == ["a"]


def test_a_projection_sees_what_a_process_without_it_appended(journal: Journal, clock: HandClock) -> None:
    other = Journal(journal.path, clock=clock)
    other.append("named", "thing/1", "tester", {"name": "a"})
    journal.append("named", "thing/2", "tester", {"name": "b"})
    assert [row["name"] for row in journal.query("SELECT * FROM names ORDER BY subject")] == ["a", "b"]


def test_many_events_of_one_transaction_follow_one_another(journal: Journal) -> None:
    with journal.transaction() as transaction:
        made = [transaction.append("named", f"thing/{n}", "tester", {"name": str(n)}) for n in range(5)]
        assert journal.head() == Head(made[-1].seq, made[-1].hash)
    assert [event.prev for event in made[1:]] == [event.hash for event in made[:-1]]
    assert journal.head() == Head(5, made[-1].hash)
    assert [row[0] for row in journal.query("SELECT seq FROM projections")] == [5]
    journal.append("named", "thing/6", "tester", {"name": "6"})
    assert journal.events() == [*made, *journal.events(after=5)]
    assert verify(journal.path, (Names(),)).intact


def test_what_was_rolled_back_is_followed_by_nothing(journal: Journal) -> None:
    first = journal.append("named", "thing/1", "tester", {"name": "a"})

    def fail_midway() -> None:
        with journal.transaction() as transaction:
            transaction.append("named", "thing/2", "tester", {"name": "b"})
            transaction.append("named", "thing/3", "tester", {"name": "refused"})

    with pytest.raises(ValueError, match="refused"):
        fail_midway()
    assert journal.head().seq == 1
    assert journal.append("named", "thing/4", "tester", {"name": "c"}).prev == first.hash
    assert verify(journal.path, (Names(),)).intact


def test_a_transaction_inside_another_is_refused_and_harms_nothing(journal: Journal) -> None:
    with journal.transaction() as transaction:
        transaction.append("named", "thing/1", "tester", {"name": "a"})
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"), journal.transaction():
            pass
        transaction.append("named", "thing/2", "tester", {"name": "b"})
    assert journal.head().seq == 2
    assert verify(journal.path, (Names(),)).intact


def test_an_event_reads_as_it_was_answered(journal: Journal) -> None:
    """A projection sees the same when it is replayed, also the order of keys."""
    event = journal.append("named", "thing/1", "tester", {"name": "a", "b": {"z": 1, "a": (2, 3)}})
    (read,) = journal.events()
    assert read == event
    assert json.dumps(read.data) == json.dumps(event.data)


def test_secrets_never_reach_the_file(tmp_path: Path, clock: HandClock) -> None:
    journal = Journal(tmp_path / "j", clock=clock, redactor=Redactor(["hunter2!"]))
    journal.append("said", "thing/1", "tester", {"text": "it is hunter2!", "list": [{"hunter2!": 1}]})
    journal.close()
    assert b"hunter2" not in (tmp_path / "j").read_bytes()


def test_events_are_found_by_subject_kind_and_place(journal: Journal) -> None:
    for kind, subject in (("a.x", "s/1"), ("a.y", "s/2"), ("b.x", "s/1")):
        journal.append(kind, subject, "tester", {"name": kind})
    assert [event.kind for event in journal.events(subject="s/1")] == ["a.x", "b.x"]
    assert journal.events(subject="s/") == journal.events()
    assert journal.events(subject="s/", after=2) == journal.events(after=2)
    for subject in ("s", "s0", "r/9", "s./1", "S/1"):
        journal.append("c.x", subject, "tester", {"name": "x"})
    assert [event.subject for event in journal.events(subject="s/")] == ["s/1", "s/2", "s/1"]
    assert [event.kind for event in journal.events(kinds=("a.",))] == ["a.x", "a.y"]
    assert [event.kind for event in journal.events(after=1, limit=1)] == ["a.y"]


def test_a_lease_is_held_by_one_until_it_runs_out(journal: Journal, clock: HandClock) -> None:
    first = journal.acquire_lease("run/1", "me", 10)
    with pytest.raises(Busy, match="held by me"):
        journal.acquire_lease("run/1", "you", 10)
    clock.sleep(11)
    second = journal.acquire_lease("run/1", "you", 10)
    assert second.fence > first.fence
    with pytest.raises(Busy, match="lost"):
        journal.renew_lease(first, 10)
    with pytest.raises(Busy, match="lost"), journal.transaction() as transaction:
        transaction.require_lease(first)


def test_a_lease_that_ran_out_reads_as_nobodys(journal: Journal, clock: HandClock) -> None:
    lease = journal.acquire_lease("run/1", "me", 10)
    assert journal.lease("run/1") == lease
    clock.sleep(11)
    assert journal.lease("run/1") is None


def test_a_released_lease_can_be_taken_and_its_fence_goes_on(journal: Journal) -> None:
    lease = journal.acquire_lease("run/1", "me", 10)
    journal.release_lease(lease)
    assert journal.acquire_lease("run/1", "you", 10).fence == lease.fence + 1


def test_threads_share_one_journal(journal: Journal) -> None:
    threads = [
        threading.Thread(target=lambda: [journal.append("n", "s/1", "t", {"name": "x"}) for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.head().seq == 80
    assert verify(journal.path, (Names(),)).intact


def test_a_process_is_stopped_between_two_looks_at_the_file_never_within_one(journal: Journal) -> None:
    """Where a reader is stopped midway, nobody else can write a rollback journal until it goes on."""
    journal.append("test.event", "a", "ann", {"name": "x"})
    begun, goes_on, heads = threading.Event(), threading.Event(), list[Head]()

    def hold() -> int:
        begun.set()
        return int(goes_on.wait(PATIENCE_SECONDS))

    journal._db.create_function("hold", 0, hold)
    reads = "SELECT hold() FROM events"
    reader = threading.Thread(target=lambda: journal.query(reads), daemon=True)
    reader.start()
    assert begun.wait(PATIENCE_SECONDS)
    with PROCESS.still(0.0) as is_still:
        assert not is_still
    goes_on.set()
    after = threading.Thread(target=lambda: heads.append(journal.head()), daemon=True)
    with PROCESS.still(PATIENCE_SECONDS) as is_still, closing(sqlite3.connect(journal.path, timeout=0)) as db:
        assert is_still
        after.start()
        after.join(0.05)
        assert heads == []
        db.execute("CREATE TABLE written (x)")  # by another process: nothing keeps it out
        db.commit()
    after.join(PATIENCE_SECONDS)
    assert heads == [journal.head()]


def test_processes_share_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    code = (
        "import sys, pathlib\nfrom maestro_cli.core.clock import SystemClock\n"
        "from maestro_cli.journal.store import Journal\n"
        "j = Journal(pathlib.Path(sys.argv[1]), clock=SystemClock())\n"
        "for n in range(25): j.append('n', 's/1', sys.argv[2], {'n': n})\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path), str(n)]) for n in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    result = verify(path)
    assert result.intact
    assert result.events == 100


def test_a_file_that_cannot_be_written_stops_the_caller(journal: Journal) -> None:
    journal.query("PRAGMA query_only = ON")
    with pytest.raises(ActionFailed, match="cannot be written"):
        journal.append("n", "s/1", "me", {"name": "x"})


def test_a_file_of_another_kind_is_refused(tmp_path: Path, clock: HandClock) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(InvalidFile, match="not a journal"):
        Journal(path, clock=clock)
    (tmp_path / "text").write_text("x" * 5000)
    with pytest.raises(InvalidFile, match="SQLite"):
        Journal(tmp_path / "text", clock=clock)
