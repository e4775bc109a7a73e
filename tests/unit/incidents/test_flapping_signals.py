"""A signal that comes and goes is held, said once, and told again in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.explanation import explain_signal
from maestro_cli.incidents.intake.rules.model import EVERY_SIGNAL, FlapLimit, RuleBook
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.model import State
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.timeline import timeline
from maestro_cli.journal.verification import verify
from tests.unit.incidents.world import LABELS, Room, alert

SOURCE = "alertmanager-api"
BOOK = RuleBook((replace(EVERY_SIGNAL, flapping=FlapLimit(3, 600)),))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path, RulesProjection())
    yield room
    assert verify(room.journal.path, [IncidentProjection(), RulesProjection()]).intact
    room.journal.close()


def watch(room: Room, book: RuleBook = BOOK) -> Detector:
    return Detector(room.journal, room.clock, "watch", bindings=Bindings((), book))


def goes(room: Room) -> None:
    room.clock.advance(10)
    watch(room).reconcile([], source=SOURCE)


def comes(room: Room) -> None:
    room.clock.advance(10)
    watch(room).reconcile([alert(starts_at=room.clock.now())], source=SOURCE)


def flap(room: Room, times: int) -> None:
    """It begins, and then goes and comes back so often."""
    comes(room)
    for _ in range(times):
        goes(room)
        comes(room)


def kinds(room: Room) -> list[str]:
    return [event.kind for event in room.journal.events()]


def test_a_signal_that_comes_back_too_often_is_held_as_firing_and_said_once(room: Room) -> None:
    flap(room, 3)
    length = room.length
    for _ in range(10):
        goes(room)
        (incident,) = list_incidents(room.journal)
        assert incident.firing == 1, "it is not taken to have resolved"
        assert incident.signals_cleared_at is None
        comes(room)
    changed = [event.data["phase"] for event in room.journal.events(after=length)]
    assert set(changed) <= {"changed"}, "neither that it goes nor that it comes is recorded"
    assert kinds(room).count("incident.flapping") == 1
    told = [one.text for one in timeline(room.journal, incident.id) if one.kind == "incident.flapping"]
    assert told[0].startswith("signal ErrorBudgetBurn flaps, back 3 times: held as firing until")


def test_one_return_fewer_is_no_flapping(room: Room) -> None:
    flap(room, 2)
    goes(room)
    (incident,) = list_incidents(room.journal)
    assert (incident.firing, incident.signals_cleared_at is None) == (0, False)
    assert "incident.flapping" not in kinds(room)


def test_a_signal_that_stays_away_has_resolved_once_its_returns_are_old(room: Room) -> None:
    flap(room, 3)
    goes(room)
    assert list_incidents(room.journal)[0].firing == 1
    room.clock.advance(600)
    goes(room)
    (incident,) = list_incidents(room.journal)
    assert (incident.firing, incident.signals_cleared_at) == (0, room.clock.now())


def test_returns_that_are_far_apart_are_none_that_flap(room: Room) -> None:
    comes(room)
    for _ in range(6):
        goes(room)
        room.clock.advance(400)
        comes(room)
    assert "incident.flapping" not in kinds(room)


def test_a_signal_that_flaps_reopens_nothing_until_it_has_stopped(room: Room) -> None:
    book = RuleBook((replace(EVERY_SIGNAL, flapping=FlapLimit(3, 600), reopen_window_seconds=3000.0),))
    flap(room, 3)
    hook = watch(room, book)
    room.clock.advance(1)
    hook.ingest([alert(firing=False, starts_at=room.clock.now())], source="alertmanager-webhook")
    IncidentDesk(room.journal, room.clock, "ana").resolve("latest")
    room.clock.advance(10)
    again = alert(starts_at=room.clock.now())
    assert hook.reconcile([again], source=SOURCE).ignored == {"it flaps": 1}
    assert list_incidents(room.journal)[0].state is State.RESOLVED
    told = explain_signal(hook.bindings, room.journal, LABELS, room.clock.now(), again.fingerprint)
    assert told.would == "neither resolves nor reopens: it flaps"
    assert told.flapping is not None
    assert told.flapping.returns == 3
    room.clock.advance((told.flapping.until - room.clock.now()).total_seconds() - 1)
    assert hook.reconcile([again], source=SOURCE).ignored == {"it flaps": 1}
    room.clock.advance(1)
    assert hook.reconcile([again], source=SOURCE).reopened, "it still fires, and does not flap any more"


def test_a_return_that_reopens_is_counted_and_one_to_another_incident_is_not(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    comes(room)
    for _ in range(3):
        goes(room)
        desk.resolve("latest")
        comes(room)
    assert len(list_incidents(room.journal)) == 1
    goes(room)
    assert list_incidents(room.journal)[0].firing == 1, "it came back three times, by reopening it"
    desk.resolve("latest", force=True, reason="it flaps")
    room.clock.advance(2000)
    flap(room, 2)
    goes(room)
    newest = list_incidents(room.journal)[0]
    assert (newest.number, newest.firing) == (2, 0)


def test_a_webhook_that_says_resolved_is_always_taken(room: Room) -> None:
    flap(room, 3)
    room.clock.advance(5)
    ended = alert(firing=False, starts_at=room.clock.now())
    watch(room).ingest([ended], source="alertmanager-webhook")
    assert list_incidents(room.journal)[0].firing == 0, "it would not be told again"
