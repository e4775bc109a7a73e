"""Incidents that people open. Invariant: a report joins the open incident of its workload, if any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.alerts import fingerprint_of
from maestro_cli.core.ids import new_id
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.desk.writing import Writing
from maestro_cli.incidents.intake.correlation import capped, incident_key
from maestro_cli.incidents.intake.routing import next_number
from maestro_cli.incidents.model import Incident, Severity
from maestro_cli.incidents.register import find_incident, latest_incident_of_key, open_incident_of_key


class Opening(Writing):
    """Opens incidents from the reports of users."""

    def open(
        self,
        title: str,
        *,
        severity: Severity = Severity.SEV3,
        workload: WorkloadRef | None = None,
        namespace: str | None = None,
        drill: bool = False,
        text: str = "",
    ) -> Incident:
        """Open an incident from a user's report, or add the report to the open one of that workload."""
        if not title.strip():
            raise UsageError("an incident needs a title")
        now = self._clock.now()
        incident_id = new_id("inc", now)
        labels = {"alertname": "UserReport", "reporter": self._actor}
        if workload is not None:
            labels |= {"namespace": workload.namespace, "deployment": workload.name}
        elif namespace:
            labels["namespace"] = namespace
        key = incident_key(labels) if workload is not None else f"report/{incident_id}"
        with self._journal.transaction() as transaction:
            found = open_incident_of_key(transaction, key)
            if found is None:
                last = latest_incident_of_key(transaction, key)
                self._append(
                    transaction,
                    "incident.opened",
                    incident_id,
                    {
                        "number": next_number(transaction),
                        "key": key,
                        "title": capped(title, 200),
                        "severity": severity,
                        "namespace": workload.namespace if workload is not None else namespace,
                        "workload": str(workload) if workload is not None else None,
                        "drill": drill,
                        "started_at": now,
                        "source": "user",
                        "same_as": last.id if last is not None else None,
                    },
                )
            else:
                incident_id = found.id
            signal = _user_signal(labels, title, text, now)
            data = {"phase": "attached", "signal": signal}
            self._append(transaction, "incident.signal", incident_id, data)
            return find_incident(transaction, incident_id)


def _user_signal(labels: Mapping[str, str], title: str, text: str, now: datetime) -> dict[str, Any]:
    """A report as a signal of its own: two reports with the same words are two."""
    return {
        "fingerprint": fingerprint_of({**labels, "report": new_id("rep", now)}),
        "content": "",
        "name": "UserReport",
        "labels": labels,
        "annotations": {"summary": capped(title), "description": capped(text)},
        "starts_at": now,
        "source": "user",
        "generator_url": "",
    }
