"""Which incident the signals of one delivery belong to.

Invariant: used inside one transaction; at most one incident of a key is opened, and what is looked up is
looked up for all signals together, so that their order in it decides nothing. A signal whose own incident is
open goes there, whatever storms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.ids import new_id
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.correlation import (
    IntakePolicy,
    capped,
    disbelieved_start,
    opening_severity,
    start_of,
)
from maestro_cli.incidents.intake.gathering import gather
from maestro_cli.incidents.intake.joining import Append, Joint, join
from maestro_cli.incidents.intake.rules.model import Rule
from maestro_cli.incidents.intake.storms import Beginning, begun, in_storms
from maestro_cli.incidents.intake.topology import Place, Placed, Topology, place_of
from maestro_cli.incidents.intake.touched import GRAVER
from maestro_cli.incidents.model import Incident, Severity, State
from maestro_cli.incidents.register import (
    find_incident,
    latest_incident_of_key,
    open_incident_of_key,
    seen_keys,
    survivor_of,
)
from maestro_cli.journal.store import Transaction

REOPENABLE = (State.RESOLVED, State.POSTMORTEM)


@dataclass(frozen=True, slots=True)
class Group:
    """What a signal is one of: the key of its incident, the rule that says so, and how grave it is.

    `incident` is the open one that it joins by where it is, under whatever key.
    """

    key: str
    rule: Rule
    severity: Severity
    incident: str = ""


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
        topology: Topology,
    ) -> None:
        """`signals` are those of the delivery that look for an incident, each with its identity."""
        self._transaction, self._append = transaction, append
        self._bindings, self._policy = bindings, policy
        self._source, self._now, self._drill = source, now, drill
        keys = {bindings.key(alert.labels) for _, alert in signals}
        self._new_keys = keys - seen_keys(transaction, sorted(keys))
        self._number = next_number(transaction)
        self._topology = topology
        self._joints = self._join(signals)
        self._before: dict[str, set[str]] = defaultdict(set)  # by storm: incidents that opened before it
        self._storms = self._in_storms(signals)  # identities of signals that are in one: its key
        self._by_key: dict[str, str] = {}  # open incident of a key, as far as looked up
        self.opened: list[str] = []
        self.reopened: list[str] = []
        self._gather(signals)

    @cached_property
    def _drilling(self) -> bool:
        return self._drill()

    def incident_of(self, fingerprint: str, alert: Alert) -> tuple[str, Rule]:
        """The open incident of a signal, found, reopened or opened; and the rule that says so."""
        group = self._group(fingerprint, alert)
        name = group.incident or group.key
        if name not in self._by_key:
            first = self._firsts.get(group.key, alert) if not group.rule.is_storm else alert
            is_new = not group.incident and group.key in self._new_keys
            self._by_key[name] = self._open(group, first, None) if is_new else self._find(group, first)
        return self._by_key[name], group.rule

    def _gather(self, signals: Sequence[tuple[str, Alert]]) -> None:
        """What opened before a storm was known to be one belongs to it: now, so that the signals of this
        delivery find each incident where it is."""
        for name, alert in signals:
            group = self._storms.get(name)
            earlier = self._before.pop(group.key, None) if group is not None else None
            if earlier:
                storm, _ = self.incident_of(name, alert)
                gather(self._transaction, self._append, storm, earlier)

    def place(self, alert: Alert) -> Place | None:
        """Where a signal is, None where its rule does not ask."""
        by_topology = self._bindings.bound(alert.labels).rule.is_by_topology
        return place_of(alert.labels, self._topology) if by_topology else None

    def _join(self, signals: Sequence[tuple[str, Alert]]) -> Mapping[str, Joint]:
        """By key, what signals belong to by where they are; with the signal to open it for."""
        new: dict[str, list[Placed]] = defaultdict(list)
        self._firsts: dict[str, Alert] = {}
        self._gravest: dict[str, Severity] = {}
        for _, alert in signals:
            place, bound = self.place(alert), self._bindings.bound(alert.labels)
            if place is None:
                continue
            began = start_of(alert, self._now)
            new[bound.rule.id].append(Placed(bound.key, place, began))
            first = self._firsts.get(bound.key)
            if first is None or (began, alert.name) < (start_of(first, self._now), first.name):
                self._firsts[bound.key] = alert
        if not new:
            return {}
        joints = join(
            self._transaction, self._append, self._bindings, self._topology, new, drill=self._drilling
        )
        for _, alert in signals:
            joint = joints.get(self._bindings.key(alert.labels))
            if joint is not None:
                severity = opening_severity(alert, self._policy)
                self._gravest[joint.first] = min(severity, self._gravest.get(joint.first, severity))
        return joints

    def _group(self, fingerprint: str, alert: Alert) -> Group:
        found = self._storms.get(fingerprint)
        if found is not None:
            return found
        bound = self._bindings.bound(alert.labels)
        joint = self._joints.get(bound.key)
        if joint is not None:
            return Group(joint.first, bound.rule, self._gravest[joint.first], joint.incident)
        return Group(bound.key, bound.rule, opening_severity(alert, self._policy))

    def _in_storms(self, signals: Sequence[tuple[str, Alert]]) -> Mapping[str, Group]:
        """Of signals whose own incident is not open, the storm of each that is in one."""
        rule = self._bindings.book.storm
        if rule is None or not signals:
            return {}
        is_closed = dict.fromkeys(self._new_keys, True)
        found: dict[str, tuple[Beginning, Alert]] = {}
        for name, alert in signals:
            own = self._bindings.key(alert.labels)
            joint = self._joints.get(own)
            key = joint.first if joint is not None else own
            if key not in is_closed:
                is_closed[key] = open_incident_of_key(self._transaction, key) is None
            if is_closed[key] and not (joint is not None and joint.incident):
                began = start_of(alert, self._now)
                found[name] = Beginning(name, key, rule.key(alert.labels), began), alert
        return self._grouped(rule, found)

    def _grouped(self, rule: Rule, found: Mapping[str, tuple[Beginning, Alert]]) -> Mapping[str, Group]:
        if not found:
            return {}
        starts = [one.began for one, _ in found.values()]
        earlier = begun(
            self._transaction, self._bindings, rule, min(starts), max(starts), drill=self._drilling
        )
        others = [one for one in earlier if one.fingerprint not in found]
        every = in_storms([*others, *(one for one, _ in found.values())], rule)
        stormy = every & found.keys()
        gravest: dict[str, Severity] = {}
        for name in stormy:
            one, alert = found[name]
            severity = opening_severity(alert, self._policy)
            gravest[one.storm] = min(severity, gravest.get(one.storm, severity))
        for one in others:
            if one.fingerprint in every and one.storm in gravest:
                self._before[one.storm].add(one.incident)
        return {name: Group(key, rule, gravest[key]) for name in stormy for key in (found[name][0].storm,)}

    def _find(self, group: Group, alert: Alert) -> str:
        open_one = self._open_one(group)
        if open_one is not None:
            is_wide = group.rule.is_storm or group.incident
            if is_wide and group.severity < open_one.severity:
                data = {"severity": group.severity, "was": open_one.severity, "reason": GRAVER}
                self._append("incident.severity_set", open_one.id, data)
            return open_one.id
        last = latest_incident_of_key(self._transaction, group.key)
        if last is None or not self._reopens(last, group.rule):
            return self._open(group, alert, last)
        self._append("incident.reopened", last.id, {"reason": "its alert fires again"})
        self.reopened.append(last.id)
        return last.id

    def _open_one(self, group: Group) -> Incident | None:
        if group.incident:  # a storm of this delivery may have taken it since it was joined
            return survivor_of(self._transaction, find_incident(self._transaction, group.incident))
        return open_incident_of_key(self._transaction, group.key)

    def _reopens(self, incident: Incident, rule: Rule) -> bool:
        resolved_at = incident.times.resolved_at
        window = timedelta(seconds=rule.reopen_window_seconds)
        recent = resolved_at is not None and self._now - resolved_at <= window
        # a drill's alert is no return of a real incident, nor the other way round
        if not (incident.state in REOPENABLE and recent and incident.drill is self._drilling):
            return False
        return open_incident_of_key(self._transaction, incident.key) is None

    def _open(self, group: Group, alert: Alert, last: Incident | None) -> str:
        storm = group.rule if group.rule.is_storm else None
        incident = new_id("inc", self._now)
        workload = workload_of(alert.labels) if storm is None else None
        namespace = alert.labels.get("namespace", "") if storm is None else ""
        self._append(
            "incident.opened",
            incident,
            {
                "number": self._number,
                "key": group.key,
                "rule": group.rule.id,
                "title": self._bindings.title(alert, storm),
                "severity": group.severity,
                "namespace": capped(namespace, 253) or None,
                "workload": str(workload) if workload is not None else None,
                "drill": self._drilling,
                "started_at": min(start_of(alert, self._now), self._now),
                **({} if disbelieved_start(alert, self._now) is None else {"start_known": False}),
                "source": self._source,
                "same_as": last.id if last is not None else None,
            },
        )
        roles = self._bindings.roles(alert.labels)
        if roles and storm is None:
            self._append("incident.roles_set", incident, {"roles": roles})
        self._number += 1
        self.opened.append(incident)
        return incident


def next_number(transaction: Transaction) -> int:
    """The number of the next incident; only inside a write transaction."""
    rows = transaction.query("SELECT coalesce(max(number), 0) + 1 FROM incidents")
    return int(rows[0][0])
