"""Pods, nodes and workloads as views.

Invariant: danger is a word in `status` and `health`; colour only underlines it. Ages are of the moment the
view was made; instants in JSON and CSV are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from maestro_cli.core.clock import seconds_between, to_rfc3339, youth
from maestro_cli.core.quantities import DURATION_CHARACTERS, format_duration
from maestro_cli.output.tones import HEALTH_TONES
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.core.facts.cluster import Container
    from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine

T = TypeVar("T")


def pods_view(pods: Sequence[PodLine], now: datetime, *, everywhere: bool) -> Listing[PodLine]:
    """The namespace is a column of its own where there are several."""
    columns: tuple[Column[PodLine], ...] = (
        Column("namespace", lambda pod: pod.namespace, wide=not everywhere),
        Column("name", lambda pod: pod.name, priority=0),
        Column(
            "ready",
            lambda pod: f"{pod.containers_ready}/{pod.containers_total}",
            right=True,
            tone=_tone,
            priority=1,
        ),
        Column("status", lambda pod: pod.status, tone=_tone, priority=1),
        Column(
            "restarts",
            lambda pod: _restarts(pod, now),
            right=True,
            priority=1,
            ages=f"{DURATION_CHARACTERS} (ago)",
            order=lambda pod: pod.restarts,
        ),
        _since("age", lambda pod: pod.created_at, now),
        Column("node", lambda pod: pod.node),
        Column("zone", lambda pod: pod.zone, priority=3),
        Column("ip", lambda pod: pod.ip, priority=3),
        Column("owner", lambda pod: pod.owner, wide=True),
        Column("images", lambda pod: ", ".join(container.image for container in pod.containers), wide=True),
        Column("models", lambda pod: ", ".join(pod.models), wide=True),
        Column("health", lambda pod: pod.health, wide=True, tone=_tone),
        Column("last exit", lambda pod: pod.last_exit, wide=True),
        Column("created", lambda pod: pod.created_at, wide=True),
        Column("message", lambda pod: pod.message, wide=True),
    )
    return Listing("pod-list/v1", columns, pods, document=pod_document, empty="no pods found", is_json=True)


def _restarts(pod: PodLine, now: datetime) -> str:
    if pod.restarted_at is None:
        return str(pod.restarts)
    return f"{pod.restarts} ({_age(pod.restarted_at, now)} ago)"


def pod_document(pod: PodLine) -> dict[str, Any]:
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "status": pod.status,
        "health": pod.health,
        "phase": pod.phase,
        "containers_ready": pod.containers_ready,
        "containers_total": pod.containers_total,
        "restarts": pod.restarts,
        "restarted_at": _instant(pod.restarted_at),
        "last_exit": pod.last_exit,
        "created_at": _instant(pod.created_at),
        "node": pod.node,
        "zone": pod.zone,
        "ip": pod.ip,
        "owner": pod.owner,
        "models": pod.models,
        "message": pod.message,
        "labels": pod.labels,
        "containers": [container_document(container) for container in pod.containers],
    }


def container_document(container: Container) -> dict[str, Any]:
    """A container, started or not, without init containers."""
    return {
        "name": container.name,
        "image": container.image,
        "ready": container.ready,
        "restarts": container.restarts,
        "state": container.state,
        "reason": container.reason,
        "message": container.message,
        "exit_code": container.exit_code,
        "last_reason": container.last_reason,
        "last_exit_code": container.last_exit_code,
    }


def nodes_view(nodes: Sequence[NodeLine], now: datetime) -> Listing[NodeLine]:
    columns: tuple[Column[NodeLine], ...] = (
        Column("name", lambda node: node.name),
        Column("status", lambda node: node.status, tone=_tone, priority=1),
        _since("since", lambda node: node.changed_at, now, priority=3),
        Column("zone", lambda node: node.zone),
        Column("roles", lambda node: ", ".join(node.roles), priority=3),
        _since("age", lambda node: node.created_at, now),
        Column("version", lambda node: node.version, priority=3),
        Column("taints", lambda node: ", ".join(node.taints)),
        Column("ip", lambda node: node.ip, wide=True),
        Column("cpu", lambda node: node.cpu, wide=True, right=True),
        Column("memory", lambda node: node.memory, wide=True, right=True),
        Column("pods", lambda node: node.pods, wide=True, right=True),
        Column("system", lambda node: node.system, wide=True),
        Column("runtime", lambda node: node.runtime, wide=True),
        Column("health", lambda node: node.health, wide=True, tone=_tone),
        Column("created", lambda node: node.created_at, wide=True),
        Column("message", lambda node: node.message, wide=True),
    )
    return Listing(
        "node-list/v1", columns, nodes, document=node_document, empty="no nodes found", is_json=True
    )


def node_document(node: NodeLine) -> dict[str, Any]:
    """What it can allocate is `cpu`, `memory` and `pods`, as Kubernetes quantities."""
    return {
        "name": node.name,
        "uid": node.uid,
        "status": node.status,
        "health": node.health,
        "changed_at": _instant(node.changed_at),
        "roles": node.roles,
        "zone": node.zone,
        "version": node.version,
        "created_at": _instant(node.created_at),
        "taints": node.taints,
        "ip": node.ip,
        "allocatable": {"cpu": node.cpu, "memory": node.memory, "pods": node.pods},
        "system": node.system,
        "runtime": node.runtime,
        "message": node.message,
    }


def workloads_view(workloads: Sequence[WorkloadLine], now: datetime) -> Listing[WorkloadLine]:
    columns: tuple[Column[WorkloadLine], ...] = (
        Column("workload", lambda line: line.ref),
        Column("ready", lambda line: f"{line.ready}/{line.desired}", right=True, tone=_tone, priority=1),
        Column("status", lambda line: line.status, tone=_tone, priority=1),
        Column("revision", lambda line: line.revision, right=True),
        Column("updated", lambda line: line.updated, right=True, priority=3),
        _since("age", lambda line: line.created_at, now),
        Column("images", lambda line: ", ".join(line.images), priority=3),
        Column("managed by", lambda line: line.managed_by, wide=True),
        Column("cause", lambda line: line.cause, wide=True),
        Column("selector", lambda line: line.selector, wide=True),
        Column("available", lambda line: line.available, right=True, wide=True),
        Column("health", lambda line: line.health, wide=True, tone=_tone),
        Column("created", lambda line: line.created_at, wide=True),
        Column("message", lambda line: line.message, wide=True),
    )
    return Listing(
        "workload-list/v1",
        columns,
        workloads,
        document=workload_document,
        empty="no workloads found",
        is_json=True,
    )


def workload_document(line: WorkloadLine) -> dict[str, Any]:
    return {
        "ref": str(line.ref),
        "kind": line.ref.kind,
        "namespace": line.ref.namespace,
        "name": line.ref.name,
        "uid": line.uid,
        "status": line.status,
        "health": line.health,
        "revision": line.revision,
        "desired": line.desired,
        "ready": line.ready,
        "updated": line.updated,
        "available": line.available,
        "created_at": _instant(line.created_at),
        "images": line.images,
        "managed_by": line.managed_by,
        "change_cause": line.cause,
        "selector": line.selector,
        "message": line.message,
    }


def _tone(line: Any) -> str:
    return HEALTH_TONES[line.health]


def _since(
    title: str, instant: Callable[[T], datetime | None], now: datetime, *, priority: int | None = None
) -> Column[T]:
    """How long ago, the youngest first."""
    return Column(
        title,
        lambda line: _age(instant(line), now),
        right=True,
        priority=priority,
        ages=DURATION_CHARACTERS,
        order=lambda line: youth(instant(line)),
    )


def _age(since: datetime | None, now: datetime) -> str | None:
    return None if since is None else format_duration(max(seconds_between(since, now), 0.0))


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else to_rfc3339(instant)
