"""What triage found, recorded and asked for again."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.incidents.desk.questions import Questions
from maestro_cli.incidents.register import find_incident
from maestro_cli.incidents.triage.model import Evidence, TriageReport


class Findings(Questions):
    """Records evidence and suspects."""

    def record_evidence(self, ref: str, evidence: Sequence[Evidence]) -> None:
        """Append each as `incident.evidence`, in one transaction."""
        with self._journal.transaction() as transaction:
            incident = find_incident(transaction, ref)
            for item in evidence:
                self._append(transaction, "incident.evidence", incident.id, item.as_data())

    def record_triage(self, ref: str, report: TriageReport) -> None:
        """Append the evidence and `incident.suspects`, in one transaction."""
        with self._journal.transaction() as transaction:
            incident = find_incident(transaction, ref)
            for item in report.evidence:
                self._append(transaction, "incident.evidence", incident.id, item.as_data())
            self._append(transaction, "incident.suspects", incident.id, report.suspects_as_data())
