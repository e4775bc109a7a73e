"""Recording goes on: what passes is tried again, what is broken is set aside, what is known is not lost."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.core.progress import Quiet
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.rewind import alone
from maestro_cli.tui.rewind.film import Film
from maestro_cli.tui.rewind.recorder import RETRY_SECONDS, Recorder
from maestro_cli.tui.screens.inspection import DESCRIPTION
from maestro_cli.tui.screens.nodes import NODES
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.store.model import Fact, Scope
from maestro_cli.tui.store.store import Store
from tests.tui.cases import NOW, StillConsole, pod
from tests.tui.facts import description

KEY = PODS.of("prod")
KINDS: dict[str, Any] = {"pods": PodLine}
ROWS = (pod("fraud-0"),)


class SteppedClock:
    """Goes on when the test says so."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps")


class Room:
    """A recorder of pods over one file."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.said = path, SteppedClock(), list[str]()
        self.fault: Exception | None = None
        self.store = Store(Scope(("prod",)))
        feeds: dict[str, Feed[Any]] = {"pods": PODS, "nodes": NODES}
        self.recorder = Recorder(self.store, feeds, self.film, self.clock, self.said.append)
        self.store.dispatch(FactRead(KEY, ROWS, NOW))

    def film(self, context: str) -> Film:
        if self.fault is not None:
            raise self.fault
        return Film(self.path)

    def look(self, after_seconds: float = 0.0) -> None:
        self.clock.passed += after_seconds
        self.recorder.look()

    def recorded(self) -> dict[Any, Fact]:
        film = Film(self.path)
        found = film.at(self.clock.now(), KINDS)
        film.close()
        return found


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "prod.sqlite")


def test_a_film_that_cannot_be_opened_is_tried_again_and_both_is_said_once(room: Room) -> None:
    room.fault = sqlite3.OperationalError("disk I/O error")
    room.look()
    room.look(RETRY_SECONDS / 2)
    room.fault = None
    room.look(RETRY_SECONDS / 4)
    assert room.said == ["prod is not recorded: disk I/O error"]
    room.look(RETRY_SECONDS)
    assert room.said[1:] == ["prod is recorded again"]
    assert room.recorded()[KEY].data == ROWS


def test_a_film_that_is_locked_for_a_while_is_written_again_later(room: Room) -> None:
    room.look()
    film = room.recorder.film("prod")
    assert film is not None
    film._db.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(room.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    room.look(5)
    other.execute("ROLLBACK")
    other.close()
    room.look(RETRY_SECONDS)
    assert room.said == ["prod is not recorded: database is locked", "prod is recorded again"]
    assert room.recorded()[KEY].data == ROWS


@pytest.mark.parametrize("is_open", [True, False], ids=["while-it-is-written", "when-it-is-opened"])
def test_a_broken_film_is_set_aside_with_a_word_and_recording_begins_anew(room: Room, is_open: bool) -> None:
    if is_open:
        room.look()
        room.store.dispatch(FactRead(KEY, (pod("fraud-1"),), NOW))
    size = room.path.stat().st_size if room.path.exists() else 8192
    room.path.write_bytes(b"no database " * (size // 12))
    room.look(5)
    room.look(5)
    (aside,) = room.path.parent.glob("prod.sqlite.broken-*")
    assert aside.read_bytes().startswith(b"no database")
    assert [one for one in room.said if "is set aside" in one] == room.said
    assert len(room.said) == 1
    assert KEY in room.recorded()


def test_a_film_that_another_console_set_aside_is_left_for_the_new_one(room: Room) -> None:
    room.look()
    other = Room(room.path)
    other.look()
    room.path.write_bytes(b"no database " * (room.path.stat().st_size // 12))
    room.store.dispatch(FactRead(KEY, (pod("fraud-1"),), NOW))
    room.look(5)
    room.look(5)
    other.look(15)
    assert other.said == []
    assert len(list(room.path.parent.glob("prod.sqlite.broken-*"))) == 1
    assert room.recorded()[KEY].data == (pod("fraud-1"),)
    mine, its = room.recorder.film("prod"), other.recorder.film("prod")
    assert mine is not None
    assert its is not None
    assert mine.is_in_place
    assert its.is_in_place
    assert other.store.live.live[KEY].data == ROWS
    found = Film(room.path)
    assert found.at(other.clock.now(), KINDS)[KEY].data == ROWS
    found.close()


def broken() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def test_a_broken_film_that_is_not_the_one_of_that_name_any_more_is_only_left(room: Room) -> None:
    film = room.recorder.film("prod")
    assert film is not None
    room.path.rename(room.path.with_name("elsewhere"))
    Film(room.path).close()
    room.recorder._leave("prod", film, broken())
    assert (list(room.path.parent.glob("*.broken-*")), room.said) == ([], [])
    room.look(5)
    assert KEY in room.recorded()


def test_the_journal_of_a_broken_film_is_set_aside_with_it(room: Room) -> None:
    film = room.recorder.film("prod")
    assert film is not None
    room.path.with_name("prod.sqlite-journal").write_bytes(b"hot")
    room.recorder._leave("prod", film, broken())
    (aside,) = room.path.parent.glob("prod.sqlite.broken-*-journal")
    assert aside.read_bytes() == b"hot"
    room.look(5)
    assert KEY in room.recorded()


def test_a_film_that_was_closed_is_said_and_the_past_is_empty(room: Room) -> None:
    film = room.recorder.film("prod")
    assert film is not None
    film.close()
    assert not room.recorder.step(forward=False)
    room.recorder.go_to(NOW)
    assert (room.store.snapshot.replay_at, len(room.said)) == (NOW, 1)


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize("item", [object(), 2**64, deep(20_000)], ids=["no data", "too large", "too deep"])
def test_what_cannot_be_kept_is_said_once_and_the_rest_is_kept(room: Room, item: Any) -> None:
    room.store.dispatch(FactRead(NODES.of("prod"), (item,), NOW))
    room.look()
    room.look(5)
    assert len(room.said) == 1
    assert room.said[0].startswith("nodes of prod is not recorded")
    assert room.recorded()[KEY].data == ROWS
    room.store.dispatch(FactRead(NODES.of("prod"), (), NOW))
    room.look(5)
    room.look(5)
    assert room.said[1:] == ["nodes of prod is recorded again"]
    film = room.recorder.film("prod")
    assert film is not None
    assert film.refused == {}


def test_a_defect_of_one_look_is_said_and_the_next_one_records(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(*looked_at: object) -> int:
        raise ZeroDivisionError("a look that divides")

    with monkeypatch.context() as patch:
        patch.setattr(Film, "record", record)
        room.look()
        room.look(5)
    room.look(5)
    assert room.said == [
        "prod is not recorded: internal error: ZeroDivisionError: a look that divides",
        "prod is recorded again",
    ]
    assert room.recorded()[KEY].data == ROWS


def test_what_did_not_change_for_longer_than_is_kept_is_still_known(tmp_path: Path) -> None:
    film, other = Film(tmp_path / "prod.sqlite"), Film(tmp_path / "prod.sqlite")
    hour = [NOW + timedelta(hours=number) for number in range(30)]
    fact = Fact(ROWS, NOW)
    for at in hour:
        film.record(at, [(KEY, fact)])
        other.forget(at - timedelta(hours=24))
    assert film.at(hour[29], KINDS) == {KEY: fact}
    assert film.at(hour[6], KINDS) == {KEY: fact}
    assert film.at(hour[4], KINDS) == {}
    film.record(hour[29], [(KEY, Fact((), hour[29]))])
    other.forget(hour[29] + timedelta(seconds=1))
    assert film.at(hour[6], KINDS) == {}


def test_a_frame_that_another_console_dropped_is_written_by_the_next_look(tmp_path: Path) -> None:
    film = Film(tmp_path / "prod.sqlite")
    fact = Fact(ROWS, NOW)
    film.record(NOW, [(KEY, fact)])
    with sqlite3.connect(film.path) as db:
        db.execute("DELETE FROM frames")
        db.execute("DELETE FROM chunks")
    db.close()
    later = NOW + timedelta(seconds=5)
    film.record(later, [(KEY, fact)])
    assert film.at(later, KINDS) == {KEY: fact}


def test_two_that_record_the_same_keep_it_once(tmp_path: Path) -> None:
    for seconds in range(2):
        film = Film(tmp_path / "prod.sqlite")
        film.record(NOW + timedelta(seconds=seconds), [(KEY, Fact(ROWS, NOW))])
        film.close()
    with sqlite3.connect(tmp_path / "prod.sqlite") as db:
        assert db.execute("SELECT count(*) FROM frames").fetchone() == (1,)
    db.close()


def test_without_a_console_all_that_lists_show_is_read_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    console = StillConsole(SimpleNamespace())
    services: Any = SimpleNamespace(options=console.options, clock=console.clock, context_name="prod")
    monkeypatch.setattr(alone, "Console", lambda *given: console)
    with alone.recording(services, Quiet()):
        assert {PODS.of("prod"), NODES.of("prod")} <= console.feeds.wanted
        assert {key.argument for key in console.feeds.wanted} == {""}
    assert console.ending.is_set


def test_what_was_recorded_of_all_namespaces_is_known_of_each(room: Room) -> None:
    room.store.dispatch(FactRead(KEY, (pod("a", namespace="ml"), pod("b", namespace="shop")), NOW))
    room.look()
    other = Store(Scope(("prod",), "shop"))
    other.dispatch(FactRead(PODS.of("prod", "shop"), (), NOW))
    player = Recorder(other, {"pods": PODS}, room.film, room.clock, room.said.append)
    player.go_to(NOW)
    assert [one.name for one in other.snapshot.fact(PODS.of("prod", "shop")).data] == ["b"]


def test_a_description_that_was_looked_at_is_one_again(room: Room) -> None:
    key = DESCRIPTION.of("prod", "ml/deploy/fraud")
    feeds: dict[str, Feed[Any]] = {"description": DESCRIPTION}
    player = Recorder(room.store, feeds, room.film, room.clock, room.said.append)
    room.store.dispatch(FactRead(key, description(), NOW))
    player.look()
    player.go_to(NOW)
    assert room.store.snapshot.fact(key).data == description()
    assert DESCRIPTION.of("prod") not in player.wanted(Scope(("prod",)))
