"""Warnings of a cluster as signals: which reasons count, from how many on, and when one is over.

Invariant: what fires is read from the events and the journal alone, so that several watchers come to the
same. One signal an object and reason. A reason that the table does not know makes no signal; none is graver
than sev3. What an event says is untrusted, and decides nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.clock import Clock
from maestro_cli.core.facts.alerts import Alert, fingerprint_of
from maestro_cli.core.facts.cluster import ClusterEvent, Pod
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.core.workload_labels import workload_of
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.ports import WarningsPort
from maestro_cli.incidents.register import standing_signals
from maestro_cli.journal.store import Journal

SOURCE = "kubernetes"
_HASH = re.compile(r"-[a-z0-9]{1,10}$")
_OWNERS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset"}


@dataclass(frozen=True, slots=True)
class WarningRule:
    """How grave a reason is (`sev3` or `sev4`), how many times within a window make a signal of it, and for
    how long it must have been quiet to be over."""

    severity: Severity
    threshold: int = 1
    window_seconds: float = 600.0
    quiet_seconds: float = 600.0


_SEV3, _SEV4 = Severity.SEV3, Severity.SEV4
TABLE: Mapping[str, WarningRule] = {
    "BackOff": WarningRule(_SEV3, 3),
    "BackoffLimitExceeded": WarningRule(_SEV3),
    "DeadlineExceeded": WarningRule(_SEV3),
    "Evicted": WarningRule(_SEV3),
    "EvictionThresholdMet": WarningRule(_SEV3),
    "Failed": WarningRule(_SEV4, 3),
    "FailedAttachVolume": WarningRule(_SEV3, 3),
    "FailedCreate": WarningRule(_SEV3, 3),
    "FailedCreatePodSandBox": WarningRule(_SEV3, 3),
    "FailedGetResourceMetric": WarningRule(_SEV4, 5),
    "FailedMount": WarningRule(_SEV3, 3),
    "FailedScheduling": WarningRule(_SEV3, 2),
    "NetworkNotReady": WarningRule(_SEV3, 3),
    "NodeNotReady": WarningRule(_SEV3),
    "OOMKilling": WarningRule(_SEV3),
    "ProvisioningFailed": WarningRule(_SEV3, 3),
    "SystemOOM": WarningRule(_SEV3),
    "Unhealthy": WarningRule(_SEV4, 5, window_seconds=300.0),
}


class WarningSignals:
    """A cluster's warnings as a source of signals."""

    def __init__(
        self,
        cluster: WarningsPort,
        journal: Journal,
        clock: Clock,
        *,
        namespace: str | None,
        table: Mapping[str, WarningRule] = TABLE,
    ) -> None:
        self._cluster, self._journal, self._clock = cluster, journal, clock
        self._namespace, self._table = namespace, table

    def alerts(self) -> tuple[Alert, ...]:
        """What fires now; raises MaestroError when the cluster does not tell."""
        events = [one for one in self._cluster.list_warnings(self._namespace) if one.reason in self._table]
        pods: dict[tuple[str, str], Pod] = {}
        for namespace in sorted({one.namespace for one in events if one.object_kind == "Pod"}):
            pods |= {(pod.namespace, pod.name): pod for pod in self._cluster.list_pods(namespace)}
        standing = standing_signals(self._journal, SOURCE)
        return signals_of_warnings(events, pods, self._table, standing, self._clock.now())


@dataclass(frozen=True, slots=True)
class _Group:
    """The events of one object and reason; there are several when their messages differ."""

    namespace: str
    kind: str
    name: str
    reason: str


def signals_of_warnings(
    events: Iterable[ClusterEvent],
    pods: Mapping[tuple[str, str], Pod],
    table: Mapping[str, WarningRule],
    standing: Mapping[str, datetime],
    now: datetime,
) -> tuple[Alert, ...]:
    """The signals that fire now.

    `pods`, by namespace and name, tell which workload a pod is of; `standing` are the fingerprints that fire
    already, with their starts: such a one needs no threshold any more, it ends when it was quiet.
    """
    groups: dict[_Group, list[ClusterEvent]] = defaultdict(list)
    for event in events:
        if event.type == "Warning" and event.reason in table:
            group = _Group(event.namespace, event.object_kind, event.object_name, str(event.reason))
            groups[group].append(event)
    found = []
    for group in sorted(groups, key=lambda one: (one.namespace, one.kind, one.name, one.reason)):
        signal = _signal(group, groups[group], pods, table[group.reason], standing, now)
        if signal is not None:
            found.append(signal)
    return tuple(found)


def _signal(
    group: _Group,
    events: Sequence[ClusterEvent],
    pods: Mapping[tuple[str, str], Pod],
    rule: WarningRule,
    standing: Mapping[str, datetime],
    now: datetime,
) -> Alert | None:
    labels = labels_of(group.namespace, group.kind, group.name, group.reason, rule, pods)
    fingerprint = fingerprint_of(
        {"source": SOURCE, "namespace": group.namespace, "kind": group.kind, "name": group.name,
         "reason": group.reason}
    )  # fmt: skip
    last = max(event.last_seen_at for event in events)
    if now - last >= timedelta(seconds=rule.quiet_seconds):
        return None
    times = sum(times_within(event, last, rule.window_seconds) for event in events)
    start = standing.get(fingerprint)
    if start is None:
        if times < rule.threshold:
            return None
        first = min(event.first_seen_at for event in events)
        start = max(first, last - timedelta(seconds=rule.window_seconds))
    loudest = max(events, key=lambda event: (event.count, event.message))
    return Alert(
        fingerprint=fingerprint,
        firing=True,
        labels=labels,
        annotations={
            "summary": Untrusted(capped(loudest.message, 1000)),
            "times": Untrusted(
                f"{times:.0f} within {rule.window_seconds:.0f}s, {rule.threshold} make a signal"
            ),
        },
        starts_at=start,
        source=SOURCE,
    )


def times_within(event: ClusterEvent, end: datetime, seconds: float) -> float:
    """How often it happened within so many seconds before `end`.

    An event keeps only its first and last time with a count, so those between are taken as evenly spread.
    """
    begin = end - timedelta(seconds=seconds)
    if event.last_seen_at < begin:
        return 0.0
    if event.first_seen_at >= begin or event.count <= 1:
        return float(event.count)
    span = (event.last_seen_at - event.first_seen_at).total_seconds()
    inside = (event.last_seen_at - begin).total_seconds()
    return 1 + (event.count - 1) * inside / span


def labels_of(
    namespace: str,
    kind: str,
    name: str,
    reason: str,
    rule: WarningRule,
    pods: Mapping[tuple[str, str], Pod],
) -> dict[str, str]:
    """The labels of a signal: those that alerts of the same workload or node have."""
    labels = {
        "alertname": f"Kubernetes{reason}",
        "severity": rule.severity.value,
        "reason": reason,
        "kind": kind,
        "namespace": "" if kind == "Node" else namespace,
    }
    if kind == "Pod":
        labels |= {"pod": name, **_owner(pods.get((namespace, name)), namespace, name)}
    elif kind == "ReplicaSet":
        labels |= {"replicaset": name, "deployment": _HASH.sub("", name)}
    elif kind in _OWNERS:
        labels[_OWNERS[kind]] = name
    else:
        labels[kind.lower() if re.fullmatch("[A-Za-z]{1,40}", kind) else "object"] = name
    return {key: Untrusted(value) for key, value in labels.items() if value}


def _owner(pod: Pod | None, namespace: str, name: str) -> dict[str, str]:
    if pod is not None and pod.owner_kind == "ReplicaSet" and pod.owner:
        return {"deployment": _HASH.sub("", pod.owner)}
    if pod is not None and pod.owner_kind in _OWNERS:
        return {_OWNERS[pod.owner_kind]: pod.owner}
    workload = workload_of({"namespace": namespace, "pod": name}) if pod is None else None
    return {"deployment": workload.name} if workload is not None else {}
