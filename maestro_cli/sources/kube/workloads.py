"""Deployments, stateful sets and daemon sets: what they are, the templates they had, one write to their spec.

Invariant: a revision is what the cluster itself keeps of a template: a ReplicaSet of a Deployment, a
ControllerRevision of a set; only those that the very workload controls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from maestro_cli.core.errors import MaestroError, NotFound, Refused, UsageError
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.sources.kube import facts, objects, sets
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.patches import Precondition, patched
from maestro_cli.sources.kube.paths import scoped, segment

APPS = "/apis/apps/v1"
_RESOURCES = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
AnySet = objects.StatefulSet | objects.DaemonSet
K = TypeVar("K", objects.ReplicaSet, objects.ControllerRevision)
W = TypeVar("W", objects.Deployment, objects.StatefulSet, objects.DaemonSet)


class Workloads:
    """The workloads of one cluster; methods raise Unreachable, Refused and NotFound."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api

    def get(self, ref: WorkloadRef) -> Workload:
        """The workload now; of a set also the number of its newest revision, which is listed for that."""
        if ref.kind == "Deployment":
            return facts.workload_facts(self._api.get(path_of(ref), objects.Deployment))
        found = self._set(ref)
        numbers = [one.revision for one in self._controller_revisions(ref, found)]
        return sets.set_facts(found, max(numbers, default=0))

    def list_all(self, namespace: str | None) -> tuple[Workload, ...]:
        """All three kinds of a namespace, or of all (None), by namespace and name; none of an unknown kind.

        Of a set the number of its newest revision is not told.
        """
        return self._listed(namespace, NotFound)

    def list_readable(self, namespace: str | None) -> tuple[Workload, ...]:
        """As `list_all`, without the sets of a kind that the caller may not list: for looking alone."""
        return self._listed(namespace, NotFound, Refused)

    def _listed(self, namespace: str | None, *left_out: type[MaestroError]) -> tuple[Workload, ...]:
        found = [facts.workload_facts(one) for one in self._list("Deployment", namespace, objects.Deployment)]
        with suppress(*left_out):
            found += map(sets.set_facts, self._list("StatefulSet", namespace, objects.StatefulSet))
        with suppress(*left_out):
            found += map(sets.set_facts, self._list("DaemonSet", namespace, objects.DaemonSet))
        return tuple(sorted(found, key=lambda one: (one.ref.namespace, one.ref.name, one.ref.kind)))

    def _list(self, kind: str, namespace: str | None, shape: type[W]) -> list[W]:
        return self._api.items(scoped(APPS, namespace, _RESOURCES[kind]), shape)

    def revisions(self, ref: WorkloadRef) -> tuple[Revision, ...]:
        """The templates it had, oldest first."""
        if ref.kind == "Deployment":
            return self._replica_sets(ref)
        owner = self._set(ref)
        found = self._controller_revisions(ref, owner)
        if not found:
            return ()
        params = {"labelSelector": facts.selector_text(owner.spec.selector)}
        pods = self._api.items(scoped("/api/v1", ref.namespace, "pods"), objects.PodObject, params)
        own = [facts.pod_facts(pod) for pod in pods if _is_owned(pod.metadata, owner.metadata.uid)]
        own = [pod for pod in own if not pod.deleting]
        there = Counter(pod.labels.get(sets.REVISION_HASH, "") for pod in own)
        ready = Counter(pod.labels.get(sets.REVISION_HASH, "") for pod in own if pod.ready)
        return facts.with_own_causes(sets.revision_facts(ref.kind, one, there, ready) for one in found)

    def write_spec(
        self, ref: WorkloadRef, *, uid: str, resource_version: str, spec: Mapping[str, Any],
        annotations: Mapping[str, str | None], dry_run: bool,
    ) -> Workload:  # fmt: skip
        """Replace these parts of the spec; see KubeCluster.write_spec."""
        body = facts.without_hash(spec["template"]) if "template" in spec else None
        parts = spec if body is None else {**spec, "template": body}
        expected = Precondition(ref, uid, resource_version)
        write = (self._api, path_of(ref), expected, parts, annotations)
        if ref.kind == "Deployment":
            return facts.workload_facts(patched(*write, objects.Deployment, dry_run=dry_run))
        if ref.kind == "StatefulSet":
            return sets.set_facts(patched(*write, objects.StatefulSet, dry_run=dry_run))
        return sets.set_facts(patched(*write, objects.DaemonSet, dry_run=dry_run))

    def _set(self, ref: WorkloadRef) -> AnySet:
        if ref.kind == "StatefulSet":
            return self._api.get(path_of(ref), objects.StatefulSet)
        return self._api.get(path_of(ref), objects.DaemonSet)

    def _replica_sets(self, ref: WorkloadRef) -> tuple[Revision, ...]:
        owner = self._api.get(path_of(ref), objects.Deployment)
        owned = self._owned(ref, owner.metadata.uid, owner.spec.selector, "replicasets", objects.ReplicaSet)
        owned.sort(key=lambda item: (item.metadata.revision, item.metadata.created_at))
        return facts.with_own_causes(map(facts.revision_facts, owned))

    def _controller_revisions(self, ref: WorkloadRef, owner: AnySet) -> list[objects.ControllerRevision]:
        kind = objects.ControllerRevision
        owned = self._owned(ref, owner.metadata.uid, owner.spec.selector, "controllerrevisions", kind)
        return sorted(owned, key=lambda item: item.revision)

    def _owned(
        self, ref: WorkloadRef, uid: str, selector: objects.Selector | None, resource: str, kind: type[K]
    ) -> list[K]:
        text = facts.selector_text(selector)
        path = scoped(APPS, ref.namespace, resource)
        found = self._api.items(path, kind, {"labelSelector": text} if text else None)
        return [item for item in found if _is_owned(item.metadata, uid)]


def path_of(ref: WorkloadRef) -> str:
    """Its REST path."""
    return f"{path_of_kind(ref.kind, ref.namespace)}/{segment(ref.name)}"


def path_of_kind(kind: str, namespace: str | None) -> str:
    """The REST path of those of a namespace, or of all (None)."""
    if kind not in _RESOURCES:
        raise UsageError(f"{kind} is no kind of workload", fix=f"name one of: {', '.join(_RESOURCES)}")
    return scoped(APPS, namespace, _RESOURCES[kind])


def _is_owned(meta: objects.Meta, uid: str) -> bool:
    return meta.controller is not None and meta.controller.uid == uid
