"""Deployments, stateful sets and daemon sets as lines.

Invariant: a rollout is complete by kubectl's own checks (`rollout status`); absent `replicas` means 1.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.facts.inventory import WorkloadLine
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.facts import CHANGE_CAUSE, selector_text, template_containers
from maestro_cli.sources.kube.objects import DaemonSet, Deployment, Meta, StatefulSet
from maestro_cli.sources.kube.sets import set_facts

_MANAGED_BY = "app.kubernetes.io/managed-by"
_DAEMON_GENERATION = "deprecated.daemonset.template.generation"
_HEALTH = {"complete": "good", "scaled to zero": "done", "failed": "bad", "degraded": "bad"}


def deployment_line(item: Deployment) -> WorkloadLine:
    """Failed: its progress deadline passed."""
    meta, status = item.metadata, item.status
    progressing = next((one for one in status.conditions or () if one.type == "Progressing"), None)
    failed = progressing is not None and progressing.reason == "ProgressDeadlineExceeded"
    return _line(
        "Deployment",
        item,
        revision=str(meta.revision or ""),
        desired=1 if item.spec.replicas is None else item.spec.replicas,
        ready=status.ready_replicas or 0,
        updated=status.updated_replicas or 0,
        available=status.available_replicas or 0,
        surplus=(status.replicas or 0) - (status.updated_replicas or 0),
        trouble="failed" if failed else "paused" if item.spec.paused else "",
        message=(progressing.message or "") if failed and progressing is not None else "",
    )


def stateful_set_line(item: StatefulSet) -> WorkloadLine:
    """Its revision is the hash of the newest template."""
    meta, status, facts = item.metadata, item.status, set_facts(item)
    return _line(
        "StatefulSet",
        item,
        revision=(status.update_revision or "").removeprefix(f"{meta.name}-"),
        desired=facts.replicas_wanted,
        ready=facts.replicas_ready,
        updated=facts.replicas_updated,
        available=facts.replicas_available,
        held=facts,
    )


def daemon_set_line(item: DaemonSet) -> WorkloadLine:
    """Its revision is the generation of its template."""
    facts = set_facts(item)
    return _line(
        "DaemonSet",
        item,
        revision=(item.metadata.annotations or {}).get(_DAEMON_GENERATION, ""),
        desired=facts.replicas_wanted,
        ready=facts.replicas_ready,
        updated=facts.replicas_updated,
        available=facts.replicas_available,
        held=facts,
    )


def _line(
    kind: str, item: Deployment | StatefulSet | DaemonSet, *, revision: str, desired: int, ready: int,
    updated: int, available: int, surplus: int = 0, trouble: str = "", message: str = "",
    held: Workload | None = None,
) -> WorkloadLine:  # fmt: skip
    """`held`: a set, some of whose replicas may keep an older template."""
    if held is not None and updated < desired and held.held_back:
        message = held.held_why
    meta, template = item.metadata, item.spec.template or {}
    seen = (item.status.observed_generation or 0) >= (meta.generation or 0)
    is_rolled = seen and updated >= desired - (held.held_back if held else 0) and surplus <= 0
    status = trouble or _status(is_rolled=is_rolled, desired=desired, ready=ready, available=available)
    return WorkloadLine(
        ref=WorkloadRef(kind, meta.namespace, meta.name),
        status=status,
        health="bad" if desired and not ready else _HEALTH.get(status, "warn"),
        revision=Untrusted(revision),
        desired=desired,
        ready=ready,
        updated=updated,
        available=available,
        created_at=meta.created_at,
        images=tuple(_image(one) for one in template_containers(template)),
        managed_by=_manager(meta),
        cause=Untrusted((meta.annotations or {}).get(CHANGE_CAUSE, "")),
        selector=Untrusted(selector_text(item.spec.selector)),
        message=Untrusted(message),
        uid=meta.uid,
    )


def _status(*, is_rolled: bool, desired: int, ready: int, available: int) -> str:
    if not is_rolled:
        return "rolling out"
    if not desired:
        return "scaled to zero"
    return "complete" if ready >= desired and available >= desired else "degraded"


def _image(container: dict[str, Any]) -> str:
    image = container.get("image")
    return Untrusted(image if isinstance(image, str) else "")


def _manager(meta: Meta) -> str:
    """The controller that owns it, else who its labels say manages it, such as Helm."""
    owner = meta.controller
    if owner is not None:
        return Untrusted(f"{owner.kind}/{owner.name}")
    return Untrusted((meta.labels or {}).get(_MANAGED_BY, ""))
