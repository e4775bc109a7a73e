"""Whether an incident is open is told without opening the journal, and never guessed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.glance import is_any_open
from maestro_cli.journal.store import Journal
from tests.unit.incidents.world import Room, alert


def test_it_follows_the_incidents(tmp_path: Path) -> None:
    room = Room(tmp_path)
    desk = IncidentDesk(room.journal, room.clock, "ana")
    assert is_any_open(room.journal.path) is False
    room.detector.reconcile([alert()], source="alertmanager-api")
    assert is_any_open(room.journal.path) is True
    desk.dismiss("latest", reason="a test")
    assert is_any_open(room.journal.path) is False
    room.journal.close()


def test_nobody_can_tell_while_its_tables_have_not_seen_every_event(tmp_path: Path) -> None:
    room = Room(tmp_path)
    with closing(Journal(room.journal.path, clock=room.clock)) as other:
        other.append("incident.note", "incident/inc-1", "ana", {})
    assert is_any_open(room.journal.path) is None
    room.journal.close()


def test_without_a_file_nothing_is_open_and_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert is_any_open(path) is False
    assert not path.exists()


def test_nobody_can_tell_from_a_file_of_another_kind_or_one_that_is_held(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"no journal" * 400)
    assert is_any_open(other) is None
    room = Room(tmp_path)
    with closing(sqlite3.connect(room.journal.path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        assert is_any_open(room.journal.path) is None
    room.journal.close()
