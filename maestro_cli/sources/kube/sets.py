"""Stateful and daemon sets as facts.

Invariant: what a set holds back is counted as such: with OnDelete, or below its partition, replicas keep
their template until they are deleted, and that is no rollout under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.facts import (
    CHANGE_CAUSE,
    selector_text,
    template_containers,
    untrusted,
    without_hash,
)
from maestro_cli.sources.kube.objects import ControllerRevision, DaemonSet, StatefulSet

REVISION_HASH = "controller-revision-hash"  # on pods; of a StatefulSet its value is the revision's whole name
_PATCH = "$patch"  # in the data of a ControllerRevision, which is a strategic merge patch
_ON_DELETE = "OnDelete"


def set_facts(item: StatefulSet | DaemonSet, revision: int = 0) -> Workload:
    """A set; absent `replicas` means 1, and a DaemonSet wants one on each node that its template selects."""
    meta = item.metadata
    counts = _stateful(item) if isinstance(item, StatefulSet) else _daemon(item)
    return Workload(
        uid=meta.uid,
        resource_version=meta.resource_version,
        generation=meta.generation or 0,
        observed_generation=item.status.observed_generation or 0,
        revision=revision,
        paused=False,
        selector=selector_text(item.spec.selector),
        created_at=meta.created_at,
        annotations=untrusted(meta.annotations),
        labels=untrusted(meta.labels),
        template=item.spec.template or {},
        **counts,
    )


def _stateful(item: StatefulSet) -> dict[str, Any]:
    meta, spec, status = item.metadata, item.spec, item.status
    wanted = 1 if spec.replicas is None else spec.replicas
    held, why = 0, ""
    strategy = spec.update_strategy
    rolling = strategy.rolling_update if strategy is not None else None
    if strategy is not None and strategy.type == _ON_DELETE:
        held, why = wanted, _until_deleted(meta.name)
    elif rolling is not None and rolling.partition:
        held = min(rolling.partition, wanted)
        why = (
            f"the partition of {meta.name} is {rolling.partition}: pods of a lower number keep their template"
        )
    return {
        "ref": WorkloadRef("StatefulSet", meta.namespace, meta.name),
        "replicas_wanted": wanted,
        "replicas": status.replicas or 0,
        "replicas_updated": status.updated_replicas or 0,
        "replicas_ready": status.ready_replicas or 0,
        "replicas_available": status.available_replicas or 0,
        "held_back": held,
        "held_why": why,
        "update_revision": status.update_revision or "",
        "ordered": spec.pod_management_policy != "Parallel",
    }


def _daemon(item: DaemonSet) -> dict[str, Any]:
    meta, status, strategy = item.metadata, item.status, item.spec.update_strategy
    on_delete = strategy is not None and strategy.type == _ON_DELETE
    wanted = status.desired_number_scheduled or 0
    return {
        "ref": WorkloadRef("DaemonSet", meta.namespace, meta.name),
        "replicas_wanted": wanted,
        "replicas": status.current_number_scheduled or 0,
        "replicas_updated": status.updated_number_scheduled or 0,
        "replicas_ready": status.number_ready or 0,
        "replicas_available": status.number_available or 0,
        "held_back": wanted if on_delete else 0,
        "held_why": _until_deleted(meta.name) if on_delete else "",
    }


def _until_deleted(name: str) -> str:
    return f"the update strategy of {name} is OnDelete: nothing rolls out until its pods are deleted"


def revision_facts(
    kind: str, item: ControllerRevision, there: Mapping[str, int], ready: Mapping[str, int]
) -> Revision:
    """One template that a set had, with how many of its pods are there and ready, by their label."""
    meta = item.metadata
    spec = (item.data or {}).get("spec")
    kept = spec.get("template") if isinstance(spec, Mapping) else None
    template = {key: value for key, value in (kept or {}).items() if key != _PATCH}
    label = meta.name if kind == "StatefulSet" else (meta.labels or {}).get(REVISION_HASH, "")
    return Revision(
        number=item.revision,
        name=meta.name,
        created_at=meta.created_at,
        replicas=there.get(label, 0),
        replicas_ready=ready.get(label, 0),
        images=tuple(Untrusted(one.get("image") or "") for one in template_containers(template)),
        change_cause=Untrusted((meta.annotations or {}).get(CHANGE_CAUSE, "")),
        template=without_hash(template),
        template_hash=label,
        annotations=untrusted(meta.annotations),
    )
