"""Rewinding: what was known then is shown as it was, and nothing is done there."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.rewind.film import CHUNK_ITEMS, Film
from maestro_cli.tui.rewind.recorder import Recorder, read_instant
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactFailed, FactRead
from maestro_cli.tui.store.model import Fact, FactKey, Scope, Told
from maestro_cli.tui.store.store import Store
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import (
    NOW,
    StillClock,
    StillConsole,
    pod,
    run_app,
    screen_text,
    tell,
    until,
)

KEY = PODS.of("prod")
KINDS: dict[str, Any] = {"pods": PodLine}
MANY = tuple(pod(f"fraud-{number}") for number in range(3 * CHUNK_ITEMS))


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return Film(tmp_path / "rewind" / "prod.sqlite")


def test_a_fact_is_given_back_as_it_was_at_each_instant(film: Film) -> None:
    later = (*MANY[:-1], pod("new", status="CrashLoopBackOff"))
    film.record(minute(1), [(KEY, Fact(MANY, minute(1)))])
    film.record(minute(2), [(KEY, Fact(later, minute(2)))])
    assert film.at(minute(0), KINDS) == {}
    assert film.at(minute(1), KINDS)[KEY] == Fact(MANY, minute(1))
    assert film.at(minute(2) + timedelta(seconds=5), KINDS)[KEY] == Fact(later, minute(2))


def test_what_did_not_change_is_kept_once(film: Film) -> None:
    assert film.record(minute(1), [(KEY, Fact(MANY, minute(1)))]) == 1
    assert film.record(minute(2), [(KEY, Fact(MANY, minute(2)))]) == 0
    film.record(minute(3), [(KEY, Fact((*MANY[:-1], pod("new")), minute(3)))])
    with sqlite3.connect(film.path) as db:
        assert db.execute("SELECT count(*) FROM chunks").fetchone() == (4,)
    db.close()


def test_a_silent_backend_is_remembered_as_silent(film: Film) -> None:
    told = Told("no answer", "refused", "wait")
    film.record(minute(1), [(KEY, Fact(MANY, minute(0), told, minute(1)))])
    assert film.at(minute(1), KINDS)[KEY] == Fact(MANY, minute(0), told, minute(1))


def test_why_a_fact_was_never_read_is_remembered(film: Film) -> None:
    told = Told("no answer", "refused", "wait")
    film.record(minute(1), [(KEY, Fact(error=told, error_since=minute(1)))])
    assert film.at(minute(1), KINDS) == {KEY: Fact(error=told, error_since=minute(1))}


def test_what_was_not_known_at_a_time_is_not_taken_from_a_time_before(film: Film) -> None:
    other = PODS.of("prod", "other")
    facts = [(KEY, Fact(MANY, minute(1))), (other, Fact((), minute(1)))]
    film.record(minute(1), facts)
    film.record(minute(5), facts[:1])
    assert set(film.at(minute(1), KINDS)) == {KEY, other}
    assert film.at(minute(3), KINDS) == {}
    assert film.at(minute(5), KINDS) == {KEY: Fact(MANY, minute(1))}


def test_a_look_that_finds_nothing_new_goes_on(film: Film) -> None:
    facts = [(KEY, Fact(MANY, minute(1)))]
    for number in range(20):
        film.record(minute(1) + timedelta(seconds=5 * number), facts)
    assert film.at(minute(2), KINDS) == dict(facts)
    with sqlite3.connect(film.path) as db:
        assert db.execute("SELECT count(*) FROM looks").fetchone() == (1,)
    db.close()


def test_what_another_console_dropped_is_written_again(film: Film) -> None:
    film.record(minute(1), [(KEY, Fact(MANY, minute(1)))])
    other = Film(film.path)
    other.forget(minute(2))
    other.close()
    later = (*MANY[:-1], pod("new"))
    film.record(minute(3), [(KEY, Fact(later, minute(3)))])
    assert film.at(minute(3), KINDS) == {KEY: Fact(later, minute(3))}


def test_an_error_that_cannot_be_read_any_more_is_left_out(film: Film) -> None:
    film.record(minute(1), [(KEY, Fact(MANY, minute(0), Told("x"), minute(1)))])
    with sqlite3.connect(film.path) as db:
        db.execute("UPDATE frames SET error = '{'")
    db.close()
    assert film.at(minute(1), KINDS) == {}


@pytest.mark.parametrize("key", ['[["pods"], "prod", ""]', '["pods", "prod", "", "more"]', "7", "{"])
def test_a_key_that_is_not_ours_is_left_out_and_hides_no_other(film: Film, key: str) -> None:
    other = replace(KEY, argument="x")
    film.record(minute(1), [(KEY, Fact(MANY, minute(0))), (other, Fact(MANY, minute(0)))])
    with sqlite3.connect(film.path) as db:
        own = json.dumps([KEY.feed, KEY.context, KEY.argument])
        db.execute("UPDATE frames SET key = ? WHERE key != ?", (key, own))
        db.execute("UPDATE looks SET keys = ?", (json.dumps([own, key]),))
    db.close()
    assert set(film.at(minute(1), KINDS)) == {KEY}


def test_steps_go_to_instants_at_which_something_was_kept(film: Film) -> None:
    for number in (1, 2):
        film.record(minute(number), [(KEY, Fact((pod(str(number)),), minute(number)))])
    assert film.before(minute(2)) == minute(1)
    assert film.before(minute(1)) is None
    assert film.after(minute(1)) == minute(2)


def test_the_old_goes_and_what_is_left_is_whole(film: Film) -> None:
    film.record(minute(1), [(KEY, Fact(MANY, minute(1)))])
    film.record(minute(2), [(KEY, Fact((*MANY[:-1], pod("new")), minute(2)))])
    film.forget(minute(2))
    assert film.before(minute(2)) is None
    assert film.at(minute(2), KINDS)[KEY].data == (*MANY[:-1], pod("new"))
    film.record(minute(3), [(KEY, Fact(MANY, minute(3)))])
    assert film.at(minute(3), KINDS)[KEY].data == MANY


def test_a_file_that_is_too_large_loses_its_oldest(tmp_path: Path) -> None:
    film = Film(tmp_path / "prod.sqlite", most_bytes=4000)
    for number in range(40):
        film.record(minute(number), [(KEY, Fact((pod(f"{number:064}"),), minute(number)))])
    film.forget(minute(0))
    assert film.before(minute(5)) is None
    assert film.at(minute(39), KINDS)[KEY].data[0].name == f"{39:064}"


def test_the_file_is_its_owners_alone_and_another_file_is_refused(film: Film, tmp_path: Path) -> None:
    assert stat.S_IMODE(film.path.stat().st_mode) == 0o600
    other = tmp_path / "other.sqlite"
    other.write_text("this is something else, and long enough to be read as a header of a database")
    with pytest.raises(InvalidFile):
        Film(other)


def test_values_of_another_type_are_left_out(film: Film) -> None:
    film.record(minute(1), [(KEY, Fact(MANY, minute(1)))])
    assert film.at(minute(1), {"pods": int}) == {}
    assert film.at(minute(1), {}) == {}


def recorder(store: Store, film: Film) -> Recorder:
    said: list[str] = []
    return Recorder(store, {"pods": PODS}, lambda context: film, StillClock(), said.append)


def test_back_shows_the_past_and_forward_ends_in_the_present(film: Film) -> None:
    store = Store(Scope(("prod",)))
    store.dispatch(FactRead(KEY, (pod("now"),), NOW))
    film.record(minute(-2), [(KEY, Fact((pod("then"),), minute(-2)))])
    player = recorder(store, film)
    assert not player.step(forward=True)
    assert player.step(forward=False)
    assert (store.snapshot.replay_at, store.snapshot.fact(KEY).data[0].name) == (minute(-2), "then")
    assert not player.step(forward=False)
    assert player.step(forward=True)
    assert (store.snapshot.replay_at, store.snapshot.fact(KEY).data[0].name) == (None, "now")


class SlowFilm:
    """Gives what it has once it is let go."""

    is_in_place = True

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def before(self, at: datetime) -> datetime:
        return minute(-2)

    def at(self, at: datetime, kinds: dict[str, Any]) -> dict[FactKey, Fact]:
        self.asked.set()
        assert self.let_go.wait(PATIENCE_SECONDS)
        return {KEY: Fact((pod("then"),), at)}

    def close(self) -> None: ...


def test_who_returns_to_now_is_not_thrown_back_by_a_step_that_takes_long() -> None:
    store, slow = Store(Scope(("prod",))), SlowFilm()
    film: Any = slow
    player = recorder(store, film)
    step = threading.Thread(target=player.step, args=(False,), daemon=True)
    step.start()
    assert slow.asked.wait(PATIENCE_SECONDS)
    player.resume()
    slow.let_go.set()
    step.join(PATIENCE_SECONDS)
    assert not step.is_alive()
    assert store.snapshot.replay_at is None


def test_the_screen_goes_on_while_a_step_takes_long() -> None:
    console = StillConsole(SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False)))
    slow = SlowFilm()
    film: Any = slow
    console.recorder = recorder(console.store, film)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("left_square_bracket")
        await until(pilot, slow.asked.is_set, "the step")
        tell(console, FactRead(KEY, (pod("present"),), NOW))
        await until(pilot, lambda: "present" in screen_text(app), "the present")
        slow.let_go.set()
        await until(pilot, lambda: "then" in screen_text(app), "the past")

    run_app(console, script, place=Place("pods"))


def test_a_look_keeps_what_is_known_and_what_failed(film: Film) -> None:
    store = Store(Scope(("prod",)))
    player = recorder(store, film)
    player.look()
    store.dispatch(FactRead(KEY, MANY, NOW), FactFailed(KEY, Told("gone"), NOW))
    player.look()
    assert film.at(NOW, KINDS)[KEY] == Fact(MANY, NOW, Told("gone"), NOW)


def test_a_time_of_the_day_is_the_last_one_that_was() -> None:
    now = datetime(2026, 11, 26, 3, 0, 30, tzinfo=UTC)
    local = now.astimezone()
    for before in (timedelta(minutes=5), timedelta(hours=20)):
        text = (local - before).strftime("%H:%M:%S")
        assert read_instant(text, now).replace(microsecond=0) == now - before
    assert read_instant("10m ago", now) == now - timedelta(minutes=10)
    with pytest.raises(ValueError, match="duration"):
        read_instant("soon", now)
    with pytest.raises(ValueError, match="longer than 24 hours"):
        read_instant("9999999999d", now)


def test_keys_step_back_and_return_and_what_was_not_recorded_is_said(film: Film) -> None:
    console = StillConsole(SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False)))
    film.record(minute(-2), [(KEY, Fact((pod("then"),), minute(-2)))])
    console.recorder = Recorder(
        console.store, {"pods": PODS}, lambda context: film, StillClock(), lambda text: None
    )

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, (pod("present"),), NOW))
        await until(pilot, lambda: "present" in screen_text(app), "the present")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "REPLAY" in screen_text(app) and "then" in screen_text(app), "the past")
        app.go(Place("nodes"))
        await until(pilot, lambda: "not recorded then" in screen_text(app), "what is missing")
        await pilot.press("escape")
        await until(pilot, lambda: "REPLAY" not in screen_text(app), "the present again")

    run_app(console, script, place=Place("pods"))
