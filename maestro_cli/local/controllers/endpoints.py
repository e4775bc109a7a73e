"""Endpoints and EndpointSlices of Services.

Invariant: a pod is `ready` in an endpoint only while it is Ready and not being deleted; a slice has
at most 100 endpoints, all with the same ports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from maestro_cli.local.api import ENDPOINT_SLICES, ENDPOINTS, ApiError
from maestro_cli.local.controllers.queue import WorkQueue
from maestro_cli.local.controllers.scheduler import ZONE
from maestro_cli.local.controllers.world import NAMESPACE, SERVICE, World
from maestro_cli.local.objects import (
    Object,
    controller_reference,
    is_deleting,
    key_of,
    labels_match,
    labels_of,
    name_of,
    namespace_of,
    pod_is_ready,
    pod_phase,
    uid_of,
)

_MANAGER = "endpointslice-controller.maestro.io"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_SERVICE_NAME = "kubernetes.io/service-name"
_LARGEST_SLICE = 100


class EndpointsController:
    """Keeps Endpoints and EndpointSlices in line with pods."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.queue = WorkQueue("endpoints", self.sync)
        world.services.subscribe(lambda old, new: self.queue.add(key_of(new or old or {})))
        world.pods.subscribe(self._pod_changed)
        world.informers["EndpointSlice"].subscribe(self._slice_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _shown(old) == _shown(new):
            return
        for service in self._world.services.by(NAMESPACE, namespace_of(new or old or {})):
            selector = service["spec"].get("selector") or {}
            if any(pod is not None and labels_match(selector, labels_of(pod)) for pod in (old, new)):
                self.queue.add(key_of(service))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        piece = new or old or {}
        name = labels_of(piece).get(_SERVICE_NAME)
        if name and labels_of(piece).get(_MANAGED_BY) == _MANAGER:
            self.queue.add(f"{namespace_of(piece)}/{name}")

    async def sync(self, key: str) -> None:
        """Write the slices and the Endpoints object of one Service."""
        service = self._world.services.get(key)
        if service is None or is_deleting(service) or not service["spec"].get("selector"):
            return  # its slices go with it, by their owner reference
        groups = self._groups(service)
        await self._write_slices(service, groups)
        await self._write_endpoints(service, groups)

    def _groups(self, service: Object) -> dict[str, tuple[list[Object], list[Object]]]:
        """By their ports: (ports, endpoints)."""
        pods = [
            pod
            for pod in self._world.pods.by(NAMESPACE, namespace_of(service))
            if labels_match(service["spec"]["selector"], labels_of(pod))
            and (pod.get("status") or {}).get("podIP")
            and pod_phase(pod) not in {"Succeeded", "Failed"}
        ]
        groups: dict[str, tuple[list[Object], list[Object]]] = defaultdict(lambda: ([], []))
        for pod in sorted(pods, key=name_of):
            ports = ports_of(service, pod)
            group = groups[repr(ports)]
            group[0][:] = ports
            group[1].append(self._endpoint(service, pod))
        return groups

    def _endpoint(self, service: Object, pod: Object) -> Object:
        node = self._world.nodes.get(pod["spec"].get("nodeName") or "")
        serving = pod_is_ready(pod) or bool(service["spec"].get("publishNotReadyAddresses"))
        endpoint: Object = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {
                "ready": serving and not is_deleting(pod),
                "serving": serving,
                "terminating": is_deleting(pod),
            },
            "targetRef": {
                "kind": "Pod",
                "namespace": namespace_of(pod),
                "name": name_of(pod),
                "uid": uid_of(pod),
            },
            "nodeName": pod["spec"].get("nodeName"),
        }
        if node is not None and ZONE in labels_of(node):
            endpoint["zone"] = labels_of(node)[ZONE]
        return endpoint

    async def _write_slices(
        self, service: Object, groups: dict[str, tuple[list[Object], list[Object]]]
    ) -> None:
        wanted = []
        for ports, endpoints in groups.values():
            for start in range(0, len(endpoints), _LARGEST_SLICE):
                wanted.append((ports, endpoints[start : start + _LARGEST_SLICE]))
        existing = [
            piece
            for piece in self._world.informers["EndpointSlice"].by(SERVICE, key_of(service))
            if labels_of(piece).get(_MANAGED_BY) == _MANAGER and not is_deleting(piece)
        ]
        existing.sort(key=name_of)
        if not wanted:
            wanted = [([], [])]  # an empty slice, so that watchers see the Service has no endpoint
        for number, (ports, endpoints) in enumerate(wanted):
            body = {"addressType": "IPv4", "ports": ports, "endpoints": endpoints}
            if number >= len(existing):
                await self._create_slice(service, body)
            elif any((existing[number].get(name) or []) != body[name] for name in ("ports", "endpoints")):
                await self._world.update(ENDPOINT_SLICES, existing[number] | body)
        for surplus in existing[len(wanted) :]:
            await self._world.delete(ENDPOINT_SLICES, surplus)

    async def _create_slice(self, service: Object, body: Object) -> None:
        labels = labels_of(service) | {_SERVICE_NAME: name_of(service), _MANAGED_BY: _MANAGER}
        meta = {
            "generateName": f"{name_of(service)}-",
            "namespace": namespace_of(service),
            "labels": labels,
            "ownerReferences": [controller_reference(service)],
        }
        await self._world.create(ENDPOINT_SLICES, {"metadata": meta, **body}, namespace_of(service))

    async def _write_endpoints(
        self, service: Object, groups: dict[str, tuple[list[Object], list[Object]]]
    ) -> None:
        subsets = [subset for group in groups.values() if (subset := _subset(*group)) is not None]
        existing = self._world.informers["Endpoints"].get(key_of(service))
        if existing is not None:
            if (existing.get("subsets") or []) != subsets:
                await self._world.update(ENDPOINTS, existing | {"subsets": subsets})
            return
        meta = {
            "name": name_of(service),
            "namespace": namespace_of(service),
            "labels": labels_of(service),
            "ownerReferences": [controller_reference(service)],
        }
        try:
            await self._world.create(ENDPOINTS, {"metadata": meta, "subsets": subsets}, namespace_of(service))
        except ApiError as refused:
            if not refused.is_already_exists:
                raise


def _shown(pod: Object) -> tuple[object, ...]:
    """What of a pod shows in endpoints."""
    status = pod.get("status") or {}
    return (pod_is_ready(pod), is_deleting(pod), status.get("podIP"), pod_phase(pod), labels_of(pod))


def ports_of(service: Object, pod: Object) -> list[Object]:
    """The Service's ports as numbers of this pod; a name the pod does not have is left out."""
    named = {
        (port.get("name"), port.get("protocol", "TCP")): port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
    }
    result = []
    for port in service["spec"].get("ports") or ():
        target, protocol = port.get("targetPort", port["port"]), port.get("protocol", "TCP")
        number = target if isinstance(target, int) else named.get((target, protocol))
        if number is None:
            continue
        entry = {"name": port.get("name", ""), "port": number, "protocol": protocol}
        result.append(entry | ({"appProtocol": port["appProtocol"]} if "appProtocol" in port else {}))
    return result


def _subset(ports: Sequence[Object], endpoints: Sequence[Object]) -> Object | None:
    sides: dict[str, list[Object]] = {"addresses": [], "notReadyAddresses": []}
    for endpoint in endpoints:
        if endpoint["conditions"]["terminating"]:
            continue
        side = "addresses" if endpoint["conditions"]["ready"] else "notReadyAddresses"
        address = {"ip": endpoint["addresses"][0], "targetRef": endpoint["targetRef"]}
        sides[side].append(address | {"nodeName": endpoint["nodeName"]})
    present = {name: addresses for name, addresses in sides.items() if addresses}
    return {**present, "ports": list(ports)} if present else None
