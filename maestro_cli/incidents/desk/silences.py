"""What is recorded of the silences that were made for an incident.

Invariant: a silence is recorded before the change that makes it begins, and is told as not made when that
change was refused or failed: who is killed in between leaves no silence that nothing knows of.
"""

from __future__ import annotations

from maestro_cli.core.errors import GateNotMet
from maestro_cli.incidents.desk.writing import Writing
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident, IncidentSilence, SilenceEnd
from maestro_cli.incidents.register import find_incident, overdue_silences


class Silences(Writing):
    """Records silences; the changes themselves are made elsewhere."""

    def silenced(
        self, ref: str, *, change: str, matchers: str, until: str, expected_seq: int | None = None
    ) -> Incident:
        """A change is about to silence alerts of an open incident, until an instant (RFC 3339)."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            if not incident.state.is_open:
                raise GateNotMet(
                    f"incident #{incident.number} is {incident.state.value}: nothing is silenced"
                )
            data = {"change": change, "matchers": matchers, "until": until}
            self._append(transaction, "incident.silenced", incident.id, data)
            return find_incident(transaction, incident.id)

    def overdue_silences(self) -> tuple[tuple[Incident, IncidentSilence], ...]:
        """Those that still hold although their incident is over."""
        return overdue_silences(self._journal, self._clock.now())

    def silence_ended(self, ref: str, silence: IncidentSilence, reason: str) -> None:
        """It holds no more, before its time."""
        with self._journal.transaction() as transaction:
            incident = find_incident(transaction, ref)
            data = {
                "change": silence.change,
                "matchers": silence.matchers,
                "end": SilenceEnd.ENDED,
                "reason": capped(reason),
            }
            self._append(transaction, "incident.silence_ended", incident.id, data)
