"""What is said of an incident and moves no state: ack, owner, severity, notes."""

from __future__ import annotations

from maestro_cli.core.errors import UsageError
from maestro_cli.incidents.desk.writing import Writing
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident, Severity
from maestro_cli.incidents.register import find_incident

MAX_TEXT_CHARACTERS = 10_000


class Attributes(Writing):
    """Commands that leave the state as it is."""

    def ack(self, ref: str, *, expected_seq: int | None = None) -> Incident:
        """Acknowledge, and become the owner of an open incident that has none.

        After the incident ended it is recorded as late and changes nothing.
        """
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            late = not incident.state.is_open
            self._append(transaction, "incident.acked", incident.id, {"late": late})
            if not late and incident.owner is None:
                self._append(transaction, "incident.owner_set", incident.id, {"owner": self._actor})
            return find_incident(transaction, incident.id)

    def note(self, ref: str, text: str) -> Incident:
        """Add a line to the timeline, whatever the state."""
        if not text.strip():
            raise UsageError("a note needs a text")
        return self._simple(ref, None, "incident.note", {"text": capped(text, MAX_TEXT_CHARACTERS)})

    def assign(self, ref: str, owner: str, *, expected_seq: int | None = None) -> Incident:
        """Make somebody the owner."""
        if not owner.strip():
            raise UsageError("an owner needs a name")
        return self._simple(ref, expected_seq, "incident.owner_set", {"owner": capped(owner, 200)})

    def set_severity(
        self, ref: str, severity: Severity, *, reason: str = "", expected_seq: int | None = None
    ) -> Incident:
        """Change the severity; the same one again is recorded too."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            data = {"severity": severity, "was": incident.severity, "reason": capped(reason)}
            self._append(transaction, "incident.severity_set", incident.id, data)
            return find_incident(transaction, incident.id)
