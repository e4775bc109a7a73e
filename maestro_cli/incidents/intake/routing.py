"""Which incident the signals of one delivery belong to.

Invariant: used inside one transaction; at most one incident of a key is opened, and what is looked up is
looked up for all signals together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.ids import new_id
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.correlation import IntakePolicy, capped, severity_of, start_of
from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.register import latest_incident_of_key, open_incident_of_key, seen_keys
from maestro_cli.journal.store import Transaction

REOPENABLE = (State.RESOLVED, State.POSTMORTEM)
Append = Callable[[str, str, Mapping[str, Any]], None]  # kind, incident, data


class Routing:
    """Finds, reopens or opens the incident of each signal; `opened` and `reopened` hold their ids."""

    def __init__(
        self,
        transaction: Transaction,
        append: Append,
        bindings: Bindings,
        *,
        policy: IntakePolicy,
        source: str,
        now: datetime,
        drill: Callable[[], bool],
        signals: Sequence[tuple[str, Alert]],
    ) -> None:
        """`signals` are those of the delivery that look for an incident, each with its identity."""
        self._transaction, self._append = transaction, append
        self._bindings, self._policy = bindings, policy
        self._source, self._now, self._drill = source, now, drill
        keys = {bindings.key(alert.labels) for _, alert in signals}
        self._new_keys = keys - seen_keys(transaction, sorted(keys))
        self._number = next_number(transaction)
        self._by_key: dict[str, str] = {}  # open incident of a key, as far as looked up
        self.opened: list[str] = []
        self.reopened: list[str] = []

    @cached_property
    def _drilling(self) -> bool:
        return self._drill()

    def incident_of(self, fingerprint: str, alert: Alert) -> str:
        """The open incident of a signal: found, reopened or opened."""
        key = self._bindings.key(alert.labels)
        if key in self._by_key:
            return self._by_key[key]
        incident = self._open(key, alert, None) if key in self._new_keys else self._open_one(key, alert)
        self._by_key[key] = incident
        return incident

    def _open_one(self, key: str, alert: Alert) -> str:
        open_one = open_incident_of_key(self._transaction, key)
        if open_one is not None:
            return open_one.id
        last = latest_incident_of_key(self._transaction, key)
        if last is None or not self._reopens(last, alert):
            return self._open(key, alert, last)
        self._append("incident.reopened", last.id, {"reason": "its alert fires again"})
        self.reopened.append(last.id)
        return last.id

    def _reopens(self, incident: Incident, alert: Alert) -> bool:
        resolved_at = incident.times.resolved_at
        window = timedelta(seconds=self._bindings.bound(alert.labels).rule.reopen_window_seconds)
        recent = resolved_at is not None and self._now - resolved_at <= window
        # a drill's alert is no return of a real incident, nor the other way round
        if not (incident.state in REOPENABLE and recent and incident.drill is self._drilling):
            return False
        return open_incident_of_key(self._transaction, incident.key) is None

    def _open(self, key: str, alert: Alert, last: Incident | None) -> str:
        policy = self._policy
        incident = new_id("inc", self._now)
        workload = workload_of(alert.labels)
        self._append(
            "incident.opened",
            incident,
            {
                "number": self._number,
                "key": key,
                "title": self._bindings.title(alert),
                "severity": severity_of(alert.labels, policy) or policy.unknown_severity,
                "namespace": capped(alert.labels.get("namespace", ""), 253) or None,
                "workload": str(workload) if workload is not None else None,
                "drill": self._drilling,
                "started_at": start_of(alert, self._now),
                "source": self._source,
                "same_as": last.id if last is not None else None,
            },
        )
        roles = self._bindings.roles(alert.labels)
        if roles:
            self._append("incident.roles_set", incident, {"roles": roles})
        self._number += 1
        self.opened.append(incident)
        return incident


def next_number(transaction: Transaction) -> int:
    """The number of the next incident; only inside a write transaction."""
    rows = transaction.query("SELECT coalesce(max(number), 0) + 1 FROM incidents")
    return int(rows[0][0])
