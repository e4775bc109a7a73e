"""A journal that can only be read shows what is there, and takes nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ActionFailed, Busy, InvalidFile
from maestro_cli.journal import reading, store, verification
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify

WHY = ["the disk is mounted read-only"]  # "" once it is writable


class Kinds:
    """A projection of how many events there were of each kind."""

    name, version, tables = "kinds", 1, ("kinds",)
    schema = "CREATE TABLE kinds (kind TEXT PRIMARY KEY, count INTEGER NOT NULL);\n"

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        db.execute(
            "INSERT INTO kinds VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", (event.kind,)
        )


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal of two events; from then on the disk takes nothing."""
    made = tmp_path / "journal.sqlite"
    journal = Journal(made, clock=SystemClock())
    journal.append("a", "s/1", "me", {})
    journal.append("b", "s/1", "me", {})
    journal.close()
    WHY[:] = ["the disk is mounted read-only"]
    for module in (store, verification):
        monkeypatch.setattr(module, "why_unwritable", lambda path: WHY[0])
    return made


def left_by_a_crash(path: Path) -> None:
    """Half a transaction in the file, and how to roll it back beside it."""
    code = (
        "import os, sys, pathlib\nfrom maestro_cli.core.clock import SystemClock\n"
        "from maestro_cli.journal.store import Journal\n"
        "j = Journal(pathlib.Path(sys.argv[1]), clock=SystemClock())\n"
        "j.query('PRAGMA cache_size = 1')\n"
        "with j.transaction() as t:\n"
        "    for n in range(200): t.append('lost', 's/1', 'me', {'text': 'x' * 2000})\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9


def beside(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")}


def kinds(journal: Journal) -> list[str]:
    return [event.kind for event in journal.events()]


def test_it_shows_its_events_and_refuses_one_more(path: Path) -> None:
    journal = Journal(path, clock=SystemClock())
    assert kinds(journal) == ["a", "b"]
    assert journal.lease("run/1") is None
    with pytest.raises(ActionFailed, match="read-only: no change can be made") as refused:
        journal.append("c", "s/1", "me", {})
    assert refused.value.why == "the disk is mounted read-only"
    assert journal.head().seq == 2
    journal.close()


def test_tables_that_have_not_seen_every_event_are_made_in_memory(path: Path) -> None:
    before = beside(path)
    journal = Journal(path, projections=(Kinds(),), clock=SystemClock())
    assert [tuple(row) for row in journal.query("SELECT * FROM kinds ORDER BY kind")] == [("a", 1), ("b", 1)]
    journal.close()
    assert beside(path) == before


def test_what_a_crash_left_is_rolled_back_in_a_copy(path: Path) -> None:
    left_by_a_crash(path)
    before = beside(path)
    assert before["journal.sqlite-journal"]
    journal = Journal(path, clock=SystemClock())
    assert kinds(journal) == ["a", "b"]
    assert verify(path).intact
    journal.close()
    assert beside(path) == before


@pytest.mark.parametrize("is_left", [False, True], ids=["its-tables-lag", "a-crash-left-something"])
def test_a_copy_is_made_anew_once_somebody_has_written(path: Path, is_left: bool) -> None:
    if is_left:
        left_by_a_crash(path)
    shown = Journal(path, projections=(Kinds(),), clock=SystemClock())
    before = shown.query("SELECT COUNT(*) FROM kinds")[0][0], shown.head().seq, len(shown.events())
    assert before == (2, 2, 2)
    WHY[:] = [""]  # for somebody else
    other = Journal(path, clock=SystemClock())
    other.append("c", "s/1", "other", {})
    other.close()
    WHY[:] = ["the file may not be written by you"]
    assert shown.head().seq == 3
    assert shown.query("SELECT COUNT(*) FROM kinds")[0][0] == 3
    assert kinds(shown) == ["a", "b", "c"]
    shown.close()


def test_one_that_is_being_written_is_busy_and_not_copied(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BUSY_TIMEOUT_SECONDS", 0.01)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA locking_mode = EXCLUSIVE")
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy, match="the journal is busy"):
        Journal(path, clock=SystemClock())
    writer.close()
    assert kinds(Journal(path, clock=SystemClock())) == ["a", "b"]


@pytest.mark.parametrize("read", [lambda path: Journal(path, clock=SystemClock()), verify])
def test_one_that_may_not_be_read_says_so(path: Path, read: Callable[[Path], object]) -> None:
    path.unlink()
    path.mkdir()  # root may read every file, and nobody a folder as one
    with pytest.raises(ActionFailed, match="cannot be read") as refused:
        read(path)
    assert refused.value.why
    assert refused.value.fix


def test_it_is_written_again_once_the_disk_is(path: Path) -> None:
    journal = Journal(path, projections=(Kinds(),), clock=SystemClock())
    WHY[:] = [""]
    assert journal.append("c", "s/1", "me", {}).seq == 3
    assert journal.query("SELECT COUNT(*) FROM kinds")[0][0] == 3
    assert not journal.why_read_only
    journal.close()
    assert verify(path, (Kinds(),)).events == 3


def test_a_file_of_another_kind_is_refused(path: Path) -> None:
    path.write_text("x" * 5000, encoding="utf-8")
    with pytest.raises(InvalidFile, match="SQLite"):
        Journal(path, clock=SystemClock())
