"""What a response does when the signals clear before it has done anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.desk import DeskPolicy, IncidentDesk
from maestro_cli.incidents.model import Incident, Severity, State
from maestro_cli.incidents.response.response import Crew, Response
from maestro_cli.runbooks.model import nobody
from tests.unit.incidents.world import Room, alert

SETTLE_SECONDS = 5.0


class RunbookBegun(Exception):
    """The playbook was asked for."""


class Paced(Cancellation):
    """Does something instead of waiting."""

    def __init__(self, step: Callable[[float], None]) -> None:
        super().__init__()
        self._step = step

    def pause(self, seconds: float) -> None:
        self._step(seconds)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.journal.close()


def tell(room: Room, *, firing: bool) -> None:
    started = room.clock.now()
    room.detector.ingest([alert(firing=firing, starts_at=started)], source="alertmanager-api")


def cleared_while_mitigating(room: Room, desk: IncidentDesk) -> Incident:
    tell(room, firing=True)
    incident = desk.start_triage(desk.ack("1").id)
    desk.triaged(incident.id, reason="a release")
    room.clock.advance(1)
    tell(room, firing=False)
    incident = desk.get(incident.id)
    assert (incident.state, incident.firing) == (State.MITIGATING, 0)
    return incident


def response(room: Room, desk: IncidentDesk, found: object = None) -> Response:
    """One whose playbooks are `found`; by default nobody may ask for them."""

    def match(labels: object, *, firing: bool) -> object:
        if found is None:
            raise RunbookBegun
        return found

    history = SimpleNamespace(list=lambda incident: ())
    outside = cast("Any", SimpleNamespace(match=match, history=history))
    crew = Crew(desk, outside, outside, outside, outside, lambda ref: Path("post-mortem"))
    return Response(crew, room.journal, room.clock, "alice")


def test_signals_that_come_back_while_it_waits_get_the_playbook(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "alice", policy=DeskPolicy(SETTLE_SECONDS))
    incident = cleared_while_mitigating(room, desk)

    def fire_again(seconds: float) -> None:
        room.clock.advance(seconds)
        tell(room, firing=True)

    with pytest.raises(RunbookBegun):
        response(room, desk).go_on(
            incident.id, confirm=nobody, progress=Quiet(), cancellation=Paced(fire_again)
        )
    assert desk.get(incident.id).state is State.MITIGATING


def test_signals_that_stay_clear_get_none_and_are_not_called_clear_at_once(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "alice", policy=DeskPolicy(SETTLE_SECONDS))
    incident = cleared_while_mitigating(room, desk)
    cleared_at = room.clock.now()
    responded = response(room, desk).go_on(
        incident.id, confirm=nobody, progress=Quiet(), cancellation=Paced(room.clock.advance)
    )
    assert responded.incident.state is State.RESOLVED
    assert responded.incident.times.mitigated_at is not None
    assert (responded.incident.times.mitigated_at - cleared_at).total_seconds() >= SETTLE_SECONDS


def test_of_several_playbooks_the_most_severe_is_taken_whichever_signal_came_first(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "alice")
    slow, failing = (alert(objective=name) for name in ("fraud-latency", "fraud-availability"))
    room.detector.ingest([slow, alert(objective="unbound")], source="alertmanager-api")
    room.clock.advance(1)
    room.detector.ingest([failing], source="alertmanager-api")
    severities = {"fraud-latency": "sev3", "fraud-availability": "sev2"}

    def match(labels: Any, *, firing: bool) -> Any:
        severity = severities.get(labels["objective"])
        return SimpleNamespace(playbook=severity and SimpleNamespace(severity=severity))

    asked = response(room, desk)
    object.__setattr__(asked._crew.playbooks, "match", match)
    found = asked.match(desk.get("1"))
    assert found is not None
    assert (found[0].severity, found[1].labels["objective"]) == ("sev2", "fraud-availability")
    severities.clear()
    assert asked.match(desk.get("1")) is None


def judged(room: Room, said: Severity | None) -> Severity:
    """What an incident's severity is after its playbook (sev4) was looked up; somebody may have said one."""
    tell(room, firing=True)
    desk = IncidentDesk(room.journal, room.clock, "ana")
    answering = response(room, desk, SimpleNamespace(playbook=SimpleNamespace(severity="sev4")))
    desk.ack("latest")
    incident = desk.start_triage("latest")
    if said is not None:
        incident = desk.set_severity("latest", said, reason="everybody is affected")
    return answering._judged(incident, "no culprit found").severity


def test_a_playbook_lowers_no_severity_that_somebody_said(room: Room) -> None:
    assert judged(room, Severity.SEV1) is Severity.SEV1


def test_a_playbook_says_the_severity_where_nobody_did(room: Room) -> None:
    assert judged(room, None) is Severity.SEV4


def test_of_what_was_merged_the_survivor_is_responded_to_also_when_that_happens_meanwhile(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "alice", policy=DeskPolicy(SETTLE_SECONDS))
    incident = cleared_while_mitigating(room, desk)
    other = desk.open("the same", namespace="shop")
    desk.mitigated(incident.id, note="by hand")
    tell(room, firing=True)
    length = 0

    def merge(seconds: float) -> None:
        desk.merge(incident.id, other.id)

    for cancellation in (Paced(merge), Cancellation()):
        with pytest.raises(GateNotMet, match="#1 was merged") as refused:
            response(room, desk).go_on(
                incident.id, confirm=nobody, progress=Quiet(), cancellation=cancellation
            )
        assert refused.value.fix == f"maestro incident respond {other.id}"
        assert length in (0, room.length)  # the second time, nothing was done
        length = room.length
