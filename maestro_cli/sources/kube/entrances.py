"""Entrances in a cluster: Services without a selector, whose one EndpointSlice names the region that serves.

Invariant: the slice is written under the uid and resourceVersion that were read, and nothing else of it than
where it leads and the mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.facts.entrances import REGION_PREFIX, SERVICE_LABEL, Entrance, address_of
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.sources.kube import objects
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.facts import untrusted
from maestro_cli.sources.kube.patches import Precondition, patched
from maestro_cli.sources.kube.paths import scoped, segment

_SLICE_OF = "kubernetes.io/service-name"
_SLICES = "/apis/discovery.k8s.io/v1"


class _Slice(Struct):
    metadata: objects.Meta
    endpoints: list[dict[str, Any]] | None = None
    ports: list[dict[str, Any]] | None = None


class _Spec(Struct):
    selector: dict[str, str] | None = None


class _Service(Struct):
    metadata: objects.Meta
    spec: _Spec = field(default_factory=_Spec)


class Entrances:
    """Those of one cluster; raises Unreachable, Refused and NotFound."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api

    def get(self, namespace: str, name: str) -> Entrance:
        """The entrance now; raises UsageError where the Service is none."""
        service = self._api.get(f"{scoped('/api/v1', namespace, 'services')}/{segment(name)}", _Service)
        ref = ObjectRef("Service", namespace, name)
        if service.spec.selector:
            raise UsageError(
                f"{ref} is no entrance of regions",
                why="it has a selector, so that its slices are written by the cluster",
                fix="make a Service without a selector, with an EndpointSlice that leads to a region",
            )
        params: dict[str, str | int] = {"labelSelector": f"{_SLICE_OF}={name}"}
        pieces = self._api.items(scoped(_SLICES, namespace, "endpointslices"), _Slice, params)
        if len(pieces) != 1:
            raise UsageError(
                f"{ref} is no entrance of regions",
                why=f"it has {len(pieces)} EndpointSlices, and the one that leads to a region is alone",
            )
        return _entrance(ref, service, pieces[0])

    def write(
        self, entrance: Entrance, *, uid: str, resource_version: str, endpoints: Sequence[Mapping[str, Any]],
        ports: Sequence[Mapping[str, Any]], annotations: Mapping[str, str | None], dry_run: bool = False,
    ) -> Entrance:  # fmt: skip
        """Have it lead there, in one JSON patch. Raises StalePlan when the slice is not that any more."""
        namespace = entrance.ref.namespace
        path = f"{scoped(_SLICES, namespace, 'endpointslices')}/{segment(entrance.slice)}"
        expected = Precondition(ObjectRef("EndpointSlice", namespace, entrance.slice), uid, resource_version)
        parts = {"endpoints": list(endpoints), "ports": list(ports)}
        patched(self._api, path, expected, parts, annotations, _Slice, dry_run=dry_run, within="/")
        return self.get(namespace, entrance.ref.name)


def _entrance(ref: ObjectRef, service: _Service, piece: _Slice) -> Entrance:
    meta = piece.metadata
    regions = {
        key.removeprefix(REGION_PREFIX): Untrusted(url)
        for key, url in (service.metadata.annotations or {}).items()
        if key.startswith(REGION_PREFIX)
    }
    if not regions:
        fix = f"annotate it: {REGION_PREFIX}NAME=http://ADDRESS:PORT/PATH, for each region"
        raise NotFound(f"{ref} names no regions", fix=fix)
    for name, url in regions.items():
        try:
            address_of(url)
        except ValueError as error:
            what = f"{REGION_PREFIX}{visible(name, 60)} of {ref} {error}: {visible(url, 100)}"
            raise UsageError(what, fix="http://ADDRESS:PORT/PATH") from None
    return Entrance(
        ref, meta.name, meta.uid, meta.resource_version, meta.generation or 0, regions,
        piece.endpoints or (), piece.ports or (), untrusted(meta.annotations),
        untrusted(service.metadata.labels),
        str({**(service.metadata.labels or {}), **(meta.labels or {})}.get(SERVICE_LABEL, "")),
    )  # fmt: skip
