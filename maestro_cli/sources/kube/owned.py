"""What belongs to an object: revisions and pods of a workload, the pods of a node.

Invariant: by uid, from lists of the object's own namespace (of all for a node); names are not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from maestro_cli.core.facts.inspection import OwnedObject
from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube import objects
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.facts import selector_text, template_containers
from maestro_cli.sources.kube.inventory import Inventory, pod_line, selection
from maestro_cli.sources.kube.paths import scoped

_Pod = tuple[str, PodLine]  # the uid of its controller, and the pod


class _Selecting(msgspec.Struct):
    selector: objects.Selector | None = None


class _Owner(msgspec.Struct):
    spec: _Selecting | None = None


def owned_by(
    api: ApiServer, inventory: Inventory, ref: ObjectRef, meta: objects.Meta, body: msgspec.Raw,
    zone_of: Callable[[str], str],
) -> tuple[OwnedObject, ...]:  # fmt: skip
    """What belongs to this object: revisions newest first, pods by name."""
    if ref.kind == "Node":
        return _pods(inventory.pods(None, zone_of, fields=f"spec.nodeName={ref.name}"))
    if ref.kind not in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"):
        return ()
    spec = api.decoded(body, _Owner).spec
    chosen = selection(selector_text(spec.selector if spec is not None else None), "")
    if not chosen:
        return ()

    def owned_pod(pod: objects.PodObject) -> _Pod:
        owner = pod.metadata.controller
        return owner.uid if owner is not None else "", pod_line(pod, zone_of)

    pods = api.gather(scoped("/api/v1", ref.namespace, "pods"), objects.PodObject, owned_pod, chosen)
    if ref.kind != "Deployment":
        return _pods_of(meta.uid, pods)
    path = scoped("/apis/apps/v1", ref.namespace, "replicasets")
    sets = [one for one in api.items(path, objects.ReplicaSet, chosen) if _owner(one.metadata) == meta.uid]
    sets.sort(key=lambda one: (one.metadata.revision, one.metadata.created_at), reverse=True)
    return tuple(_revision(one, _pods_of(one.metadata.uid, pods)) for one in sets)


def _owner(meta: objects.Meta) -> str:
    return meta.controller.uid if meta.controller is not None else ""


def _pods_of(uid: str, pods: Sequence[_Pod]) -> tuple[OwnedObject, ...]:
    return _pods([pod for owner, pod in pods if owner == uid])


def _pods(pods: Sequence[PodLine]) -> tuple[OwnedObject, ...]:
    return tuple(map(_pod, sorted(pods, key=lambda one: (one.namespace, one.name))))


def _pod(pod: PodLine) -> OwnedObject:
    ready = f"{pod.containers_ready}/{pod.containers_total} ready"
    restarts = f", {pod.restarts} restarts" if pod.restarts else ""
    return OwnedObject(
        ref=ObjectRef("Pod", pod.namespace, pod.name),
        uid=pod.uid,
        health=pod.health,
        status=pod.status,
        detail=Untrusted(f"{ready}{restarts}, {pod.node or 'no node yet'}"),
    )


def _revision(one: objects.ReplicaSet, pods: tuple[OwnedObject, ...]) -> OwnedObject:
    wanted, ready = one.spec.replicas or 0, one.status.ready_replicas or 0
    images = ", ".join(str(each.get("image")) for each in template_containers(one.spec.template or {}))
    return OwnedObject(
        ref=ObjectRef("ReplicaSet", one.metadata.namespace, one.metadata.name),
        uid=one.metadata.uid,
        health="done" if not wanted and not pods else "good" if ready >= wanted else "warn",
        status=f"revision {one.metadata.revision}" if one.metadata.revision else "no revision",
        detail=Untrusted(f"{ready}/{wanted} ready, {images}"),
        owned=pods,
    )
