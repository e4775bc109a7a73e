"""Watchers on one journal, whose incidents and answers a test gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import Incident, Signal, State
from maestro_cli.incidents.register import find_incident, signals_of
from maestro_cli.incidents.response.duty import Duty
from maestro_cli.incidents.response.response import Responded
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.runbooks.model import Confirm, nobody
from maestro_cli.runbooks.playbooks import Playbook, PlaybookStep
from tests.unit.incidents.world import Room, alert


class Notes(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


class Answers:
    """A response of which only the playbook, and what it does to an incident, matter here."""

    def __init__(self, journal: Journal, mode: str | None, act: Callable[[str, Cancellation], None]) -> None:
        self._journal = journal
        self.mode = mode
        self.act = act
        self.asked: list[str] = []
        self.suggested: list[str] = []

    def match(self, incident: Incident) -> tuple[Playbook, Signal] | None:
        if self.mode is None:
            return None
        step = PlaybookStep("the-book", {})
        mode = cast("Any", self.mode)
        playbook = Playbook("the-play", (step,), severity="sev2", mode=mode)
        signal = next((one for one in signals_of(self._journal, incident.id) if one.firing), None)
        return playbook, cast("Signal", signal)

    def go_on(
        self, ref: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> Responded:
        assert confirm is nobody
        self.asked.append(ref)
        progress.phase("triage", "looking")
        self.act(ref, cancellation)
        return Responded(
            cast("Incident", cast("Any", type("Done", (), {"state": State.POSTMORTEM}))), Path("pm")
        )

    def suggest(
        self, transaction: Transaction, incident: Incident, playbook: Playbook, signal: Signal
    ) -> Callable[[Progress], None]:
        self.suggested.append(incident.id)
        return lambda progress: None


class Watchers:
    """A room and what its watchers do; `resolve` is a response that works."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.notes = Notes()
        self.cancellation = Cancellation()

    def duty(
        self,
        mode: str | None = "auto",
        act: Callable[[str, Cancellation], None] | None = None,
        *,
        actor: str = "watch, me",
        workers: int = 4,
        drilling: Callable[[], bool] = lambda: False,
    ) -> tuple[Duty, Answers]:
        answers = Answers(self.room.journal, mode, act or self.resolve)
        duty = Duty(
            self.room.journal, answers, actor, clock=self.room.clock, cancellation=self.cancellation,
            progress=self.notes, drilling=drilling, workers=workers,
        )  # fmt: skip
        return duty, answers

    def resolve(self, ref: str, cancellation: Cancellation) -> None:
        IncidentDesk(self.room.journal, self.room.clock, "watch, me").resolve(ref, force=True, reason="done")

    def fires(self, number: int = 0, detector: Detector | None = None) -> Incident:
        one = alert(deployment=f"service-{number}", service="")
        report = (detector or self.room.detector).ingest([one], source="alertmanager-api")
        return find_incident(self.room.journal, (report.opened or report.reopened)[0])

    def kinds(self, incident: Incident) -> list[str]:
        events = self.room.journal.events(subject=incident.subject)
        return [event.kind.removeprefix("incident.") for event in events]


def look(duty: Duty) -> None:
    duty.look()
    duty.stop()
