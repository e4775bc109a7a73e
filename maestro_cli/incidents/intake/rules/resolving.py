"""Resolves incidents whose rule says that the watch does.

Invariant: what the desk refuses stays open; an incident that somebody acknowledged, owns or responds to is
left to them, and one of which a signal flaps is not over. What ended before an incident was reopened ends it
no more. A rule that resolves on the first signal says so as the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from maestro_cli.core.clock import Clock, from_rfc3339
from maestro_cli.core.errors import GateNotMet
from maestro_cli.incidents.desk import DeskPolicy, IncidentDesk
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.damping import Damping
from maestro_cli.incidents.intake.rules.model import Rule
from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.register import find_incident, signals_of
from maestro_cli.journal.store import Journal

_OPEN = "','".join(state.value for state in State if state.is_open)
_LEFT_TO_RULES = f"""
SELECT i.id, r.rule FROM incidents i JOIN rule_incidents r ON r.incident = i.id
LEFT JOIN incident_responses p ON p.incident = i.id
WHERE i.state IN ('{_OPEN}') AND coalesce(p.standing, '') <> 'begun'
    AND i.owner IS NULL AND i.acked_at IS NULL
"""


class RuleResolver:
    """Looks over the open incidents once a turn of the watch."""

    def __init__(
        self, journal: Journal, clock: Clock, actor: str, bindings: Bindings, *, settle_seconds: float
    ) -> None:
        self._journal, self._clock, self._bindings = journal, clock, bindings
        self._settle = timedelta(seconds=settle_seconds)
        self._desk = IncidentDesk(journal, clock, actor, policy=DeskPolicy(settle_seconds=settle_seconds))

    def look(self, tell: Callable[[str], None]) -> None:
        """Resolve what is over; `tell` hears of each."""
        if not self._bindings.resolves:
            return
        damping = Damping(self._journal, self._bindings, self._clock.now())
        for incident_id, name in self._journal.query(_LEFT_TO_RULES):
            rule = self._bindings.rule_of_id(name)
            if rule is None or rule.resolve_on == "never":
                continue
            incident = find_incident(self._journal, incident_id)
            if not self._is_over(incident, rule, damping):
                continue
            words = "all its signals" if rule.resolve_on == "all" else "the first of its signals"
            try:
                self._desk.resolve(
                    incident.id,
                    force=incident.firing > 0,
                    reason=f"{words} resolved: rule {rule.id}",
                    expected_seq=incident.seq,
                )
            except GateNotMet:  # somebody was faster, or it has not settled yet
                continue
            tell(f"incident {incident.id} resolved by rule {rule.id}")

    def _is_over(self, incident: Incident, rule: Rule, damping: Damping) -> bool:
        signals = [one for one in signals_of(self._journal, incident.id) if not one.is_report]
        if any(damping.of(incident.id, one.fingerprint) for one in signals):
            return False
        if rule.resolve_on == "all":
            cleared = incident.signals_cleared_at
            is_new = cleared is None or self._is_new(incident, cleared)
            return bool(signals) and is_new and self._desk.has_settled(incident)
        ended = [one.resolved_at for one in signals if not one.firing and one.resolved_at is not None]
        return any(self._clock.now() - at >= self._settle and self._is_new(incident, at) for at in ended)

    def _is_new(self, incident: Incident, ended: datetime) -> bool:
        """Whether it ended since the incident was last reopened."""
        if not incident.reopen_count:
            return True
        reopened = self._journal.events(subject=incident.subject, kinds=("incident.reopened",))
        return not reopened or ended > from_rfc3339(reopened[-1].time)
