"""What moves an incident from state to state. Invariant: only as the table of transitions says."""

from __future__ import annotations

from datetime import timedelta

from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.quantities import counted
from maestro_cli.incidents.clock import append_breaches
from maestro_cli.incidents.desk.writing import Writing, require
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident, Severity, State
from maestro_cli.incidents.register import find_incident, open_incident_of_key
from maestro_cli.journal.store import Transaction


class Transitions(Writing):
    """Commands that change the state, or are refused."""

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
            require(incident, "incident.triaged")
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
        """detected, triaging or mitigating → monitoring; needs the run that did it, or a note.

        Who mitigates an incident that was acknowledged or is in triage has judged it: it leaves triage
        first, theirs if it has no owner.
        """
        if not run and not note.strip():
            raise UsageError("say what mitigated it", fix="pass the run's id or a note")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            looked_at = incident.state is State.DETECTED and incident.times.acked_at is not None
            if looked_at:
                self._append(transaction, "incident.triage_started", incident.id, {"reason": "mitigated"})
            if looked_at or incident.state is State.TRIAGING:
                if incident.owner is None:
                    self._append(transaction, "incident.owner_set", incident.id, {"owner": self._actor})
                self._append(transaction, "incident.triaged", incident.id, {"reason": "mitigated"})
                incident = find_incident(transaction, incident.id)
            number = incident.number
            before = f"maestro incident ack {number}, or maestro incident triage {number}"
            require(incident, "incident.mitigated", fix=before if incident.state is State.DETECTED else "")
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
            require(incident, "incident.resolved")
            if not force:
                self._require_quiet(incident)
            data = {"forced": force, "reason": capped(reason), "still_firing": incident.firing}
            self._append(transaction, "incident.resolved", incident.id, data)
            return self._with_breaches(transaction, incident.id)

    def _with_breaches(self, transaction: Transaction, incident_id: str) -> Incident:
        """The incident, after the budgets that it overran are on record also where nobody watches."""
        incident = find_incident(transaction, incident_id)
        append_breaches(transaction, incident, self._clock.now(), self._actor)
        return incident

    def _require_quiet(self, incident: Incident) -> None:
        force = "wait until it is clear, or pass --force --reason TEXT"
        if incident.firing:
            raise GateNotMet(
                f"incident #{incident.number} cannot be resolved: "
                f"{counted(incident.firing, 'signal')} still firing",
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
            require(incident, "incident.reopened")
            newer = open_incident_of_key(transaction, incident.key)
            if newer is not None:
                raise GateNotMet(
                    f"incident #{incident.number} stays {incident.state.value}",
                    why=f"incident #{newer.number} is open for the same {incident.key}",
                )
            self._append(transaction, "incident.reopened", incident.id, {"reason": capped(reason)})
            return find_incident(transaction, incident.id)

    def publish_postmortem(
        self,
        ref: str,
        *,
        path: str,
        sha256: str,
        to_fill: int = 0,
        force: bool = False,
        reason: str = "",
        expected_seq: int | None = None,
    ) -> Incident:
        """resolved → postmortem: the document at `path` is out.

        Of a grave incident it is refused while `to_fill` places wait for people, unless forced with a reason.
        """
        if force and not reason.strip():
            raise UsageError("publishing what is not filled in needs a reason", fix="--reason TEXT")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            require(incident, "incident.postmortem_published")
            if to_fill and not force and incident.severity in self._policy.postmortem_for:
                raise GateNotMet(
                    f"the post-mortem of a {incident.severity.value} incident lacks {to_fill} things",
                    why=f"see maestro incident postmortem {incident.number} --lint",
                    fix="fill them in, or pass --force --reason TEXT",
                )
            data = {"path": capped(path), "sha256": sha256, "to_fill": to_fill}
            data |= {"forced": force, "reason": capped(reason)}
            self._append(transaction, "incident.postmortem_published", incident.id, data)
            return self._with_breaches(transaction, incident.id)

    def close(self, ref: str, *, reason: str = "", expected_seq: int | None = None) -> Incident:
        """resolved or postmortem → closed; a grave one only with its post-mortem published."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            require(incident, "incident.closed")
            if incident.state is State.RESOLVED and incident.severity in self._policy.postmortem_for:
                raise GateNotMet(
                    f"a {incident.severity.value} incident closes with a published post-mortem",
                    fix=f"maestro incident postmortem {incident.number}, then the same with --publish",
                )
            self._append(transaction, "incident.closed", incident.id, {"reason": capped(reason)})
            return find_incident(transaction, incident.id)

    def dismiss(self, ref: str, reason: str, *, expected_seq: int | None = None) -> Incident:
        """Any open state → dismissed: it was a false alarm."""
        if not reason.strip():
            raise UsageError("dismissing needs a reason", fix="--reason TEXT")
        return self._move(ref, expected_seq, "incident.dismissed", {"reason": capped(reason)})
