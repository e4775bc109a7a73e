"""What a unit of each resource of a node costs in each hour: the node's price, split over what it has.

    price of one GiB = hourly ÷ (GPUs·G/M + cores·C/M + GiB); of a core C/M times that, of a GPU G/M times

where C, M, G are the list rates of a core, a GiB and a GPU: only their ratio counts, so that what the parts
cost adds up to what the node costs (OpenCost's specification, appendix A). A node that no line prices has the
list rates themselves. Memory is in GiB throughout: mixing in bytes is how a GPU node gets cheap elsewhere.

Invariants: cores × rate + GiB × rate + GPUs × rate = the node's price in every hour; a resource of which the
node has none costs nothing; what has no price, or was not measured, is NaN. The price that holds when an hour
begins holds for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.cost.metering.model import Hours, Metered, NodeRef
from maestro_cli.cost.prices.model import NodePrice, PriceBook, PriceVersion, Resource, UnitRates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Row: TypeAlias = "NDArray[np.float64]"

# OpenCost's defaults (configs/default.json): they split a price where there is no list, and price nothing.
RATIO = UnitRates(cpu=0.031611, memory=0.004237, gpu=0.95)


@dataclass(frozen=True, slots=True)
class NodeRates:
    """Of one node, a figure an hour: `hourly` what all of it costs for an hour, `rates` a unit-hour.

    `by_list`: in some hour no line priced its kind and the list did; `unpriced`: in some hour that it was
    there, nothing did.
    """

    hourly: Row
    rates: Mapping[Resource, Row]
    by_list: bool = False
    unpriced: bool = False


@dataclass(frozen=True, slots=True)
class ClusterRates:
    """Of all nodes: one row a node, one column an hour; and which kinds had the list prices, or none."""

    hourly: Row
    rates: Mapping[Resource, Row]
    by_list: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()


def cluster_rates(book: PriceBook, metered: Metered) -> ClusterRates:
    """`node_rates` of every node that was metered, in their order."""
    import numpy as np

    shape = (len(metered.nodes), metered.hours.count)
    hourly = np.full(shape, np.nan)
    rates = {resource: np.full(shape, np.nan) for resource in Resource}
    by_list: dict[str, None] = {}
    unpriced: dict[str, None] = {}
    for index, node in enumerate(metered.nodes):
        amounts = {resource: rows[index] for resource, rows in metered.capacity.items()}
        found = node_rates(book, node, metered.hours, amounts, metered.present[index])
        hourly[index] = found.hourly
        for resource in Resource:
            rates[resource][index] = found.rates[resource]
        if found.by_list:
            by_list[kind_of(node)] = None
        if found.unpriced:
            unpriced[kind_of(node)] = None
    return ClusterRates(hourly, rates, tuple(by_list), tuple(unpriced))


def node_rates(
    book: PriceBook, node: NodeRef, hours: Hours, capacity: Mapping[Resource, Row], present: Row
) -> NodeRates:
    """The rates of one node.

    `capacity` is what it had, in unit-hours an hour (a resource that is not in it is none), `present` the
    share of each hour that it was there. An hour that it was not there costs nothing.
    """
    import numpy as np

    hourly = np.full(hours.count, np.nan)
    rates = {resource: np.full(hours.count, np.nan) for resource in Resource}
    by_list = unpriced = False
    for version, part in _spans(book, hours):
        there = present[part]
        amounts = {one: capacity[one][part] if one in capacity else np.zeros_like(there) for one in Resource}
        price = None if version is None else line_of(version, node)
        by_list = by_list or bool(version is not None and price is None and np.any(there > 0))
        if version is not None:
            hourly[part], found = _priced(version, price, node, amounts, there)
            for resource, row in found.items():
                rates[resource][part] = row
        lacking = np.isnan(hourly[part]) & ~np.isnan(sum(amounts.values()))
        unpriced = unpriced or bool(np.any(lacking & (there > 0)))
    return NodeRates(hourly, rates, by_list and not unpriced, unpriced)


def kind_of(node: NodeRef) -> str:
    """What a line of prices would have to name."""
    parts = (node.instance_type or "no instance type", node.region, node.capacity.value)
    return " ".join(part for part in parts if part)


def _spans(book: PriceBook, hours: Hours) -> Iterator[tuple[PriceVersion | None, slice]]:
    """The hours that one version holds for, each hour once."""
    start = 0
    while start < hours.count:
        version = book.at(hours.beginning(start))
        end = start + 1
        while end < hours.count and book.at(hours.beginning(end)) is version:
            end += 1
        yield version, slice(start, end)
        start = end


def line_of(version: PriceVersion, node: NodeRef) -> NodePrice | None:
    """The line that prices a node: its own before that of its kind."""
    own = node.provider_id.rpartition("/")[
        2
    ]  # of aws:///eu-west-1a/i-0abc OpenCost's lines have the last part
    by_name = version.one_node((node.name, node.provider_id, own), node.region)
    if by_name is not None or not node.instance_type:
        return by_name
    return version.node(node.instance_type, node.region, node.capacity)


def _priced(
    version: PriceVersion,
    price: NodePrice | None,
    node: NodeRef,
    amounts: Mapping[Resource, Row],
    there: Row,
) -> tuple[Row, dict[Resource, Row]]:
    """Hourly price of the whole node, and the rates."""
    import numpy as np

    listed = version.rates(node.capacity)
    gpu = version.gpu(node.gpu or (price.gpu if price else ""))
    if price is None:
        rates = {one: _constant(_list_rate(listed, one, gpu), amounts[one], there) for one in Resource}
        whole = np.full_like(there, np.nan)
        np.divide(sum(rates[one] * amounts[one] for one in Resource), there, out=whole, where=there > 0)
        return whole, rates
    if price.gpus_apart:
        apart = _constant(_list_rate(listed, Resource.GPU, gpu), amounts[Resource.GPU], there)
        split = _split(price.hourly, {**amounts, Resource.GPU: np.zeros_like(there)}, there, _ratio(version))
        rates = {**split, Resource.GPU: apart}
        whole = np.full_like(there, np.nan)
        np.divide(apart * amounts[Resource.GPU], there, out=whole, where=there > 0)
        return whole + price.hourly, rates
    ratio = _ratio(version, gpu)
    return np.full_like(there, price.hourly), _split(price.hourly, amounts, there, ratio)


def _split(
    hourly: float, amounts: Mapping[Resource, Row], there: Row, ratio: Mapping[Resource, float]
) -> dict[Resource, Row]:
    """Rates that add up to the price of the time that the node was there."""
    import numpy as np

    weight = sum(amounts[one] * ratio[one] for one in Resource)
    unit = np.where(there == 0, 0.0, np.nan)
    np.divide(hourly * there, weight, out=unit, where=np.nan_to_num(weight) > 0)
    return {one: np.where(amounts[one] == 0, 0.0, unit * ratio[one]) for one in Resource}


def _constant(rate: float | None, amounts: Row, there: Row) -> Row:
    """One rate for every hour, 0 for hours with nothing to pay."""
    import numpy as np

    price = np.nan if rate is None else rate
    known = np.where(np.isnan(amounts) | np.isnan(there), np.nan, price)
    return np.where((amounts == 0) | (there == 0), 0.0, known)


def _list_rate(listed: UnitRates | None, resource: Resource, gpu: float | None) -> float | None:
    if resource is Resource.GPU and gpu is not None:
        return gpu
    return None if listed is None else listed.of(resource)


def _ratio(version: PriceVersion, gpu: float | None = None) -> dict[Resource, float]:
    """What splits a price: the list where there is one; a GPU that it lacks has OpenCost's ratio."""
    listed = version.on_demand or version.spot or RATIO
    if gpu is None:
        gpu = listed.gpu
    if gpu is None:
        gpu = listed.memory * (RATIO.of(Resource.GPU) or 0.0) / RATIO.memory
    return {Resource.CPU: listed.cpu, Resource.MEMORY: listed.memory, Resource.GPU: gpu}
