"""Services of the cluster and their proxies, and the faults that are leased to the pods behind them.

Invariant: the annotation `maestro.io/local-endpoint` of a Service names a port that is being served.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from random import Random

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.fault_leases import read_leases
from maestro_cli.local.addresses import listening_address
from maestro_cli.local.api import ENDPOINT_SLICES, PODS, SERVICES, ApiClient
from maestro_cli.local.balancer.backends import usable_endpoints
from maestro_cli.local.balancer.proxy import ServiceProxy
from maestro_cli.local.balancer.shapes import Shapes
from maestro_cli.local.informer import Informer
from maestro_cli.local.objects import (
    Object,
    annotations_of,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    pod_phase,
    uid_of,
)

_LOG = logging.getLogger(__name__)
ANNOTATION = "maestro.io/local-endpoint"
_HTTP = "http"  # as IANA names it, which is what an appProtocol without a prefix means
_SLICE_OF = "kubernetes.io/service-name"
_OWN_API = ("default", "kubernetes")  # the API server's own Service, which nobody reaches through here


def annotation_for(number: int, port_name: str) -> str:
    """The first port of a Service has the plain annotation, further ones add their name."""
    return ANNOTATION if number == 0 else f"{ANNOTATION}.{port_name}"


def port_in(annotation: str | None) -> int:
    """The port of `127.0.0.1:PORT`, 0 when there is none."""
    text = (annotation or "").rpartition(":")[2]
    return int(text) if text.isdigit() and int(text) < 65536 else 0


class ServiceTable:
    """Starts, feeds and stops one proxy for every TCP port of every Service with endpoints."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self.services = Informer(client, SERVICES)
        self.slices = Informer(client, ENDPOINT_SLICES)
        self.pods = Informer(client, PODS)
        self.pods.subscribe(self._leased)
        self._shapes = Shapes(lambda: datetime.now(UTC), Random())
        self.slices.index("service", lambda piece: (_service_key(piece),))
        self._proxies: dict[str, dict[str, ServiceProxy]] = {}
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self.services.subscribe(lambda old, new: self._changed.put_nowait(key_of(new or old or {})))
        self.slices.subscribe(lambda old, new: self._changed.put_nowait(_service_key(new or old or {})))

    async def run(self) -> None:
        """Follow changes until cancelled."""
        while True:
            key = await self._changed.get()
            try:
                await self._sync(key)
            except MaestroError as problem:
                _LOG.warning("service %s: %s", key, problem.what)
                asyncio.get_running_loop().call_later(1.0, self._changed.put_nowait, key)

    def _leased(self, old: Object | None, new: Object | None) -> None:
        """What is leased to a pod now; one that is gone leaves nothing for who has its address next."""
        was, now = _address_of(old), _address_of(new)
        if was and was != now:
            self._shapes.learn(was, ())
        if new is not None and now:
            self._shapes.learn(now, read_leases(annotations_of(new)))

    async def _sync(self, key: str) -> None:
        service = self.services.get(key)
        ports = _tcp_ports(service) if service is not None else []
        proxies = self._proxies.setdefault(key, {})
        for gone in set(proxies) - {str(port.get("name") or "") for port in ports}:
            await proxies.pop(gone).stop()
        if service is None or not ports:
            self._proxies.pop(key, None)
            return
        told = {}
        for number, port in enumerate(ports):
            name = str(port.get("name") or "")
            annotation = annotation_for(number, name)
            if name not in proxies:
                proxies[name] = ServiceProxy(shapes=self._shapes)
                await proxies[name].start(port_in(annotations_of(service).get(annotation)))
            proxies[name].speaks_http = port.get("appProtocol") == _HTTP
            proxies[name].follow(usable_endpoints(self.slices.by("service", key), name))
            told[annotation] = f"127.0.0.1:{proxies[name].port}"
        if any(annotations_of(service).get(name) != value for name, value in told.items()):
            patch = {"metadata": {"annotations": told, "uid": uid_of(service)}}
            self.services.note(
                await self._client.patch(SERVICES, namespace_of(service), name_of(service), patch)
            )

    async def stop(self) -> None:
        """Stop every proxy."""
        for proxies in self._proxies.values():
            for proxy in proxies.values():
                await proxy.stop()


def _address_of(pod: Object | None) -> str:
    """Where the pod listens, "" where it does not (yet, or any more)."""
    if pod is None or pod_phase(pod) in {"Succeeded", "Failed"}:
        return ""
    ip = (pod.get("status") or {}).get("podIP")
    return listening_address(ip) if ip else ""


def _service_key(piece: Object) -> str:
    return f"{namespace_of(piece)}/{labels_of(piece).get(_SLICE_OF, '')}"


def _tcp_ports(service: Object) -> list[Object]:
    """Also of a Service without a selector, whose slices somebody else writes."""
    is_own = (namespace_of(service), name_of(service)) == _OWN_API
    if service["spec"].get("type") == "ExternalName" or is_own:
        return []
    return [port for port in service["spec"].get("ports") or () if port.get("protocol", "TCP") == "TCP"]
