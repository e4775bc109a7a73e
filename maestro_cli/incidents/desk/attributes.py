"""What is said of an incident and moves no state: ack, owner, severity, notes."""

from __future__ import annotations

from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.incidents.acknowledgement import KINDS, Acknowledgement, acknowledged, standing_ack
from maestro_cli.incidents.desk.writing import Writing
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import OVER_STATES, Incident, Severity
from maestro_cli.incidents.register import find_incident

MAX_TEXT_CHARACTERS = 10_000


class Attributes(Writing):
    """Commands that leave the state as it is."""

    def ack(self, ref: str, *, expected_seq: int | None = None) -> Incident:
        """Acknowledge as `acknowledge` does; returns the incident."""
        return self.acknowledge(ref, expected_seq=expected_seq).incident

    def acknowledge(self, ref: str, *, expected_seq: int | None = None) -> Acknowledgement:
        """Acknowledge, and become the owner of an open incident that has none.

        What somebody has acknowledged already stays theirs. After the incident ended it is recorded as late
        and changes nothing; raises GateNotMet, which names the survivor, for one that was merged.
        """
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            is_open = incident.state.is_open
            events = self._journal.events(subject=incident.subject, kinds=KINDS)
            before = standing_ack(events, self._actor, is_open=is_open)
            event = before or self._append(transaction, "incident.acked", incident.id, {"late": not is_open})
            if is_open and incident.owner is None:
                self._append(transaction, "incident.owner_set", incident.id, {"owner": self._actor})
            return acknowledged(find_incident(transaction, incident.id), event, is_new=before is None)

    def note(self, ref: str, text: str, *, expected_seq: int | None = None) -> Incident:
        """Add a line to the timeline, also when it is over; not of one that was merged."""
        if not text.strip():
            raise UsageError("a note needs a text")
        return self._simple(ref, expected_seq, "incident.note", {"text": capped(text, MAX_TEXT_CHARACTERS)})

    def assign(self, ref: str, owner: str | None, *, expected_seq: int | None = None) -> Incident:
        """Make somebody the owner of an incident that is not over; None: nobody."""
        if owner is not None and not owner.strip():
            raise UsageError("an owner needs a name")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require_not_over(incident)
            data = {"owner": None if owner is None else capped(owner.strip(), 200), "was": incident.owner}
            self._append(transaction, "incident.owner_set", incident.id, data)
            return find_incident(transaction, incident.id)

    def set_severity(
        self, ref: str, severity: Severity, *, reason: str = "", expected_seq: int | None = None
    ) -> Incident:
        """Raise or lower the severity; the same one again is recorded too.

        Lowering needs a reason: who is unsure leaves the graver one.
        """
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require_not_over(incident)
            if severity > incident.severity and not reason.strip():
                raise UsageError(
                    f"lowering incident #{incident.number} from {incident.severity.value} needs a reason",
                    fix="--reason TEXT",
                )
            data = {"severity": severity, "was": incident.severity, "reason": capped(reason)}
            self._append(transaction, "incident.severity_set", incident.id, data)
            return find_incident(transaction, incident.id)


def _require_not_over(incident: Incident) -> None:
    """Raises GateNotMet for an incident to which nothing more happens."""
    if incident.state in OVER_STATES:
        raise GateNotMet(
            f"incident #{incident.number} is {incident.state.value}",
            fix="a note can still be put on its timeline",
        )
