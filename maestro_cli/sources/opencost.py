"""OpenCost: what nodes and volumes cost, by its API. Invariant: reads only.

Asks `/assets` (`core/pkg/opencost/asset_json.go` of github.com/opencost/opencost): one object by name, a
list of such objects as Kubecost has it, or a list of the assets themselves. Names and labels are the
cluster's, and untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import Capacity, Resource
from maestro_cli.cost.prices.observed import DiskAsset, NodeAsset
from maestro_cli.sources.failures import not_like, shown_url
from maestro_cli.sources.http import Ask, checked, endpoint_backend

if TYPE_CHECKING:
    import httpx

SYSTEM = "OpenCost"
TIMEOUT_SECONDS = 30.0  # it asks its Prometheus for all of the window while we wait
_TYPE = ("node_kubernetes_io_instance_type", "beta_kubernetes_io_instance_type")
_REGION = ("topology_kubernetes_io_region", "failure_domain_beta_kubernetes_io_region")


class _Properties(msgspec.Struct):
    name: str = ""
    provider_id: str = msgspec.field(name="providerID", default="")


class _Asset(msgspec.Struct, rename="camel"):
    type: str
    properties: _Properties = msgspec.field(default_factory=_Properties)
    labels: dict[str, str] | None = None
    minutes: float = 0.0
    total_cost: float = 0.0
    node_type: str = ""
    cpu_core_hours: float = 0.0
    ram_byte_hours: float = 0.0
    gpu_hours: float = msgspec.field(name="GPUHours", default=0.0)
    cpu_cost: float = 0.0
    ram_cost: float = 0.0
    gpu_cost: float = 0.0
    preemptible: float = 0.0
    byte_hours: float = 0.0
    storage_class: str = ""


class _Answer(msgspec.Struct):
    code: int
    data: dict[str, Any] | list[dict[str, Any] | None] | None = None
    message: str = ""


class _Info(msgspec.Struct):
    data: dict[str, str] = {}


class OpenCost:
    """One OpenCost, of one cluster. Methods raise Unreachable and Refused."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        secrets: Secrets = NO_VAULT,
    ) -> None:
        self._backend = endpoint_backend(
            SYSTEM, endpoint, timeout_seconds=timeout_seconds, transport=transport, secrets=secrets
        )
        self.url = shown_url(endpoint.url)

    def close(self) -> None:
        self._backend.close()

    def check(self) -> EndpointCheck:
        """Whether it answers, and of which cluster it is."""

        def version() -> str:
            answer = self._backend.expect_ok(self._backend.ask(Ask("GET", "/clusterInfo", safe=True)))
            told = self._backend.decode(answer, _Info).data
            return visible(
                f"cluster {told.get('id') or 'without an id'}, {told.get('provider') or 'unknown'}", 100
            )

        return checked(SYSTEM, self.url, version)

    def assets(self, start: datetime, end: datetime) -> tuple[tuple[NodeAsset, ...], tuple[DiskAsset, ...]]:
        """What nodes and volumes cost in that time."""
        params = {"window": f"{_instant(start)},{_instant(end)}"}
        answer = self._backend.expect_ok(self._backend.ask(Ask("GET", "/assets", params, safe=True)))
        told = self._backend.decode(answer, _Answer)
        if told.code != 200:
            raise not_like(SYSTEM, self.url, f"it says {told.code}: {visible(told.message, 200)}")
        found = self._assets(told.data)
        nodes = tuple(_node(one) for one in found if one.type == "Node")
        return nodes, tuple(
            DiskAsset(one.storage_class, one.byte_hours, one.total_cost)
            for one in found
            if one.type == "Disk"
        )

    def _assets(self, data: dict[str, Any] | list[dict[str, Any] | None] | None) -> list[_Asset]:
        """Of a set by name, of a list of such sets, and of a list of assets themselves."""
        told: list[Any] = []
        for one in data if isinstance(data, list) else [data]:
            told += [one] if one and isinstance(one.get("type"), str) else (one or {}).values()
        try:
            return [msgspec.convert(one, ready(_Asset)) for one in told]
        except msgspec.ValidationError as error:
            raise not_like(SYSTEM, self.url, visible(str(error), 200)) from error


def _instant(at: datetime) -> str:
    """It knows no fractions of a second."""
    return to_rfc3339(at.replace(microsecond=0)).replace(".000000", "")


def _node(one: _Asset) -> NodeAsset:
    labels = one.labels or {}
    return NodeAsset(
        name=one.properties.name,
        provider_id=one.properties.provider_id,
        instance_type=one.node_type or _first(labels, _TYPE),
        region=_first(labels, _REGION),
        capacity=Capacity.SPOT if one.preemptible >= 0.5 else Capacity.ON_DEMAND,
        hours=one.minutes / 60,
        cost=one.total_cost,
        amounts={
            Resource.CPU: one.cpu_core_hours,
            Resource.MEMORY: one.ram_byte_hours / GIB,
            Resource.GPU: one.gpu_hours,
        },
        costs={Resource.CPU: one.cpu_cost, Resource.MEMORY: one.ram_cost, Resource.GPU: one.gpu_cost},
    )


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
