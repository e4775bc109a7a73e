"""What a file of prices may hold, as the strict loader reads it and `maestro schema prices` publishes it.

List rates have the names of OpenCost's `default.json`, where numbers are text. Invariant: a price is 0 or
more; one that is not there is None.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Price = Annotated[float, msgspec.Meta(ge=0)]
_Listed = Price | str | None  # OpenCost writes numbers as text


class NodeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of node for an hour, or one `node` by its name; no `region` is any."""

    hourly: Price
    type: str = ""
    node: str = ""
    region: str = ""
    capacity: Literal["on-demand", "spot"] = "on-demand"
    gpu: str = ""
    interruptions_per_hour: Price | None = None


class StorageSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of storage: a GiB for an hour or, in words of bills, for a month of 730 hours."""

    name: str
    per_gib_hour: Price | None = None
    per_gib_month: Price | None = None
    per_thousand_requests: Price | None = None
    per_gib_retrieved: Price | None = None
    least_days: Annotated[int, msgspec.Meta(ge=0)] = 0
    least_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0


class EgressSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GiB that is sent there."""

    zone: Price | None = None
    region: Price | None = None
    internet: Price | None = None


class OverheadSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What no node carries."""

    control_plane_hourly: Price | None = None
    load_balancer_hourly: Price | None = None
    per_gib_logged: Price | None = None
    per_million_log_records: Price | None = None
    per_million_spans: Price | None = None
    per_series_month: Price | None = None


class OpenCostList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """List prices under OpenCost's names: a core, a GiB and a GPU for an hour, a GiB stored, a GiB sent."""

    CPU: _Listed = None
    RAM: _Listed = None
    GPU: _Listed = None
    spotCPU: _Listed = None
    spotRAM: _Listed = None
    spotGPU: _Listed = None
    storage: _Listed = None
    zoneNetworkEgress: _Listed = None
    regionNetworkEgress: _Listed = None
    internetNetworkEgress: _Listed = None
    defaultLBPrice: _Listed = None


class Listed(OpenCostList, frozen=True, forbid_unknown_fields=True):
    """What a version has."""

    nodes: list[NodeSpec] = []
    gpus: dict[str, Price] = {}
    storage_classes: list[StorageSpec] = []
    egress: EgressSpec = EgressSpec()
    overhead: OverheadSpec = OverheadSpec()


class VersionSpec(Listed, frozen=True, forbid_unknown_fields=True):
    """All prices from `since` on, a date (midnight UTC) or an instant."""

    since: str = ""
    currency: str | None = None


class PricesFile(Listed, frozen=True, forbid_unknown_fields=True):
    """The whole file; the first block prices people, requests and replicas, as `costs` of a context does."""

    hourly_rate: Price | None = None
    value_per_request: Price | None = None
    replica_hourly_rate: Price | None = None
    budget_per_million: Annotated[float, msgspec.Meta(gt=0)] | None = None
    currency: str = "USD"
    currencyCode: str | None = None
    provider: str = ""
    description: str = ""
    versions: list[VersionSpec] = []
