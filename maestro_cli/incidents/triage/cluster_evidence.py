"""Evidence from the cluster: rollouts, pods, nodes, events and logs.

Invariant: what was never asked is said too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.facts.cluster import ClusterEvent, Pod
from maestro_cli.core.quantities import counted
from maestro_cli.incidents.triage.facts import LogGroup
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome, Page

MAX_LOG_GROUPS = 30
MAX_EVENTS = 50


class ClusterEvidence(Page):
    """What the cluster told."""

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
        summary += f"; {counted(len(unread), 'workload')} could not be read" if unread else ""
        query = f"list workloads and revisions, since {to_rfc3339(self._start)}"
        return self._made("rollouts", "Rollouts", query, "cluster", summary, facts, outcome.seconds)

    def _pods(self, first: Mapping[str, Outcome], second: Mapping[str, Outcome]) -> Evidence:
        if "pods" not in second and (unread := _unread_workloads(first)):
            return self._nothing("pods", "Pods", "cluster", unread)
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
        summary = f"{ready} of {len(pods)} pods ready, {counted(restarts, 'restart')}"
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

    def _logs(self, logs: Mapping[str, Outcome], first: Mapping[str, Outcome]) -> Evidence:
        unread = {name: item.error for name, item in logs.items() if item.error}
        if not logs or len(unread) == len(logs):
            no_pod = "there is no pod to read" if "nodes" in first else self._unasked.cluster
            no_pod = _unread_workloads(first) or no_pod
            error = next(iter(unread.values()), no_pod)
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
        shapes = counted(len(groups), "shape")
        summary = f"{shapes} of lines, {bad} of trouble, {len(new)} of those new since the onset"
        summary += f"; {counted(len(unread), 'log')} could not be read" if unread else ""
        seconds = max(item.seconds for item in logs.values())
        query = f"logs of {', '.join(sorted(logs))}"
        return self._made("logs", "Log lines by shape", query, "cluster", summary, facts, seconds)

    def _by_revision(self, group: LogGroup) -> dict[str, int]:
        counts: dict[str, int] = {}
        for pod, (_, since) in group.counts.items():
            revision = self._case.revision_of(pod) or "unknown"
            counts[revision] = counts.get(revision, 0) + since
        return counts


def _unread_workloads(first: Mapping[str, Outcome]) -> str:
    """Why the workloads could not be read, so that nobody knows whose pods to ask for; "" where they were."""
    return first["workloads"].error if "workloads" in first else ""
