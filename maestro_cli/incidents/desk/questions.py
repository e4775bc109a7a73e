"""What responders ask of incidents. Invariant: nothing is appended."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.incidents.desk.writing import Writing
from maestro_cli.incidents.model import Incident, IncidentSilence, Signal, State
from maestro_cli.incidents.register import find_incident, list_incidents, signals_of, silences_of
from maestro_cli.incidents.timeline import Entry, timeline
from maestro_cli.journal.model import Event


class Questions(Writing):
    """Queries; every `ref` is what `find_incident` reads."""

    def list(
        self, *, states: Sequence[State] = (), drills: bool = True, limit: int = 1000
    ) -> tuple[Incident, ...]:
        """Newest first."""
        return list_incidents(self._journal, states=states, drills=drills, limit=limit)

    def get(self, ref: str) -> Incident:
        """One incident by id, number, `latest` or an unambiguous part of the id."""
        return find_incident(self._journal, ref)

    def signals(self, ref: str) -> tuple[Signal, ...]:
        return signals_of(self._journal, self.get(ref).id)

    def silences(self, ref: str) -> tuple[IncidentSilence, ...]:
        """Those that were made for it, oldest first."""
        return silences_of(self._journal, self.get(ref).id)

    def timeline(self, ref: str) -> tuple[Entry, ...]:
        return timeline(self._journal, self.get(ref).id)

    def evidence(self, ref: str) -> tuple[Event, ...]:
        """The recorded `incident.evidence` events, oldest first."""
        return tuple(self._journal.events(subject=self.get(ref).subject, kinds=("incident.evidence",)))

    def suspects(self, ref: str) -> Event | None:
        """The latest `incident.suspects` event, None before triage."""
        events = self._journal.events(subject=self.get(ref).subject, kinds=("incident.suspects",))
        return events[-1] if events else None
