"""Where objects of a kind are: known for the usual kinds, asked of the cluster for others.

Invariant: a kind is found by its name alone; of two groups that have it, the first that the cluster tells.
`Rollout.argoproj.io` is that of one group.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import msgspec

from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import ObjectRef
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.paths import scoped, segment

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class Place:
    """The REST path of a group's version, and what its lists of a kind are called there."""

    root: str
    plural: str
    is_namespaced: bool = True


_KNOWN = {
    "Pod": Place("/api/v1", "pods"),
    "Node": Place("/api/v1", "nodes", is_namespaced=False),
    "Namespace": Place("/api/v1", "namespaces", is_namespaced=False),
    "Service": Place("/api/v1", "services"),
    "ConfigMap": Place("/api/v1", "configmaps"),
    "Secret": Place("/api/v1", "secrets"),
    "Deployment": Place("/apis/apps/v1", "deployments"),
    "ReplicaSet": Place("/apis/apps/v1", "replicasets"),
    "StatefulSet": Place("/apis/apps/v1", "statefulsets"),
    "DaemonSet": Place("/apis/apps/v1", "daemonsets"),
    "Job": Place("/apis/batch/v1", "jobs"),
}


class _Kind(msgspec.Struct):
    kind: str = ""


class _Resource(msgspec.Struct, rename="camel"):
    resource: str = ""
    response_kind: _Kind | None = None
    scope: str = ""


class _Version(msgspec.Struct):
    version: str = ""
    resources: list[_Resource] | None = None


class _GroupMeta(msgspec.Struct):
    name: str | None = ""


class _Group(msgspec.Struct):
    metadata: _GroupMeta
    versions: list[_Version] | None = None


class _Groups(msgspec.Struct):
    items: list[_Group] | None = None


class Kinds:
    """The kinds of one cluster."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._asked: dict[str, Place] | None = None

    def place(self, kind: str) -> Place:
        """Where objects of it are; raises NotFound when the cluster has no such kind."""
        known = _KNOWN.get(kind)
        if known is not None:
            return known
        with self._lock:
            if self._asked is None:
                self._asked = {**self._ask("/apis"), **self._ask("/api")}
            asked = self._asked.get(kind)
        if asked is None:
            raise NotFound(f"the cluster has no kind {kind!r}")
        return asked

    def path(self, ref: ObjectRef) -> str:
        """The REST path of an object."""
        place = self.place(ref.kind)
        namespace = ref.namespace if place.is_namespaced else None
        return f"{scoped(place.root, namespace, place.plural)}/{segment(ref.name)}"

    def _ask(self, path: str) -> dict[str, Place]:
        groups = self._api.get(path, _Groups, accept=_DISCOVERY).items or ()
        found: dict[str, Place] = {}
        for group in groups:
            name = group.metadata.name or ""
            for version in group.versions or ():
                root = f"{path}/{name}/{version.version}" if name else f"{path}/{version.version}"
                for one in version.resources or ():
                    if one.response_kind is not None:
                        place = Place(root, one.resource, one.scope == "Namespaced")
                        found.setdefault(one.response_kind.kind, place)
                        found.setdefault(f"{one.response_kind.kind}.{name}", place)
        return found
