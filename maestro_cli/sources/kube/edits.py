"""When configuration was written, and by whom, from `managedFields`.

Invariant: of Secrets only the metadata is asked for, and nothing else is kept of an answer that holds more;
what a cluster does not serve or the caller may not list is told, not raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from msgspec import Struct

from maestro_cli.core.errors import NotFound, Refused
from maestro_cli.core.facts.edits import FieldWrite, WrittenObject, WrittenObjects
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.inventory import METADATA_ONLY
from maestro_cli.sources.kube.objects import EPOCH, AutoscalerSpec, ServiceSpec, utc
from maestro_cli.sources.kube.paths import scoped

_MOST_WRITES = 20
_MOST_FIELDS = 30


class _Managed(Struct, rename="camel"):
    manager: str | None = ""
    time: datetime | None = None
    subresource: str | None = ""
    fields_v1: dict[str, Any] | None = None


class _Meta(Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    managed_fields: list[_Managed] | None = None


class _Written(Struct):
    metadata: _Meta


class _Scaler(Struct):
    metadata: _Meta
    spec: AutoscalerSpec


class _Service(Struct):
    metadata: _Meta
    spec: ServiceSpec


def list_written(api: ApiServer, namespace: str) -> WrittenObjects:
    """Every ConfigMap, Secret, Service and autoscaler of a namespace, by kind and name."""
    found: list[WrittenObject] = []
    unread: list[str] = []
    for kind, read in _READERS.items():
        try:
            found += read(api, namespace, kind)
        except (Refused, NotFound) as error:
            unread.append(f"{kind}: {error.what}")
    return WrittenObjects(tuple(sorted(found, key=lambda one: one.ref)), tuple(unread))


def _metadata_of(group_version: str, plural: str) -> Callable[[ApiServer, str, str], list[WrittenObject]]:
    def read(api: ApiServer, namespace: str, kind: str) -> list[WrittenObject]:
        path = scoped(group_version, namespace, plural)
        return api.gather(path, _Written, lambda one: _facts(kind, one.metadata), accept=METADATA_ONLY)

    return read


def _autoscalers(api: ApiServer, namespace: str, kind: str) -> list[WrittenObject]:
    def line(one: _Scaler) -> WrittenObject:
        target = one.spec.scale_target_ref
        return _facts(kind, one.metadata, f"{target.kind}/{target.name}")

    return api.gather(scoped("/apis/autoscaling/v2", namespace, "horizontalpodautoscalers"), _Scaler, line)


def _services(api: ApiServer, namespace: str, kind: str) -> list[WrittenObject]:
    def line(one: _Service) -> WrittenObject:
        return replace(_facts(kind, one.metadata), selector=dict(one.spec.selector or {}))

    return api.gather(scoped("/api/v1", namespace, "services"), _Service, line)


_READERS: Mapping[str, Callable[[ApiServer, str, str], list[WrittenObject]]] = {
    "ConfigMap": _metadata_of("/api/v1", "configmaps"),
    "Secret": _metadata_of("/api/v1", "secrets"),
    "Service": _services,
    "HorizontalPodAutoscaler": _autoscalers,
}


def _facts(kind: str, meta: _Meta, target: str = "") -> WrittenObject:
    """Writes of status are no edits, nor are those of metadata alone."""
    writes = [
        FieldWrite(Untrusted((one.manager or "")[:128]), at, fields)
        for one in meta.managed_fields or ()
        if not one.subresource
        and (at := utc(one.time)) is not None
        and (fields := tuple(_paths(one.fields_v1 or {})))
    ]
    writes.sort(key=lambda one: (one.at, one.manager))
    created = utc(meta.creation_timestamp) or EPOCH
    ref = ObjectRef(kind, meta.namespace, meta.name)
    return WrittenObject(ref, meta.resource_version, created, tuple(writes[-_MOST_WRITES:]), target)


def _paths(fields: Mapping[str, Any]) -> Iterator[str]:
    """Two levels of a FieldsV1 document: `data.routing.yaml`, `spec.minReplicas`."""
    count = 0
    for top, inner in fields.items():
        if not top.startswith("f:") or top == "f:metadata":
            continue
        names = [name for name in inner if name.startswith("f:")] if isinstance(inner, Mapping) else []
        for name in sorted(names) or [""]:
            count += 1
            if count > _MOST_FIELDS:
                return
            yield Untrusted(f"{top[2:]}.{name[2:]}"[:200] if name else top[2:][:200])
