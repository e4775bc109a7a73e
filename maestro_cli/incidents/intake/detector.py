"""Alerts in, incidents out.

Invariant: one delivery is one journal transaction; inside it the open incident of a key is looked up
under the writers' lock (and the table's unique index stands behind it), so two watchers never open two.
A delivery that says nothing new takes no lock and writes nothing. Only a firing alert opens; a resolved
one never does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import Clock
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.bindings import Bindings, Waiting
from maestro_cli.incidents.intake.correlation import (
    IntakePolicy,
    capped,
    capped_labels,
    content_of,
    disbelieved_start,
    identity,
    ignored_because,
    start_of,
)
from maestro_cli.incidents.intake.damping import Damping
from maestro_cli.incidents.intake.judging import Judge
from maestro_cli.incidents.intake.routing import Routing
from maestro_cli.incidents.intake.rules.model import Rule
from maestro_cli.incidents.intake.rules.usage import note_waiting
from maestro_cli.incidents.intake.topology import Topology
from maestro_cli.incidents.model import IngestReport, State
from maestro_cli.incidents.register import (
    KnownSignal,
    Reads,
    known_signals,
    signals_of,
    vanished_signals,
)
from maestro_cli.journal.store import Journal, Transaction

_Taken = tuple[str, str, Alert]  # identity, content, the alert


class Detector:
    """Turns deliveries of alerts into incidents, under the name of one actor."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        actor: str,
        *,
        policy: IntakePolicy | None = None,
        drill: Callable[[], bool] = lambda: False,
        bindings: Bindings = Bindings(),
        topology: Callable[[], Topology] = Topology,
    ) -> None:
        """`drill` says, when a delivery opens incidents, whether they belong to a drill; `bindings` what
        playbooks and rules say of signals; `topology` what runs where, asked only where a rule wants it, and
        it does not raise."""
        self.journal = journal
        self.clock = clock
        self.actor = actor
        self.policy = policy or bindings.book.policy
        self.bindings = bindings
        self._drill = drill
        self._topology = topology

    def ingest(self, alerts: Sequence[Alert], *, source: str) -> IngestReport:
        """Take a delivery that may be partial: nothing is concluded from what is absent.

        Durable when it returns. Raises Busy or ActionFailed when the journal cannot be written.
        """
        return self._take(alerts, source, None)

    def reconcile(
        self, alerts: Sequence[Alert], *, source: str, fetched_at: datetime | None = None
    ) -> IngestReport:
        """Take a full answer: a known firing alert that it lacks has resolved.

        `fetched_at` is when the answer was asked for; what was learnt since then is not in it and stays.
        """
        return self._take(alerts, source, fetched_at or self.clock.now())

    def _take(self, alerts: Sequence[Alert], source: str, full_since: datetime | None) -> IngestReport:
        delivery = [(identity(alert), content_of(alert), alert) for alert in alerts]
        few = self._too_few(alerts)
        quiet = self._nothing_new(delivery, source, full_since, few)
        if quiet is not None:
            return quiet
        topology = (
            self._topology() if self.bindings.needs_topology else Topology()
        )  # before the lock is taken
        with self.journal.transaction() as transaction:
            judge = self._judge(transaction, few)
            intake = _Intake(
                self, transaction, source, delivery, judge,
                is_full=full_since is not None, topology=topology,
            )  # fmt: skip
            for fingerprint, content, alert in delivery:
                intake.take(fingerprint, content, alert)
            if full_since is not None:
                for signal in judge.gone(_vanished(transaction, delivery, source, full_since)):
                    intake.resolve(signal, "vanished", self.clock.now())
            intake.confirm()
            intake.close_cleared()
            return intake.report()

    def _too_few(self, alerts: Sequence[Alert]) -> Mapping[str, Waiting]:
        """Keys whose signals are too few to open an incident."""
        able = [one for one in alerts if one.firing and ignored_because(one, self.policy) is None]
        now = self.clock.now()
        few = self.bindings.too_few(able, now)
        for waiting in few.values():
            if not waiting.rule.is_of_playbook:
                note_waiting(self.journal, self.actor, waiting.rule.id, waiting.signals, now)
        return few

    def _judge(self, reads: Reads, few: Mapping[str, Waiting]) -> Judge:
        return Judge(reads, self.bindings, self.policy, few, self.clock.now())

    def _nothing_new(
        self,
        delivery: Sequence[_Taken],
        source: str,
        full_since: datetime | None,
        few: Mapping[str, Waiting],
    ) -> IngestReport | None:
        judge, is_full = self._judge(self.journal, few), full_since is not None
        known = known_signals(self.journal, [fingerprint for fingerprint, _, _ in delivery])
        counts: Counter[str] = Counter()
        for fingerprint, content, alert in delivery:
            answer = judge.answer(alert, content, known.get(fingerprint), is_full=is_full)
            if answer != "duplicate" and not answer.startswith("ignore: "):
                return None
            counts[answer] += 1
        if full_since is not None and judge.gone(_vanished(self.journal, delivery, source, full_since)):
            return None
        return IngestReport(duplicates=counts.pop("duplicate", 0), ignored=_reasons(counts))

    @property
    def is_drill(self) -> bool:
        return self._drill()


def _reasons(counts: Mapping[str, int]) -> dict[str, int]:
    return {
        key.removeprefix("ignore: "): count for key, count in counts.items() if key.startswith("ignore: ")
    }


def _vanished(
    reads: Reads, delivery: Sequence[_Taken], source: str, full_since: datetime
) -> list[KnownSignal]:
    present = {fingerprint for fingerprint, _, _ in delivery}
    return vanished_signals(reads, source.split("-", 1)[0], present, full_since)


class _Intake:
    """One delivery inside one transaction: what is known is read once, for all its alerts together."""

    def __init__(
        self,
        detector: Detector,
        transaction: Transaction,
        source: str,
        delivery: Sequence[_Taken],
        judge: Judge,
        *,
        is_full: bool,
        topology: Topology,
    ) -> None:
        self._detector, self._judge, self._is_full = detector, judge, is_full
        self._transaction = transaction
        self._source = source
        self._now = detector.clock.now()
        self._known = known_signals(transaction, [fingerprint for fingerprint, _, _ in delivery])
        self._touched: set[str] = set()  # fingerprints that this delivery wrote: known anew if they return
        routed = [(name, alert) for name, content, alert in delivery if self._is_routed(name, content, alert)]
        self._routing = Routing(
            transaction, self._append, detector.bindings, policy=detector.policy, source=source,
            now=self._now, drill=lambda: detector.is_drill, signals=routed, topology=topology,
        )  # fmt: skip
        if routed:  # it may have merged the incidents that signals are on
            self._known = known_signals(transaction, [fingerprint for fingerprint, _, _ in delivery])
        self._counts: Counter[str] = Counter()
        self._cleared: list[str] = []
        self._quieter: dict[str, None] = {}  # incidents that lost a firing signal, in order
        self._confirmed: dict[
            str, dict[str, None]
        ] = {}  # fingerprints that another source holds, by incident

    def take(self, fingerprint: str, content: str, alert: Alert) -> None:
        before = self._before(fingerprint)
        answer = self._judge.answer(alert, content, before, is_full=self._is_full)
        if answer == "duplicate" or answer.startswith("ignore: "):
            self._counts[answer] += 1
            return
        if answer == "confirmed" and before is not None:
            self._confirmed.setdefault(before.incident, {})[fingerprint] = None
        elif answer == "resolve" and before is not None:
            self.resolve(before, "told", min(alert.ends_at or self._now, self._now))
        elif answer in ("changed", "refired") and before is not None:
            rule = self._detector.bindings.bound(alert.labels).rule
            self._record(before.incident, answer, fingerprint, content, alert, rule)
            if answer == "refired":
                self._tell_flapping(before, rule)
        else:
            incident, rule = self._routing.incident_of(fingerprint, alert)
            came_back = before is not None and before.incident == incident and not before.firing
            phase = "returned" if came_back else "attached"
            self._record(incident, phase, fingerprint, content, alert, rule)
        self._touched.add(fingerprint)

    def _tell_flapping(self, known: KnownSignal, rule: Rule) -> None:
        """Say that a signal flaps; while it does it is not taken to resolve, so that this is said once."""
        found = Damping(self._transaction, self._detector.bindings, self._now).of(
            known.incident, known.fingerprint
        )
        if found is not None:
            data = {
                "fingerprint": known.fingerprint, "name": known.name, "returns": found.returns,
                "within_seconds": found.within_seconds, "until": found.until, "rule": rule.id,
            }  # fmt: skip
            self._append("incident.flapping", known.incident, data)

    def _is_routed(self, fingerprint: str, content: str, alert: Alert) -> bool:
        known = self._known.get(fingerprint)
        return self._judge.answer(alert, content, known, is_full=self._is_full) == "route"

    def _before(self, fingerprint: str) -> KnownSignal | None:
        if fingerprint in self._touched:
            self._known |= known_signals(self._transaction, [fingerprint])
            self._touched.discard(fingerprint)
        return self._known.get(fingerprint)

    def _record(
        self, incident: str, answer: str, fingerprint: str, content: str, alert: Alert, rule: Rule
    ) -> None:
        phase = "attached" if answer == "returned" else answer
        self._counts[phase] += 1
        data: dict[str, Any] = {
            "phase": phase,
            "signal": self._signal(fingerprint, content, alert),
            "rule": rule.id,
        }
        place = self._routing.place(alert)
        if place is not None:
            data["place"] = {"workload": place.workload, "nodes": sorted(place.nodes), "about": place.about}
        if answer in ("refired", "returned"):
            data["returned"] = True
        self._append("incident.signal", incident, data)

    def _signal(self, fingerprint: str, content: str, alert: Alert) -> dict[str, Any]:
        signal: dict[str, Any] = {
            "fingerprint": fingerprint,
            "content": content,
            "name": capped(alert.name, 200),
            "labels": capped_labels(alert.labels),
            "annotations": capped_labels(alert.annotations),
            "starts_at": start_of(alert, self._now),
            "source": self._source,
            "generator_url": capped(alert.generator_url),
        }
        said = disbelieved_start(alert, self._now)
        return signal if said is None else {**signal, "start_said": said}

    def resolve(self, signal: KnownSignal, reason: str, at: datetime) -> None:
        self._counts["resolved"] += 1
        self._quieter[signal.incident] = None
        self._append(
            "incident.signal",
            signal.incident,
            {
                "phase": "resolved",
                "fingerprint": signal.fingerprint,
                "name": signal.name,
                "reason": reason,
                "at": max(at, signal.starts_at),
            },
        )

    def confirm(self) -> None:
        """Say, once an incident, which signals are read from this source from now on."""
        for incident, fingerprints in self._confirmed.items():
            data = {"source": self._source, "fingerprints": list(fingerprints)}
            self._append("incident.signals_confirmed", incident, data)

    def close_cleared(self) -> None:
        """Say once that the last firing signal of an open incident has resolved."""
        for incident in self._quieter:
            rows = self._transaction.query(
                "SELECT state, signals_cleared_at FROM incidents WHERE id = ?", (incident,)
            )
            if not State(rows[0]["state"]).is_open or rows[0]["signals_cleared_at"] is not None:
                continue
            signals = [one for one in signals_of(self._transaction, incident) if not one.is_report]
            if any(signal.firing for signal in signals):
                continue
            self._append("incident.signals_cleared", incident, {"signals": len(signals)})
            self._cleared.append(incident)

    def _append(self, kind: str, incident: str, data: Mapping[str, Any]) -> None:
        self._transaction.append(
            kind, f"incident/{incident}", self._detector.actor, {"incident": incident, **data}
        )

    def report(self) -> IngestReport:
        counts = self._counts
        return IngestReport(
            opened=tuple(self._routing.opened),
            reopened=tuple(self._routing.reopened),
            cleared=tuple(self._cleared),
            attached=counts["attached"],
            changed=counts["changed"],
            refired=counts["refired"],
            resolved=counts["resolved"],
            duplicates=counts["duplicate"],
            ignored=_reasons(counts),
        )
