"""What was collected, written down as evidence.

Invariant: every collector that was asked leaves evidence, the failed ones with their error; what was never
asked is said too. Facts hold the figures that summaries round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.facts.cluster import ClusterEvent, Pod
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.triage.facts import CaseFacts, LogGroup, Tally, tally_by
from maestro_cli.incidents.triage.measure import Asked, Readings, Telemetry
from maestro_cli.incidents.triage.memory import memory_evidence
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.quality import quality_evidence

MAX_LOG_GROUPS = 30
MAX_EVENTS = 50


class Outcome(Protocol):
    """What a collector left."""

    @property
    def value(self) -> Any: ...

    @property
    def error(self) -> str: ...

    @property
    def seconds(self) -> float: ...


def failed(kind: str, title: str, query: str, at: datetime, source: str, error: str) -> Evidence:
    """Evidence that could not be collected."""
    return Evidence(kind, title, query, at, source, f"not collected: {error}", ok=False, error=error)


class Writer:
    """Writes the evidence of one investigation."""

    def __init__(self, now: datetime, start: datetime, case: CaseFacts) -> None:
        self._now = now
        self._start = start
        self._case = case

    def write(
        self,
        signals: Sequence[Signal],
        first: Mapping[str, Outcome],
        second: Mapping[str, Outcome],
        logs: Mapping[str, Outcome],
        readings: Readings | None,
        telemetry: Telemetry | None,
        no_metrics: str,
    ) -> tuple[Evidence, ...]:
        """All evidence, in the order a person reads it."""
        metrics = (
            [self._nothing("errors", "Error ratio", "prometheus", no_metrics)]
            if telemetry is None
            else [
                self._series(first["series"], readings),
                self._split(second["split"], telemetry),
                self._latency(second, telemetry),
                *self._quality(second, telemetry),
                self._load(readings),
                memory_evidence(self._case, second["memory"], telemetry, self._now),
                self._budget(second["split"], second["objective"], telemetry),
            ]
        )
        return (
            self._alerts(signals),
            self._rollouts(first, second),
            self._pods(second),
            self._nodes(first),
            self._events(first),
            self._logs(logs),
            *metrics,
        )

    def _nothing(self, kind: str, title: str, source: str, error: str, query: str = "") -> Evidence:
        return failed(kind, title, query, self._now, source, error)

    def _made(
        self, kind: str, title: str, query: str, source: str, summary: str, facts: Any, seconds: float = 0.0
    ) -> Evidence:
        return Evidence(kind, title, query, self._now, source, summary, facts, seconds=seconds)

    def _alerts(self, signals: Sequence[Signal]) -> Evidence:
        firing = [signal for signal in signals if signal.firing and signal.source != "user"]
        facts = {
            "signals": [
                {
                    "name": signal.name,
                    "firing": signal.firing,
                    "starts_at": signal.starts_at,
                    "labels": dict(signal.labels),
                    "summary": signal.annotations.get("summary", ""),
                    "flaps": signal.flaps,
                }
                for signal in signals[:50]
            ]
        }
        names = sorted({signal.name for signal in firing})
        summary = f"{len(firing)} of {len(signals)} signals fire: {', '.join(names[:5])}"
        return self._made("alerts", "Alerts", "signals of the incident", "journal", summary, facts)

    def _cluster_outcome(
        self, outcomes: Mapping[str, Outcome], name: str, kind: str, title: str
    ) -> Outcome | Evidence:
        """What a cluster collector left, or the evidence that it failed."""
        outcome = outcomes.get(name)
        if outcome is None:
            return self._nothing(kind, title, "cluster", "no cluster, namespace or workload to ask about")
        if outcome.error:
            return self._nothing(kind, title, "cluster", outcome.error, name)
        return outcome

    def _rollouts(self, first: Mapping[str, Outcome], second: Mapping[str, Outcome]) -> Evidence:
        outcome = self._cluster_outcome(first, "workloads", "rollouts", "Rollouts")
        if isinstance(outcome, Evidence):
            return outcome
        recent = [item for item in self._case.rollouts if item.active_at >= self._start and item.previous]
        recent.sort(key=lambda item: item.active_at, reverse=True)
        unread = [name for name, item in second.items() if name.startswith("revisions ") and item.error]
        facts = {
            "recent": [
                {
                    "subject": item.subject,
                    "active_at": item.active_at,
                    "current": item.current,
                    "previous": item.previous,
                    "changes": list(item.changes),
                    "change_cause": item.change_cause,
                    "own": item.ref == self._case.workload,
                }
                for item in recent
            ],
            "workloads": len(outcome.value),
            "unread": unread,
        }
        own = [item for item in recent if item.ref == self._case.workload]
        if own:
            summary = f"{own[0].subject} began at {to_rfc3339(own[0].active_at)}"
        else:
            summary = f"no release of this workload since {to_rfc3339(self._start)}"
        others = len(recent) - len(own)
        summary += f"; {others} of other workloads" if others else ""
        summary += f"; {len(unread)} workloads could not be read" if unread else ""
        query = f"list workloads and revisions, since {to_rfc3339(self._start)}"
        return self._made("rollouts", "Rollouts", query, "cluster", summary, facts, outcome.seconds)

    def _pods(self, second: Mapping[str, Outcome]) -> Evidence:
        outcome = self._cluster_outcome(second, "pods", "pods", "Pods")
        if isinstance(outcome, Evidence):
            return outcome
        pods: Sequence[Pod] = outcome.value
        ready = sum(pod.ready for pod in pods)
        restarts = sum(pod.restarts for pod in pods)
        facts = {
            "pods": [self._pod(pod) for pod in pods],
            "total": len(pods),
            "ready": ready,
            "restarts": restarts,
        }
        summary = f"{ready} of {len(pods)} pods ready, {restarts} restarts"
        return self._made(
            "pods", "Pods", "list pods of the workload", "cluster", summary, facts, outcome.seconds
        )

    def _pod(self, pod: Pod) -> dict[str, Any]:
        return {
            "name": pod.name,
            "revision": self._case.revision_of(pod.name),
            "node": pod.node,
            "phase": pod.phase,
            "ready": pod.ready,
            "restarts": pod.restarts,
            "created_at": pod.created_at,
            "reasons": [
                item.reason or item.last_reason for item in pod.containers if item.reason or item.restarts
            ],
        }

    def _nodes(self, first: Mapping[str, Outcome]) -> Evidence:
        outcome = self._cluster_outcome(first, "nodes", "nodes", "Nodes")
        if isinstance(outcome, Evidence):
            return outcome
        ready = sum(node.ready for node in outcome.value)
        facts = {
            "nodes": [
                {
                    "name": node.name,
                    "ready": node.ready,
                    "schedulable": node.schedulable,
                    "reason": node.reason,
                }
                for node in outcome.value
            ]
        }
        summary = f"{ready} of {len(outcome.value)} nodes ready"
        return self._made("nodes", "Nodes", "list nodes", "cluster", summary, facts, outcome.seconds)

    def _events(self, first: Mapping[str, Outcome]) -> Evidence:
        outcome = self._cluster_outcome(first, "events", "events", "Cluster events")
        if isinstance(outcome, Evidence):
            return outcome
        kept: list[ClusterEvent] = [
            item for item in outcome.value if item.type == "Warning" or item.reason == "ScalingReplicaSet"
        ]
        kept.sort(key=lambda item: item.last_seen_at, reverse=True)
        warnings = sum(item.type == "Warning" for item in kept)
        facts = {
            "events": [
                {
                    "type": item.type,
                    "reason": item.reason,
                    "object": f"{item.object_kind}/{item.object_name}",
                    "message": item.message,
                    "count": item.count,
                    "last_seen_at": item.last_seen_at,
                }
                for item in kept[:MAX_EVENTS]
            ]
        }
        summary = f"{warnings} warnings, {len(kept) - warnings} scalings of replica sets"
        query = f"list events since {to_rfc3339(self._start)}"
        return self._made("events", "Cluster events", query, "cluster", summary, facts, outcome.seconds)

    def _logs(self, logs: Mapping[str, Outcome]) -> Evidence:
        unread = {name: item.error for name, item in logs.items() if item.error}
        if not logs or len(unread) == len(logs):
            error = next(iter(unread.values()), "there is no pod to read")
            return self._nothing("logs", "Log lines by shape", "cluster", error)
        groups = self._case.logs
        new = [group for group in groups if group.is_bad and group.is_new]
        facts = {
            "groups": [
                {
                    "fingerprint": group.fingerprint,
                    "shape": group.shape,
                    "sample": group.sample,
                    "bad": group.is_bad,
                    "new": group.is_new,
                    "before": group.before,
                    "since": group.since,
                    "pods": {pod: since for pod, (_, since) in group.counts.items() if since},
                    "revisions": self._by_revision(group),
                }
                for group in groups[:MAX_LOG_GROUPS]
            ],
            "unread": unread,
        }
        bad = sum(group.is_bad for group in groups)
        summary = f"{len(groups)} shapes of lines, {bad} of trouble, {len(new)} of those new since the onset"
        summary += f"; {len(unread)} logs could not be read" if unread else ""
        seconds = max(item.seconds for item in logs.values())
        query = f"logs of {', '.join(sorted(logs))}"
        return self._made("logs", "Log lines by shape", query, "cluster", summary, facts, seconds)

    def _by_revision(self, group: LogGroup) -> dict[str, int]:
        counts: dict[str, int] = {}
        for pod, (_, since) in group.counts.items():
            revision = self._case.revision_of(pod) or "unknown"
            counts[revision] = counts.get(revision, 0) + since
        return counts

    def _series(self, outcome: Outcome, readings: Readings | None) -> Evidence:
        if readings is None:
            return self._nothing("errors", "Error ratio", "prometheus", outcome.error)
        onset = self._case.onset
        values = [value for at, value in readings.errors if at >= onset.at and value == value]
        peak = max(values, default=None)
        facts = {
            "onset": onset.at,
            "basis": onset.basis,
            "peak": peak,
            "last": values[-1] if values else None,
            "points": len(readings.errors),
            "step_seconds": readings.step_seconds,
            "series": [[at, value] for at, value in _thinned(readings.errors, 60)],
        }
        if not readings.errors:
            summary = "no request was counted"
        elif onset.basis == "alert":
            summary = "neither errors nor latency show a beginning; the alert's start is taken"
        else:
            worst = f", worst {100 * peak:.1f} % errors" if peak is not None else ""
            summary = f"{onset.basis} left their baseline at {to_rfc3339(onset.at)}{worst}"
        query = readings.queries["errors"]
        return self._made("errors", "Error ratio", query, "prometheus", summary, facts, outcome.seconds)

    @staticmethod
    def _asked(queries: Asked) -> str:
        return "\n".join(f"{query} at {to_rfc3339(at)}" for query, at in queries)

    def _split(self, outcome: Outcome, telemetry: Telemetry) -> Evidence:
        title = "Errors by model version, revision, pod and node"
        query = self._asked(telemetry.split_queries(self._start, self._case.onset, self._now))
        if outcome.error:
            return self._nothing("split", title, "prometheus", outcome.error, query)
        facts: dict[str, Any] = {}
        for dimension in ("version", "revision", "pod", "node"):
            tallies = tally_by(self._case.split, dimension)
            facts[dimension] = {name: _tally(item) for name, item in sorted(tallies.items())}
        parts = [
            f"{dimension} {name} {100 * item.ratio_since:.1f} %"
            for dimension in ("version", "revision")
            for name, item in sorted(tally_by(self._case.split, dimension).items())
            if item.ratio_since is not None
        ]
        summary = f"errors since the onset: {', '.join(parts)}" if parts else "no request was counted"
        return self._made("split", title, query, "prometheus", summary, facts, outcome.seconds)

    def _latency(self, second: Mapping[str, Outcome], telemetry: Telemetry) -> Evidence:
        title = "95th percentile by model version, revision, pod and node"
        query = "\n".join(
            self._asked(telemetry.latency_queries(dimension, self._start, self._case.onset, self._now))
            for dimension in sorted(telemetry.family.dimensions)
        )
        asked = {name: item for name, item in second.items() if name.startswith("latency ")}
        errors = [item.error for item in asked.values() if item.error]
        if not asked or len(errors) == len(asked):
            missing = errors[0] if errors else "the metrics have no dimension to split by"
            return self._nothing("latency", title, "prometheus", missing, query)
        facts = {item.dimension: {"before": item.before, "since": item.since} for item in self._case.latency}
        parts = [
            f"{item.dimension} {name} {1000 * seconds:.0f} ms"
            for item in self._case.latency
            if item.dimension in ("version", "revision")
            for name, seconds in sorted(item.since.items())
        ]
        summary = f"p95 since the onset: {', '.join(parts)}" if parts else "no latency was measured"
        seconds_spent = max(item.seconds for item in asked.values())
        return self._made("latency", title, query, "prometheus", summary, facts, seconds_spent)

    def _quality(self, second: Mapping[str, Outcome], telemetry: Telemetry) -> tuple[Evidence, ...]:
        """Nothing where nobody judges answers."""
        outcome = second["quality"]
        if not outcome.error and not self._case.judged:
            return ()
        query = self._asked(telemetry.judged_queries(self._start, self._case.onset, self._now))
        if outcome.error:
            title = "Right answers by model version"
            return (self._nothing("quality", title, "prometheus", outcome.error, query),)
        return (quality_evidence(self._case, query, self._now, outcome.seconds),)

    def _load(self, readings: Readings | None) -> Evidence:
        if readings is None:
            return self._nothing("load", "Load", "prometheus", "the request rate could not be read")
        factor = self._case.load_factor
        summary = (
            "no usual rate to compare with"
            if factor is None
            else f"requests came at {factor:.1f} times the usual rate since the onset"
        )
        facts = {"factor": factor}
        return self._made("load", "Load", readings.queries["requests"], "prometheus", summary, facts)

    def _budget(self, outcome: Outcome, own: Outcome, telemetry: Telemetry) -> Evidence:
        if outcome.error:
            return self._nothing("budget", "Error budget", "prometheus", outcome.error)
        every = sum((row.tally for row in self._case.split), Tally())
        seconds = max((self._now - self._case.onset.at).total_seconds(), 0.0)
        facts: dict[str, Any] = {
            "requests": every.requests_since if self._case.split else None,
            "errors": every.errors_since if self._case.split else None,
            "error_ratio": every.ratio_since,
            "seconds": seconds,
            **telemetry.budget(every.ratio_since, own.value, seconds),
        }
        if every.ratio_since is None:
            summary = "no request was counted, so nothing is known of the budget"
        elif facts["burn"] is None:
            summary = f"{100 * every.ratio_since:.2f} % errors since the onset; {facts['why_unknown']}"
        else:
            spent = 100 * facts["budget_spent"]
            rate = f"burns at {facts['burn']:.1f} times the allowed rate"
            summary = f"{rate}, {spent:.2f} % of the budget of {facts['objective']} so far"
        query = self._asked(telemetry.split_queries(self._start, self._case.onset, self._now)[-1:])
        return self._made("budget", "Error budget", query, "prometheus", summary, facts)


def _tally(tally: Tally) -> dict[str, float | None]:
    return {
        "requests_before": round(tally.requests_before, 1),
        "errors_before": round(tally.errors_before, 1),
        "requests_since": round(tally.requests_since, 1),
        "errors_since": round(tally.errors_since, 1),
        "error_ratio_since": tally.ratio_since,
    }


def _thinned(points: Sequence[tuple[datetime, float]], most: int) -> list[tuple[datetime, float]]:
    return list(points[:: max(-(-len(points) // most), 1)])
