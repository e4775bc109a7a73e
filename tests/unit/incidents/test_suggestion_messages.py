"""What a watcher leaves to people is recorded together with the message that tells them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.response.duty import Duty
from maestro_cli.incidents.response.response import Crew, Response
from maestro_cli.journal.messages import Attempt, Delivery, OutboxProjection, Outcome, Standing
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.playbooks.model import Notification, Playbook, PlaybookStep
from maestro_cli.runbooks.projection import RunsProjection
from tests.unit.incidents.watchers import Notes
from tests.unit.incidents.world import SetClock, alert

PLAY = Playbook(
    "play",
    (PlaybookStep("book", {}),),
    mode="suggest",
    notifications=(Notification("env:CHAT", ("suggested",)),),
)


class Killed(BaseException):
    """The process ends here."""


class Sent:
    def send(self, message: Delivery) -> Attempt:
        return Attempt(Outcome.DELIVERED, "200")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    projections = (IncidentProjection(), RunsProjection(), OutboxProjection())
    journal = Journal(tmp_path / "journal.db", projections=projections, clock=SetClock())
    Detector(journal, journal.clock, "watch").ingest([alert()], source="alertmanager-api")
    yield journal
    journal.close()


def watcher(journal: Journal) -> tuple[Duty, Outbox]:
    outbox = Outbox(journal, Sent(), clock=journal.clock, actor="watch")
    playbooks = SimpleNamespace(match=lambda labels, *, firing: SimpleNamespace(playbook=PLAY))
    none = cast("Any", None)
    desk = IncidentDesk(journal, journal.clock, "watch")
    crew = Crew(desk, none, cast("Any", playbooks), none, none, none, outbox)
    answers = Response(crew, journal, journal.clock, "watch")
    duty = Duty(
        journal, answers, "watch", clock=journal.clock, cancellation=Cancellation(), progress=Notes()
    )  # fmt: skip
    return duty, outbox


def test_a_kill_after_it_was_left_to_people_loses_no_message(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(here: str) -> None:
        if here == "response.left":
            raise Killed

    duty, outbox = watcher(journal)
    monkeypatch.setattr("maestro_cli.incidents.response.duty.crash_point", kill)
    with pytest.raises(Killed):
        duty.look()
    monkeypatch.undo()
    assert len(journal.events(kinds=("incident.handed_over",))) == 1
    (message,) = outbox.messages()
    assert (message.channel, message.content["moment"]) == ("env:CHAT", "suggested")
    again, _ = watcher(journal)
    again.look()
    assert [one.standing for one in outbox.deliver_due()] == [Standing.DELIVERED]


def test_it_is_told_at_once_and_once(journal: Journal) -> None:
    for _ in range(2):
        duty, outbox = watcher(journal)
        duty.look()
    assert [one.standing for one in outbox.messages(ended=True)] == [Standing.DELIVERED]
