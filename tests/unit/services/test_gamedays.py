"""A game day: one at a time, on record from its beginning, and each step told with how long it took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.holder import acquire
from maestro_cli.chaos.gameday.score import DayResult
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    CannotRecord,
    ExitCode,
    GateNotMet,
    Interrupted,
    MaestroError,
)
from maestro_cli.core.progress import Quiet
from maestro_cli.journal.store import Journal
from maestro_cli.services.gameday import GAMEDAY, run_gameday
from tests.unit.chaos.clock import FakeClock

PLAN = """maestro: gameday/v1
title: Friday
roles: {lead: ana}
steps: [{drill: bad-release}, {drill: slow-model}]
"""
DRILL_SECONDS = 90.0


class Broken:
    """A FAKE conductor: each drill breaks off after a while, by `error`."""

    def __init__(self, clock: FakeClock, error: BaseException) -> None:
        self.clock, self.error, self.played = clock, error, 0

    def run(self, *_: Any, **__: Any) -> None:
        self.played += 1
        self.clock.sleep(DRILL_SECONDS)
        raise self.error


class Hall:
    """A FAKE of the services of a day whose drills break off; the journal is real."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.journal = Journal(folder / "journal.db", clock=self.clock)
        self.conductor = Broken(self.clock, ActionFailed("the platform ended"))
        self.person: Any = None
        self.plan = folder / "day.yaml"
        self.plan.write_text(PLAN, encoding="utf-8")

    def hold(self, *, yes: bool = True) -> DayResult:
        services = SimpleNamespace(
            journal=self.journal, clock=self.clock, actor="ana", cancellation=Cancellation(),
            context_name="local", person=self.person, conductor=lambda *_: self.conductor,
        )  # fmt: skip
        return run_gameday(cast(Any, services), self.plan, yes=yes, typed_context="", progress=Quiet())[1]

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events()]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.journal.close()


def test_of_a_drill_that_broke_off_it_is_told_how_long_it_took(hall: Hall) -> None:
    hall.conductor.error = Interrupted()
    ended, unplayed = hall.hold().taken
    assert (ended.outcome.exit_code, ended.seconds) == (ExitCode.SIGINT, DRILL_SECONDS)
    assert (unplayed.outcome.exit_code, unplayed.seconds) == (ExitCode.NO_DATA, None)


def test_a_drill_that_nobody_agreed_to_took_no_time(hall: Hall) -> None:
    assert [one.seconds for one in hall.hold(yes=False).taken] == [None, None]
    assert hall.conductor.played == 0


@pytest.mark.parametrize(
    ("refusal", "raised"), [(CannotRecord, GateNotMet), (Busy, Busy)], ids=["full", "held by a writer"]
)
def test_a_day_that_cannot_be_written_down_begins_nothing_and_is_in_nobodys_way(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, refusal: type[MaestroError], raised: type[MaestroError]
) -> None:
    def full(*_: object) -> None:
        raise refusal("the journal cannot be written", why="database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(hall.journal, "append", full)
        with pytest.raises(raised):
            hall.hold()
    assert (hall.conductor.played, hall.kinds) == (0, [])
    assert len(hall.hold().taken) == 2


def test_where_its_lease_cannot_be_written_nothing_is_begun(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise CannotRecord("the journal cannot be written", why="database or disk is full")

    monkeypatch.setattr(hall.journal, "acquire_lease", full)
    with pytest.raises(GateNotMet, match="nothing was begun"):
        hall.hold()
    assert hall.conductor.played == 0


def test_a_second_day_beside_one_is_refused(hall: Hall) -> None:
    acquire(hall.journal, GAMEDAY, "day-1", 60.0)
    with pytest.raises(Busy, match="gameday is held by day-1"):
        hall.hold()
    assert (hall.conductor.played, hall.kinds) == (0, [])


def test_a_day_whose_lease_another_process_took_begins_nothing_more(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro_cli.services.gameday.Keeper", Lost)
    ended = hall.hold()
    assert hall.conductor.played == 0
    assert ended.exit_code is ExitCode.NO_DATA
    assert "another process took over" in ended.taken[0].outcome.against[0].what


class Lost:
    """A FAKE of a lease that another process took while this one slept."""

    is_lost = True

    def __init__(self, *_: object) -> None: ...

    def release(self) -> None: ...
