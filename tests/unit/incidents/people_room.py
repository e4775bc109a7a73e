"""An incident and the desk of its people, with a clock that tests set."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.people.desk import PeopleDesk
from maestro_cli.incidents.people.escalation_rows import EscalationProjection
from maestro_cli.incidents.people.projection import PeopleProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.messages import OutboxProjection
from maestro_cli.journal.model import Projection
from maestro_cli.journal.store import Journal
from tests.unit.incidents.world import SetClock, alert

PROJECTIONS: tuple[Projection, ...] = (
    IncidentProjection(),
    PeopleProjection(),
    OutboxProjection(),
    EscalationProjection(),
)


class PeopleRoom:
    """A journal, a detector, and the desks in the name of `ana`."""

    def __init__(
        self, folder: Path, name: str = "journal.db", projections: tuple[Projection, ...] = PROJECTIONS
    ) -> None:
        self.clock = SetClock()
        self.journal = Journal(folder / name, projections=projections, clock=self.clock)
        self.detector = Detector(self.journal, self.clock, "watch")
        self.desk = IncidentDesk(self.journal, self.clock, "ana")
        self.people = PeopleDesk(self.journal, self.clock, "ana")

    def fires(self, deployment: str = "fraud") -> Incident:
        self.detector.ingest([alert(deployment=deployment)], source="alertmanager-api")
        return self.desk.get("latest")

    def told(self, ref: str = "latest") -> list[str]:
        return [entry.text for entry in self.desk.timeline(ref)]
