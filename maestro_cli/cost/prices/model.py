"""Prices, and which of them held when.

Units: a currency unit for one core-hour, one GiB-hour, one GPU-hour, one hour of a whole node, one GiB sent.
Invariant: a price that nobody gave is None and never 0; of two versions the one that began later holds from
its beginning on, and an instant before the first version has no price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise

HOURS_OF_A_MONTH = 730.0  # OpenCost's and the providers' month
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class Resource(Enum):
    """What is metered and paid; the amount of an hour is in core-hours, GiB-hours, GPU-hours."""

    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"


class Capacity(Enum):
    """How a node was bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"


@dataclass(frozen=True, slots=True)
class UnitRates:
    """What a unit of each resource costs for an hour: the list price, and the ratio that splits a node's."""

    cpu: float
    memory: float
    gpu: float | None = None

    def of(self, resource: Resource) -> float | None:
        rates = {Resource.CPU: self.cpu, Resource.MEMORY: self.memory, Resource.GPU: self.gpu}
        return rates[resource]


@dataclass(frozen=True, slots=True)
class NodePrice:
    """One hour of one kind of node; empty `region` means any. `interruptions_per_hour` is that of spot.

    With `node`, a name or an ID of the provider, it is the price of that one alone. `gpus_apart`: the price
    is without the node's GPUs, which `gpus` or the list prices (OpenCost's CSV is so).
    """

    instance_type: str
    hourly: float
    capacity: Capacity = Capacity.ON_DEMAND
    region: str = ""
    gpu: str = ""
    interruptions_per_hour: float | None = None
    node: str = ""
    gpus_apart: bool = False


@dataclass(frozen=True, slots=True)
class StorageClass:
    """One GiB of a class of storage for an hour, and what it costs to ask, to read back and to leave early.

    `per_thousand_requests` and `per_gib_retrieved` are for objects; `least_days` and `least_bytes` are what
    is charged at the least.
    """

    name: str
    per_gib_hour: float
    per_thousand_requests: float | None = None
    per_gib_retrieved: float | None = None
    least_days: int = 0
    least_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Egress:
    """One GiB that leaves: to another zone, another region, the internet."""

    zone: float | None = None
    region: float | None = None
    internet: float | None = None


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """All prices from `since` on.

    `on_demand` and `spot` price nodes whose type is in no line, and split the price of those that are:
    a node's hourly price is shared over its resources in the ratio that these have to each other. `gpus` is
    one hour of one GPU of a kind, before that of the list.
    `per_gib_logged`, `per_million_log_records`, `per_million_spans` and `per_series_month` price logs, traces
    and metric series; `control_plane_hourly` and `load_balancer_hourly` are overhead that no node carries.
    """

    since: datetime
    on_demand: UnitRates | None = None
    spot: UnitRates | None = None
    nodes: tuple[NodePrice, ...] = ()
    gpus: Mapping[str, float] = field(default_factory=dict)
    storage: tuple[StorageClass, ...] = ()
    egress: Egress = Egress()
    control_plane_hourly: float | None = None
    load_balancer_hourly: float | None = None
    per_gib_logged: float | None = None
    per_million_log_records: float | None = None
    per_million_spans: float | None = None
    per_series_month: float | None = None

    def rates(self, capacity: Capacity) -> UnitRates | None:
        return self.spot if capacity is Capacity.SPOT else self.on_demand

    def node(self, instance_type: str, region: str, capacity: Capacity) -> NodePrice | None:
        """The line for that kind of node: the one of its region before the one of any."""
        lines = [
            one
            for one in self.nodes
            if not one.node and one.instance_type == instance_type and one.capacity is capacity
        ]
        exact = [one for one in lines if one.region == region]
        anywhere = [one for one in lines if not one.region]
        return next(iter((*exact, *anywhere)), None)

    def one_node(self, names: Iterable[str], region: str) -> NodePrice | None:
        """The line for one node alone, by any of its names; upper and lower case are one."""
        wanted = {name.casefold() for name in names if name}
        lines = [one for one in self.nodes if one.node and one.node.casefold() in wanted]
        return next((one for one in lines if one.region in ("", region)), None)

    def gpu(self, kind: str) -> float | None:
        """One hour of one GPU of that kind; upper and lower case are one."""
        return next(
            (hourly for name, hourly in self.gpus.items() if name.casefold() == kind.casefold()), None
        )

    def storage_class(self, name: str) -> StorageClass | None:
        """The class of that name, else the one without a name, which stands for any."""
        return next((one for wanted in (name, "") for one in self.storage if one.name == wanted), None)


def is_currency(code: str) -> bool:
    """Whether it has the shape of one: three capital letters (ISO 4217)."""
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every version of the prices, in the order of time; `source` says where they were read."""

    currency: str
    versions: tuple[PriceVersion, ...]
    source: str = ""

    @classmethod
    def of(cls, currency: str, versions: Iterable[PriceVersion], source: str = "") -> PriceBook:
        """Raises ValueError when there is no version, or two begin at one instant."""
        ordered = tuple(sorted(versions, key=lambda version: version.since))
        if not ordered:
            raise ValueError("a price book without a version")
        if any(one.since == later.since for one, later in pairwise(ordered)):
            raise ValueError("two versions of the prices begin at one instant")
        return cls(currency, ordered, source)

    def at(self, instant: datetime) -> PriceVersion | None:
        """What held then; None before the first version began."""
        held = [version for version in self.versions if version.since <= instant]
        return held[-1] if held else None
