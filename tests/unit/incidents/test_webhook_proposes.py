"""A webhook may propose, never run: what it alone tells of starts nothing that a person did not ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import WaitingForApproval
from maestro_cli.core.facts.alerts import WebhookMessage
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import State
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.response.duty import CONFIRM_SECONDS
from maestro_cli.incidents.response.response import Crew, Response
from maestro_cli.runbooks.model import nobody
from maestro_cli.runbooks.playbooks.model import IncidentTrigger, Playbook
from maestro_cli.runbooks.plays import PlayStatus, list_plays
from tests.unit.incidents.errand_room import STEPS
from tests.unit.incidents.errand_room import Room as ErrandRoom
from tests.unit.incidents.test_incident_watch import Feed, watch_of
from tests.unit.incidents.watchers import Watchers, look
from tests.unit.incidents.world import Room, alert


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.journal.close()


def post(room: Room | ErrandRoom, objective: str = "") -> None:
    one = alert(source="alertmanager-webhook", objective=objective)
    watch_of(cast("Room", room), Feed()).deliver(WebhookMessage((one,), 0, "", "firing"))


def test_what_a_webhook_told_is_responded_to_once_a_source_holds_it(room: Room) -> None:
    watchers, feed = Watchers(room), Feed()
    duty, answers = watchers.duty()
    post(room)
    look(duty)
    assert answers.asked == []
    room.clock.advance(CONFIRM_SECONDS - 1)
    look(duty)
    assert (answers.asked, answers.suggested) == ([], [])
    feed.answer = (alert(),)
    watch_of(room, feed).cycle()
    look(duty)
    assert len(answers.asked) == 1


def test_what_no_source_holds_is_proposed_to_people_once(room: Room) -> None:
    watchers = Watchers(room)
    duty, answers = watchers.duty()
    post(room)
    room.clock.advance(CONFIRM_SECONDS)
    look(duty)
    look(duty)
    (incident,) = list_incidents(room.journal)
    (left,) = room.journal.events(subject=incident.subject, kinds=("incident.handed_over",))
    assert left.data["reason"] == "a webhook alone tells of it, and no source that is read holds it"
    assert (answers.asked, answers.suggested) == ([], [incident.id])


def test_a_webhook_cannot_take_a_response_over_that_another_signal_began(room: Room) -> None:
    """The graver playbook of a posted signal is not run either, while the incident is responded to."""
    desk = IncidentDesk(room.journal, room.clock, "watch")
    room.detector.ingest([alert(objective="held")], source="alertmanager-api")
    post(room, objective="posted")
    desk.triaged(desk.start_triage(desk.ack("1").id).id, reason="a release")
    severities = {"held": "sev3", "posted": "sev1"}
    begun: list[str] = []

    class Begun(Exception):
        pass

    def match(labels: Any, *, firing: bool) -> Any:
        word = labels["objective"]
        found = SimpleNamespace(severity=severities[word], why_not_auto="", id=word, started_by_hand="run it")
        return SimpleNamespace(playbook=found)

    outside = cast("Any", SimpleNamespace(match=match, history=None))
    crew = Crew(desk, outside, outside, outside, outside, lambda ref: Path("post-mortem"))
    response = Response(crew, room.journal, room.clock, "watch")

    def run(incident: Any, playbook: Any, *_: Any) -> Any:
        begun.append(playbook.id)
        raise Begun

    object.__setattr__(response, "_run", run)
    asked: dict[str, Any] = {"confirm": nobody, "progress": Quiet(), "cancellation": Cancellation()}
    with pytest.raises(Begun):
        response.go_on("1", **asked)
    assert begun == ["held"]
    room.clock.advance(1)
    room.detector.ingest([alert(firing=False, objective="held")], source="alertmanager-api")
    with pytest.raises(WaitingForApproval, match="a webhook alone tells of ErrorBudgetBurn"):
        response.go_on("1", **asked)
    assert begun == ["held"]
    assert desk.get("1").state is State.MITIGATING
    with pytest.raises(Begun):  # a person may
        response.respond("1", **asked)
    assert begun == ["held", "posted"]


@pytest.mark.parametrize(("mode", "status"), [("auto", None), ("suggest", PlayStatus.SUGGESTED)])
def test_an_incident_of_a_webhook_alone_starts_no_other_playbook_but_may_suggest_one(
    tmp_path: Path, mode: Any, status: PlayStatus | None
) -> None:
    room = ErrandRoom(tmp_path)
    playbook = Playbook("escalate", STEPS, events=(IncidentTrigger("opened"),), mode=mode)
    post(room)
    errands = room.errands(playbook)
    errands.look()
    errands.stop()
    assert room.started == []
    assert [play.status for play in list_plays(room.journal)] == ([] if status is None else [status])
    room.journal.close()
