"""Which revisions began to run when.

Invariant: pure. A revision's ReplicaSet keeps the time of its first creation, so one that was scaled up
again (by a rollback) is dated by the cluster's ScalingReplicaSet event instead, while there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from maestro_cli.core.facts.cluster import ClusterEvent, Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.triage.facts import Rollout
from maestro_cli.incidents.triage.template_diff import template_changes

_SCALED_UP = re.compile(r"Scaled up replica set (\S{1,253}) (?:from 0 )?to \d+(?: from 0)?$")


def scaled_up_at(events: Iterable[ClusterEvent]) -> dict[str, datetime]:
    """When each ReplicaSet last rose from nothing, as `ScalingReplicaSet` events tell.

    Both spellings: `Scaled up replica set X to 1` (first rise, or before 1.26 any) and `… from 0`.
    """
    found: dict[str, datetime] = {}
    for event in events:
        match = _SCALED_UP.match(event.message) if event.reason == "ScalingReplicaSet" else None
        if match is None:
            continue
        name, at = match.group(1), event.last_seen_at  # the same words again only move the last time
        if name not in found or at > found[name]:
            found[name] = at
    return found


def rollouts_of(
    workload: Workload, revisions: Sequence[Revision], scaled_up: Mapping[str, datetime]
) -> tuple[Rollout, ...]:
    """Each revision of a workload, newest first.

    Its changes are those against the revision before it, or, when the cluster has none, after it.
    """
    ordered = sorted(revisions, key=lambda revision: revision.number)
    found = []
    for place, revision in enumerate(ordered):
        before = ordered[place - 1] if place else None
        after = ordered[place + 1] if place + 1 < len(ordered) else None
        other = before or after
        active_at = max(revision.created_at, scaled_up.get(revision.name, revision.created_at))
        found.append(
            Rollout(
                ref=workload.ref,
                revision=revision.number,
                replica_set=revision.name,
                active_at=active_at,
                current=after is None,
                previous=other.number if other is not None else None,
                changes=template_changes(other.template, revision.template) if other is not None else (),
                change_cause=revision.change_cause,
                replicas=revision.replicas,
                replicas_ready=revision.replicas_ready,
            )
        )
    return tuple(reversed(found))


def target_of(workloads: Iterable[Workload], wanted: WorkloadRef | None) -> Workload | None:
    """The workload an incident is about, among those that exist."""
    return next((workload for workload in workloads if workload.ref == wanted), None)
