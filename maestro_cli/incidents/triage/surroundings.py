"""What the metrics say of what lies around a workload: certificates, keys, jobs, replicas and spend.

Invariant: no sample is no statement; each answer is bounded, whatever labels it carries. Nothing here needs
a workload but what is asked of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.promql import promql_selector, promql_string
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.ports import Metrics
from maestro_cli.incidents.triage.model import Onset

MOST = 50
_MAX_POINTS = 600
_MAX_LABEL = 253
_REPLICAS = {
    "Deployment": ("kube_deployment_spec_replicas", "deployment"),
    "StatefulSet": ("kube_statefulset_replicas", "statefulset"),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate in a Secret, and the seconds until it ends (negative: since it ended)."""

    namespace: str
    secret: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Refusals:
    """Requests of one key refused with one code, before the onset and since, and by which revisions.

    Each count is over so many seconds: what began before its alert is in both.
    """

    key: str
    code: str
    before: float = 0.0
    since: float = 0.0
    revisions: frozenset[str] = frozenset()
    seconds_before: float = 1.0
    seconds_since: float = 1.0

    @property
    def is_usual(self) -> bool:
        """They came as fast before, within a factor of five."""
        return self.before / self.seconds_before > 0.2 * self.since / self.seconds_since

    def plus(self, count: float, revision: str, seconds: float, *, is_before: bool) -> Refusals:
        """With more of them over those seconds, by a revision ("": nobody knows)."""
        if is_before:
            return replace(self, before=self.before + count, seconds_before=seconds)
        named = self.revisions | ({revision} if revision else set())
        return replace(self, since=self.since + count, revisions=named, seconds_since=seconds)


@dataclass(frozen=True, slots=True)
class FailedJob:
    namespace: str
    name: str
    backup: str = ""  # the backup it belongs to, where somebody says so
    told: str = ""  # the last line of trouble that it wrote


@dataclass(frozen=True, slots=True)
class Scaling:
    """The replicas wanted became others between `earliest` and `at`."""

    at: datetime
    earliest: datetime
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Around:
    """All of it; empty parts were not there or not asked. Money is in the unit of its series, an hour."""

    certificates: tuple[Certificate, ...] = ()
    refusals: tuple[Refusals, ...] = ()
    failed_jobs: tuple[FailedJob, ...] = ()
    scalings: tuple[Scaling, ...] = ()
    spend: float | None = None
    budget: float | None = None
    was_seen: bool = False  # the metrics saw the workload in the cluster within the window
    gone: bool = False  # the cluster was asked for its workloads, and this is none of them
    signals: tuple[Mapping[str, str], ...] = field(default_factory=tuple)  # labels of the firing ones

    def named(self, label: str) -> frozenset[str]:
        """The values that firing signals have for a label."""
        return frozenset(labels[label] for labels in self.signals if labels.get(label))


class Surroundings:
    """Queries around one incident; every method raises what the source raises."""

    def __init__(
        self, metrics: Metrics, signals: Sequence[Signal], namespace: str | None, workload: WorkloadRef | None
    ) -> None:
        self._metrics = metrics
        self._workload = workload
        labels = [signal.labels for signal in signals]
        named = {one.get(name, "") for one in labels for name in ("namespace", "secret_namespace")}
        self._namespaces = sorted({*named, namespace or ""} - {""})[:10]

    def _inside(self, label: str) -> str:
        wanted = "|".join(_literal(name) for name in self._namespaces)
        return f"{label}=~{promql_string(wanted)}"

    def certificates_query(self) -> str:
        selector = promql_selector("x509_cert_not_after", {}, extra=self._inside("secret_namespace"))
        return f"bottomk({MOST}, min by (secret_namespace, secret_name) ({selector}) - time())"

    def read_certificates(self, now: datetime) -> tuple[Certificate, ...]:
        """Those of the namespaces, the one that ends first at the front."""
        if not self._namespaces:
            return ()
        samples = self._metrics.query(self.certificates_query(), at=now).samples
        found = [
            Certificate(_label(one.labels, "secret_namespace"), _label(one.labels, "secret_name"), one.value)
            for one in samples
            if math.isfinite(one.value) and one.labels.get("secret_name")
        ]
        return tuple(sorted(found, key=lambda one: (one.seconds_left, one.namespace, one.secret))[:MOST])

    def jobs_query(self) -> str:
        failed = promql_selector("kube_job_failed", {"condition": "true"}, extra=self._inside("namespace"))
        return f"topk({MOST}, max by (namespace, job_name) ({failed}) == 1)"

    def read_failed_jobs(self, now: datetime) -> tuple[FailedJob, ...]:
        """Jobs that failed and are still there, by name."""
        if not self._namespaces:
            return ()
        samples = self._metrics.query(self.jobs_query(), at=now).samples
        found = {(_label(one.labels, "namespace"), _label(one.labels, "job_name")) for one in samples}
        return tuple(FailedJob(*place) for place in sorted(found) if place[1])[:MOST]

    def refusals_query(self, workload: WorkloadRef, seconds: float) -> str:
        equal = {"namespace": workload.namespace, "deployment": workload.name}
        selector = promql_selector("maestro_access_refused_total", equal, extra='code=~"401|403"')
        return f"sum by (key, code, revision) (increase({selector}[{prometheus_duration(seconds)}]))"

    def read_refusals(self, start: datetime, onset: Onset, now: datetime) -> tuple[Refusals, ...]:
        """Requests refused for who sent them, by key and code."""
        workload = self._workload
        if workload is None:
            return ()
        found: dict[tuple[str, str], Refusals] = {}
        for is_before, since, at in ((True, start, onset.earliest), (False, onset.earliest, now)):
            if seconds_between(since, at) <= 0 and is_before:
                continue
            seconds = max(math.ceil(seconds_between(since, at)), 5)  # two scrapes at least
            query = self.refusals_query(workload, seconds)
            for one in self._metrics.query(query, at=at).samples[: 10 * MOST]:
                if math.isfinite(one.value) and one.value > 0:
                    key = _label(one.labels, "key"), _label(one.labels, "code")
                    known = found.get(key, Refusals(*key))
                    by = _label(one.labels, "revision")
                    found[key] = known.plus(one.value, by, seconds, is_before=is_before)
        return tuple(found[key] for key in sorted(found))[:MOST]

    def read_scalings(self, start: datetime, now: datetime, step: float) -> tuple[tuple[Scaling, ...], bool]:
        """When other numbers of replicas were wanted, oldest first, and whether any number was."""
        workload = self._workload
        if workload is None or workload.kind not in _REPLICAS:
            return (), False
        metric, label = _REPLICAS[workload.kind]
        query = promql_selector(metric, {"namespace": workload.namespace, label: workload.name})
        fine = max(step, math.ceil(seconds_between(start, now) / _MAX_POINTS))
        points: dict[datetime, float] = {}
        for series in self._metrics.query_range(query, start, now, fine):
            points |= {at: value for at, value in series.points if math.isfinite(value)}
        ordered = sorted(points.items())
        found = [
            Scaling(at, earliest, int(old), int(new))
            for (earliest, old), (at, new) in pairwise(ordered)
            if old != new
        ]
        return tuple(found[-MOST:]), bool(points)

    def read_spend(self, now: datetime) -> tuple[float | None, float | None]:
        """What the workload costs an hour, and what it may."""
        if self._workload is None:
            return None, None
        equal = {"namespace": self._workload.namespace, "deployment": self._workload.name}
        names = ("maestro:hourly_spend:usd", "maestro:hourly_budget:usd")
        found = [self._metrics.query(f"max({promql_selector(name, equal)})", at=now).only for name in names]
        spend, budget = (one if one is not None and math.isfinite(one) else None for one in found)
        return spend, budget


def _literal(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "." for c in name[:_MAX_LABEL])


def _label(labels: Mapping[str, str], name: str) -> str:
    return labels.get(name, "")[:_MAX_LABEL]
