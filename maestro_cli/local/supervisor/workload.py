"""Put the manifests into the cluster and find out when the workload serves.

Invariant: an object is created when it is not there and otherwise left alone, because whoever operates the
platform may have changed it since. A cluster that came back empty gets everything again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.supervisor.model import SERVICE, WORKLOAD, fact_of

if TYPE_CHECKING:
    from maestro_cli.local.api import ApiClient, Resource

Manifest = Mapping[str, Any]
ENDPOINT_ANNOTATION = "maestro.io/local-endpoint"
_POLL_SECONDS = 0.1
_SETTLED_POLL_SECONDS = 2.0
_RETRY_SECONDS = 0.3
_NODES_LIMIT_SECONDS = 10.0


class Workload:
    """Finds out the facts `service` (it has an address) and `workload` (every replica is available) of each
    Service, with its name behind them for all but the first.
    """

    def __init__(
        self, manifests: Path, kubeconfig: Path, nodes: int, report: Callable[[str, str], None]
    ) -> None:
        """`nodes` are expected; `report(fact, url)` is told the service's URL when a fact is first true, or
        the URL moves.
        """
        self._manifests: Sequence[dict[str, Any]] = json.loads(manifests.read_text(encoding="utf-8"))
        self._kubeconfig = kubeconfig
        self._nodes = nodes
        self._report = report
        self.waiting_for = "the cluster"

    async def keep(self) -> None:
        """Apply everything and follow the service, until cancelled.

        Begins again after any refusal or broken connection: the cluster may have been restarted, and what
        a new one does not have is created again.
        """
        from maestro_cli.local.api import connect  # heavy; imported while the cluster itself starts

        while True:
            try:
                client = await connect(self._kubeconfig, "supervisor")
                try:
                    await self._await_nodes(client)
                    for manifest in self._manifests:
                        await create_missing(client, manifest)
                    await self._follow(client)
                finally:
                    await client.close()
            except MaestroError as error:
                self.waiting_for = f"{error.what} ({error.why})" if error.why else error.what
                await asyncio.sleep(_RETRY_SECONDS)

    async def _await_nodes(self, client: ApiClient) -> None:
        """Wait for every node, but not for ever: replicas placed on the first one would crowd it."""
        from maestro_cli.local import api

        loop = asyncio.get_running_loop()
        deadline = loop.time() + _NODES_LIMIT_SECONDS
        while loop.time() < deadline:
            nodes, _ = await client.list(api.NODES)
            ready = sum(map(_is_ready, nodes))
            if ready >= self._nodes:
                return
            self.waiting_for = f"{ready} of {self._nodes} nodes"
            await asyncio.sleep(_POLL_SECONDS)

    async def _follow(self, client: ApiClient) -> None:
        pairs = _pairs(self._manifests)
        first = pairs[0][0]["metadata"]["name"]
        known: dict[str, str] = {}
        while True:
            lacking = [
                lack
                for service, deployment in pairs
                if (lack := await self._look(client, service, deployment, first, known))
            ]
            self.waiting_for = next(iter(lacking), "")
            await asyncio.sleep(_POLL_SECONDS if lacking else _SETTLED_POLL_SECONDS)

    async def _look(
        self, client: ApiClient, service: Manifest, deployment: Manifest, first: str, known: dict[str, str]
    ) -> str:
        """Report what is true of a service and was not known; what it still lacks, in words."""
        name = service["metadata"]["name"]
        has_address, has_replicas = (fact_of(fact, name, first) for fact in (SERVICE, WORKLOAD))
        found = await _read(client, service)
        address = found["metadata"].get("annotations", {}).get(ENDPOINT_ANNOTATION)
        if not address:
            return f"an address of Service {name}"
        url = f"http://{address}"
        if known.get(has_address) != url:
            known[has_address] = url
            self._report(has_address, url)
        if known.get(has_replicas) != url:
            if lack := _shortfall(await _read(client, deployment)):
                return lack
            known[has_replicas] = url
            self._report(has_replicas, url)
        return ""


async def create_missing(client: ApiClient, manifest: Mapping[str, Any]) -> None:
    """Create one object unless it is there. Raises ApiError and Unreachable."""
    from maestro_cli.local.api import ApiError

    namespace = manifest["metadata"].get("namespace", "")
    try:
        await client.create(_resource(manifest), dict(manifest), namespace)
    except ApiError as refusal:
        if not refusal.is_already_exists:
            raise


def _resource(manifest: Mapping[str, Any]) -> Resource:
    from maestro_cli.local import api

    known = (api.NAMESPACES, api.DEPLOYMENTS, api.SERVICES, api.DISRUPTION_BUDGETS, api.CONFIG_MAPS)
    by_kind = {(resource.api_version, resource.kind): resource for resource in known}
    return by_kind[manifest["apiVersion"], manifest["kind"]]


async def _read(client: ApiClient, manifest: Mapping[str, Any]) -> dict[str, Any]:
    meta = manifest["metadata"]
    return await client.get(_resource(manifest), meta["namespace"], meta["name"])


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _pairs(manifests: Sequence[Manifest]) -> list[tuple[Manifest, Manifest]]:
    """Every Service with the Deployment of its name, in their order."""
    by_name = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Deployment"}
    return [(one, by_name[one["metadata"]["name"]]) for one in manifests if one["kind"] == "Service"]


def _shortfall(deployment: Mapping[str, Any]) -> str:
    """What a Deployment still lacks, in words; empty when every replica is available."""
    status = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    name = deployment["metadata"]["name"]
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 1):
        return f"the controllers to see Deployment {name}"
    available = min(status.get("availableReplicas", 0), status.get("updatedReplicas", 0))
    return "" if available >= wanted else f"{available} of {wanted} replicas of {name}"
