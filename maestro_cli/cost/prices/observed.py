"""Prices as a bill has them: what OpenCost says that nodes and volumes cost, made into a price book.

    an hour of a node = what it cost ÷ the hours that it was there; of a kind: the mean of its nodes
    a core, a GiB and a GPU = what those of all nodes on demand (of spot) cost ÷ how many hours there were
    a GiB stored = what volumes of the class cost ÷ their GiB-hours

Invariant: what cost nothing, or was there for no time, prices nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import (
    ALWAYS,
    Capacity,
    NodePrice,
    PriceBook,
    PriceVersion,
    Resource,
    StorageClass,
    UnitRates,
)


@dataclass(frozen=True, slots=True)
class NodeAsset:
    """One node while it was there: `amounts` in core-, GiB- and GPU-hours, and what each of them cost."""

    name: str
    provider_id: str
    instance_type: str
    region: str
    capacity: Capacity
    hours: float
    cost: float
    amounts: dict[Resource, float] = field(default_factory=dict)
    costs: dict[Resource, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiskAsset:
    """One volume: `byte_hours` are its size times the time that it was there."""

    storage_class: str
    byte_hours: float
    cost: float


def observed_book(
    nodes: Sequence[NodeAsset], disks: Iterable[DiskAsset], currency: str, source: str
) -> PriceBook | None:
    """One version that always held; None when nothing cost anything."""
    paid = [one for one in nodes if one.hours > 0 and one.cost > 0]
    by_kind: defaultdict[tuple[str, str, Capacity], list[NodeAsset]] = defaultdict(list)
    for one in paid:
        if one.instance_type:
            by_kind[one.instance_type, one.region, one.capacity].append(one)
    own = [
        NodePrice(one.instance_type, one.cost / one.hours, one.capacity, one.region, node=name)
        for one in paid
        for name in dict.fromkeys((one.name, one.provider_id))
        if name
    ]
    kinds = [
        NodePrice(kind, _sum(one.cost for one in found) / _sum(one.hours for one in found), capacity, region)
        for (kind, region, capacity), found in by_kind.items()
    ]
    storage = tuple(_storage(disks))
    if not own and not storage:
        return None
    version = PriceVersion(
        ALWAYS,
        on_demand=_rates(paid, Capacity.ON_DEMAND),
        spot=_rates(paid, Capacity.SPOT),
        nodes=(*own, *kinds),
        storage=storage,
    )
    return PriceBook.of(currency, [version], source)


def _rates(nodes: Iterable[NodeAsset], capacity: Capacity) -> UnitRates | None:
    """What a unit of each resource cost on average; None where there was no core or no memory."""
    own = [one for one in nodes if one.capacity is capacity]
    means = {}
    for resource in Resource:
        amount = _sum(one.amounts.get(resource, 0.0) for one in own)
        cost = _sum(one.costs.get(resource, 0.0) for one in own)
        means[resource] = cost / amount if amount > 0 and cost > 0 else None
    cpu, memory = means[Resource.CPU], means[Resource.MEMORY]
    return None if cpu is None or memory is None else UnitRates(cpu, memory, means[Resource.GPU])


def _storage(disks: Iterable[DiskAsset]) -> Iterable[StorageClass]:
    by_class: defaultdict[str, list[DiskAsset]] = defaultdict(list)
    for one in disks:
        if one.byte_hours > 0 and one.cost > 0:
            by_class[one.storage_class].append(one)
    for name, found in sorted(by_class.items()):
        yield StorageClass(
            name, _sum(one.cost for one in found) / (_sum(one.byte_hours for one in found) / GIB)
        )


def _sum(amounts: Iterable[float]) -> float:
    return math.fsum(amounts)
