"""What responders do to incidents, and what they ask.

Invariant: a command reads, checks and appends in one transaction; a transition that the table does not
allow is refused with nothing done; a command that carries the sequence number it saw is refused when
somebody was faster. A late ack is kept as late and moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.facts.alerts import fingerprint_of
from maestro_cli.core.ids import new_id
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.intake.correlation import capped, incident_key
from maestro_cli.incidents.intake.detector import next_number
from maestro_cli.incidents.model import TRANSITIONS, Incident, Severity, Signal, State
from maestro_cli.incidents.register import (
    find_incident,
    latest_incident_of_key,
    list_incidents,
    open_incident_of_key,
    signals_of,
)
from maestro_cli.incidents.timeline import Entry, describe, timeline
from maestro_cli.incidents.triage.model import Evidence, TriageReport
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal, Transaction

MAX_TEXT_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class DeskPolicy:
    """`settle_seconds`: how long all signals must have been clear before a resolve needs no force;
    `postmortem_for`: severities that cannot be closed without a published post-mortem."""

    settle_seconds: float = 0.0
    postmortem_for: tuple[Severity, ...] = (Severity.SEV1, Severity.SEV2)


class IncidentDesk:
    """Commands and queries under the name of one actor; every `ref` is what `find_incident` reads.

    Commands raise NotFound, UsageError, GateNotMet (11: nothing was done), Busy or ActionFailed.
    """

    def __init__(
        self, journal: Journal, clock: Clock, actor: str, *, policy: DeskPolicy | None = None
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._actor = actor
        self._policy = policy or DeskPolicy()

    # Questions

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

    def timeline(self, ref: str) -> tuple[Entry, ...]:
        return timeline(self._journal, self.get(ref).id)

    def evidence(self, ref: str) -> tuple[Event, ...]:
        """The recorded `incident.evidence` events, oldest first."""
        return tuple(self._journal.events(subject=self.get(ref).subject, kinds=("incident.evidence",)))

    def suspects(self, ref: str) -> Event | None:
        """The latest `incident.suspects` event, None before triage."""
        events = self._journal.events(subject=self.get(ref).subject, kinds=("incident.suspects",))
        return events[-1] if events else None

    # Opening

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

    # Attributes

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

    # Transitions

    def start_triage(self, ref: str, *, expected_seq: int | None = None) -> Incident:
        """detected → triaging."""
        return self._move(ref, expected_seq, "incident.triage_started", {})

    def triaged(
        self,
        ref: str,
        *,
        severity: Severity | None = None,
        owner: str | None = None,
        reason: str = "",
        expected_seq: int | None = None,
    ) -> Incident:
        """triaging → mitigating; needs an owner. `severity` confirms or changes the one proposed."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require(incident, "incident.triaged")
            if owner is None and incident.owner is None:
                raise GateNotMet(
                    f"incident #{incident.number} has no owner",
                    fix=f"maestro incident ack {incident.number}",
                )
            if owner is not None and owner != incident.owner:
                self._append(transaction, "incident.owner_set", incident.id, {"owner": capped(owner, 200)})
            if severity is not None and severity != incident.severity:
                data = {"severity": severity, "was": incident.severity, "reason": "triage"}
                self._append(transaction, "incident.severity_set", incident.id, data)
            self._append(transaction, "incident.triaged", incident.id, {"reason": capped(reason)})
            return find_incident(transaction, incident.id)

    def mitigated(
        self, ref: str, *, run: str | None = None, note: str = "", expected_seq: int | None = None
    ) -> Incident:
        """triaging or mitigating → monitoring; needs the run that did it, or a note.

        Who mitigates an incident in triage has judged it: it leaves triage first, theirs if it has no owner.
        """
        if not run and not note.strip():
            raise UsageError("say what mitigated it", fix="pass the run's id or a note")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            if incident.state is State.TRIAGING:
                if incident.owner is None:
                    self._append(transaction, "incident.owner_set", incident.id, {"owner": self._actor})
                self._append(transaction, "incident.triaged", incident.id, {"reason": "mitigated"})
                incident = find_incident(transaction, incident.id)
            before = f"maestro incident triage {incident.number}" if incident.state is State.DETECTED else ""
            _require(incident, "incident.mitigated", fix=before)
            data = {"run": run, "note": capped(note)}
            self._append(transaction, "incident.mitigated", incident.id, data)
            return find_incident(transaction, incident.id)

    def resolve(
        self, ref: str, *, force: bool = False, reason: str = "", expected_seq: int | None = None
    ) -> Incident:
        """Any open state → resolved, once no signal fires.

        With `force` and a reason also while one fires.
        """
        if force and not reason.strip():
            raise UsageError("a forced resolve needs a reason", fix="--reason TEXT")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require(incident, "incident.resolved")
            if not force:
                self._require_quiet(incident)
            data = {"forced": force, "reason": capped(reason), "still_firing": incident.firing}
            self._append(transaction, "incident.resolved", incident.id, data)
            return find_incident(transaction, incident.id)

    def _require_quiet(self, incident: Incident) -> None:
        force = "wait until it is clear, or pass --force --reason TEXT"
        if incident.firing:
            raise GateNotMet(
                f"incident #{incident.number} cannot be resolved: {incident.firing} signals still fire",
                fix=force,
            )
        if not self.has_settled(incident):
            raise GateNotMet(
                f"incident #{incident.number} cannot be resolved yet",
                why=f"its signals must be clear for {self._policy.settle_seconds:g} s",
                fix=force,
            )

    def has_settled(self, incident: Incident) -> bool:
        """Whether its signals have been clear for long enough to resolve it."""
        cleared = incident.signals_cleared_at
        settled = timedelta(seconds=self._policy.settle_seconds)
        return incident.firing == 0 and (cleared is None or self._clock.now() - cleared >= settled)

    def reopen(self, ref: str, reason: str, *, expected_seq: int | None = None) -> Incident:
        """resolved or postmortem → triaging."""
        if not reason.strip():
            raise UsageError("reopening needs a reason", fix="--reason TEXT")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require(incident, "incident.reopened")
            newer = open_incident_of_key(transaction, incident.key)
            if newer is not None:
                raise GateNotMet(
                    f"incident #{incident.number} stays {incident.state.value}",
                    why=f"incident #{newer.number} is open for the same {incident.key}",
                )
            self._append(transaction, "incident.reopened", incident.id, {"reason": capped(reason)})
            return find_incident(transaction, incident.id)

    def publish_postmortem(
        self, ref: str, *, path: str, sha256: str, expected_seq: int | None = None
    ) -> Incident:
        """resolved → postmortem: the document at `path` is out."""
        data = {"path": capped(path), "sha256": sha256}
        return self._move(ref, expected_seq, "incident.postmortem_published", data)

    def close(self, ref: str, *, reason: str = "", expected_seq: int | None = None) -> Incident:
        """resolved or postmortem → closed; a grave one only with its post-mortem published."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require(incident, "incident.closed")
            if incident.state is State.RESOLVED and incident.severity in self._policy.postmortem_for:
                raise GateNotMet(
                    f"a {incident.severity.value} incident closes with a published post-mortem",
                    fix=f"maestro incident postmortem {incident.number}",
                )
            self._append(transaction, "incident.closed", incident.id, {"reason": capped(reason)})
            return find_incident(transaction, incident.id)

    def dismiss(self, ref: str, reason: str, *, expected_seq: int | None = None) -> Incident:
        """Any open state → dismissed: it was a false alarm."""
        if not reason.strip():
            raise UsageError("dismissing needs a reason", fix="--reason TEXT")
        return self._move(ref, expected_seq, "incident.dismissed", {"reason": capped(reason)})

    # Triage

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

    # How

    def _append(self, transaction: Transaction, kind: str, incident: str, data: Mapping[str, Any]) -> Event:
        return transaction.append(kind, f"incident/{incident}", self._actor, {"incident": incident, **data})

    def _seen(self, transaction: Transaction, ref: str, expected_seq: int | None) -> Incident:
        incident = find_incident(transaction, ref)
        if expected_seq is not None and incident.seq > expected_seq:
            newer = self._journal.events(after=incident.seq - 1, limit=1)[0]
            raise GateNotMet(
                f"incident #{incident.number} changed since you looked",
                why=f"{newer.time} {newer.actor}: {describe(newer.kind, newer.data)}",
                fix="look again, then repeat the command",
            )
        return incident

    def _simple(self, ref: str, expected_seq: int | None, kind: str, data: Mapping[str, Any]) -> Incident:
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            self._append(transaction, kind, incident.id, data)
            return find_incident(transaction, incident.id)

    def _move(self, ref: str, expected_seq: int | None, kind: str, data: Mapping[str, Any]) -> Incident:
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            _require(incident, kind)
            self._append(transaction, kind, incident.id, data)
            return find_incident(transaction, incident.id)


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


def _require(incident: Incident, kind: str, *, fix: str = "") -> None:
    """Raises GateNotMet unless the table allows that transition now."""
    sources, target = TRANSITIONS[kind]
    if incident.state not in sources:
        allowed = " or ".join(state.value for state in sources)
        raise GateNotMet(
            f"incident #{incident.number} is {incident.state.value}, so it cannot become {target.value}",
            why=f"that is possible from {allowed}",
            fix=fix,
        )
