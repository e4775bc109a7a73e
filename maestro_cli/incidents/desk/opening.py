"""Incidents that people open. Invariant: a report joins the open incident of its workload, if any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.alerts import fingerprint_of
from maestro_cli.core.ids import new_id
from maestro_cli.core.refs import WorkloadRef, checked_namespace
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.desk.writing import Writing
from maestro_cli.incidents.intake.correlation import capped, capped_labels, incident_key
from maestro_cli.incidents.intake.routing import next_number
from maestro_cli.incidents.model import REPORT_SOURCE, Incident, Severity
from maestro_cli.incidents.register import find_incident, latest_incident_of_key, open_incident_of_key


class Opening(Writing):
    """Opens incidents from the reports of users."""

    def open(
        self,
        title: str,
        *,
        severity: Severity | None = None,
        workload: WorkloadRef | None = None,
        namespace: str | None = None,
        drill: bool = False,
        text: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Incident:
        """Open an incident from a user's report, or add the report to the open one of that workload.

        Sev3 unless it is said; a graver one raises that of the incident it joins. `labels` may name the
        workload as those of an alert do, and never who reports. Raises UsageError for a
        namespace that cannot be.
        """
        if not title.strip():
            raise UsageError("an incident needs a title")
        if namespace is not None:
            checked_namespace(namespace)
        workload = workload or workload_of(labels or {})
        now = self._clock.now()
        incident_id = new_id("inc", now)
        own = {"alertname": "UserReport", "reporter": self._actor}
        labels = capped_labels(labels or {}) | own
        if workload is not None:
            labels |= {"namespace": workload.namespace, workload.kind.lower(): workload.name}
        elif namespace:
            labels["namespace"] = namespace
        key = incident_key(labels) if workload is not None else f"report/{incident_id}"
        with self._journal.transaction() as transaction:
            found = open_incident_of_key(transaction, key)
            if found is not None:
                incident_id = found.id
                if severity is not None and severity < found.severity:
                    raised = {"severity": severity, "was": found.severity, "reason": "a user's report"}
                    self._append(transaction, "incident.severity_set", incident_id, raised)
            else:
                last = latest_incident_of_key(transaction, key)
                opened = {
                    "number": next_number(transaction),
                    "key": key,
                    "title": capped(title, 200),
                    "severity": severity or Severity.SEV3,
                    "namespace": workload.namespace if workload is not None else namespace,
                    "workload": str(workload) if workload is not None else None,
                    "drill": drill,
                    "started_at": now,
                    "source": REPORT_SOURCE,
                    "same_as": last.id if last is not None else None,
                }
                self._append(transaction, "incident.opened", incident_id, opened)
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
        "source": REPORT_SOURCE,
        "generator_url": "",
    }
