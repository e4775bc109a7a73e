"""A journal with four incidents, made by the real room at instants that a test sets."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import LinkKind, Severity
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.triage.model import (
    Evidence,
    Onset,
    Proposal,
    SuggestedFix,
    Suspect,
    SuspectKind,
    TriageReport,
)
from maestro_cli.journal.store import Journal
from tests.unit.incidents.world import T0, SetClock, alert

_ID = re.compile(r"\binc-[0-9a-z]{14}\b")
_FINGERPRINT = re.compile(r"\b[0-9a-f]{16}\b")


class Scene:
    """#1 was triaged and fires, #2 was merged into it, #3 is a report, #4 a drill that was dismissed."""

    def __init__(self, file: Path, clock: SetClock | None = None) -> None:
        self.clock = clock or SetClock()
        self.journal = Journal(file, projections=[IncidentProjection()], clock=self.clock)
        detector = Detector(self.journal, self.clock, "watch")
        self.ana = IncidentDesk(self.journal, self.clock, "ana")
        self.bo = IncidentDesk(self.journal, self.clock, "bo")
        self.clock.advance(30)
        began = self.clock.now() - timedelta(seconds=30)
        detector.ingest([alert(starts_at=began)], source="alertmanager-api")
        detector.ingest([alert(starts_at=began, deployment="risk")], source="alertmanager-api")
        self.ana.ack("1")
        self.ana.start_triage("1")
        self.clock.advance(20)
        self.ana.record_triage("1", _report(self.clock.now()))
        self.ana.triaged("1", severity=Severity.SEV1, reason="everybody is affected")
        self.bo.merge("2", "1", reason="the same release")
        self.bo.open(
            "wrong scores \x1b[31m<b>|\u202e", severity=Severity.SEV4, namespace="ml", text="since noon"
        )
        self.bo.link("3", "1", kind=LinkKind.CAUSED_BY, note="their users")
        self.bo.open("rehearsal", drill=True)
        self.ana.dismiss("4", "only a rehearsal")
        self.clock.advance(600)


def settled(text: str) -> str:
    """Ids and fingerprints, which differ from run to run, as words."""
    return _FINGERPRINT.sub("FINGERPRINT", _ID.sub("inc-ID", text))


def _report(now: datetime) -> TriageReport:
    fix = SuggestedFix("change", "rollback", {"workload": "ml/deploy/fraud", "to_revision": "4"})
    return TriageReport(
        incident="",
        started_at=now - timedelta(seconds=1),
        seconds=1.0,
        onset=Onset(T0 - timedelta(seconds=60), T0 - timedelta(seconds=75), "errors"),
        evidence=(
            Evidence("errors", "Errors", "rate(errors[1m])", now, "prometheus", "12% of answers fail"),
            Evidence("pods", "Pods", "pods of ml", now, "cluster", "", ok=False, error="it does not answer"),
        ),
        suspects=(
            Suspect(
                SuspectKind.RELEASE, "ml/deploy/fraud revision 5", 0.9,
                ("began with it",), ("one pod is well",), fix, strength=0.8,
            ),
        ),
        severity=Proposal(Severity.SEV2, ("12.0% of the requests fail",)),
    )  # fmt: skip
