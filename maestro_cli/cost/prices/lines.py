"""What holds at an instant, price by price, and what of a cluster it prices.

Invariant: a kind of node that no line prices is named, with the list prices or with none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.cost.metering.model import NodeRef
from maestro_cli.cost.prices.file import Oddity
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, PriceVersion, Resource, UnitRates
from maestro_cli.cost.prices.split import line_of

_UNITS = {Resource.CPU: "core-hour", Resource.MEMORY: "GiB-hour", Resource.GPU: "GPU-hour"}


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One price: of `what`, a unit of it. `note` says what else is known of it."""

    what: str
    name: str
    price: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class KindPriced:
    """Nodes of one kind in the cluster; `by` is `line`, `list` or empty for no price."""

    instance_type: str
    region: str
    capacity: str
    nodes: int
    by: str
    hourly: float | None


@dataclass(frozen=True, slots=True)
class PriceList:
    """`kinds` are those of the cluster's nodes; None with `why` where it could not be asked."""

    context: str
    source: str
    currency: str
    at: datetime
    since: datetime
    versions: int
    lines: tuple[PriceLine, ...]
    kinds: tuple[KindPriced, ...] | None
    why: str
    oddities: tuple[Oddity, ...]


def price_lines(version: PriceVersion) -> Iterator[PriceLine]:
    """Every price of a version, in the order in which a bill has them."""
    for node in version.nodes:
        often = node.interruptions_per_hour
        known = (
            node.region,
            node.capacity.value,
            node.gpu,
            "" if often is None else f"{often:g} interruptions an hour",
        )
        yield PriceLine(
            "node", node.node or node.instance_type, node.hourly, "hour", ", ".join(filter(None, known))
        )
    yield from _listed("list", version.on_demand)
    yield from _listed("list, spot", version.spot)
    for name, hourly in version.gpus.items():
        yield PriceLine("GPU", name, hourly, "GPU-hour")
    for kept in version.storage:
        yield PriceLine(
            "storage", kept.name or "any other", kept.per_gib_hour * HOURS_OF_A_MONTH, "GiB-month"
        )
    for name, amount, unit in (
        ("to another zone", version.egress.zone, "GiB"),
        ("to another region", version.egress.region, "GiB"),
        ("to the internet", version.egress.internet, "GiB"),
        ("control plane", version.control_plane_hourly, "hour"),
        ("load balancer", version.load_balancer_hourly, "hour"),
        ("logs", version.per_gib_logged, "GiB"),
        ("log records", version.per_million_log_records, "million"),
        ("spans", version.per_million_spans, "million"),
        ("metric series", version.per_series_month, "series and month"),
    ):
        if amount is not None:
            yield PriceLine("egress" if unit == "GiB" and name != "logs" else "overhead", name, amount, unit)


def _listed(what: str, rates: UnitRates | None) -> Iterator[PriceLine]:
    for resource in Resource if rates is not None else ():
        rate = None if rates is None else rates.of(resource)
        if rate is not None:
            yield PriceLine(what, resource.value, rate, _UNITS[resource])


def kinds_priced(version: PriceVersion, nodes: Iterable[NodeRef]) -> tuple[KindPriced, ...]:
    """By what each kind of node of a cluster is priced, those without a price first."""
    counted: Counter[tuple[str, str, str, str, float | None]] = Counter()
    for node in nodes:
        line = line_of(version, node)
        listed = version.rates(node.capacity) is not None
        by, hourly = ("line", line.hourly) if line is not None else ("list" if listed else "", None)
        counted[node.instance_type, node.region, node.capacity.value, by, hourly] += 1
    found = [
        KindPriced(kind, region, capacity, count, by, hourly)
        for (kind, region, capacity, by, hourly), count in counted.items()
    ]
    order = ("", "list", "line")
    return tuple(
        sorted(found, key=lambda one: (order.index(one.by), one.instance_type, one.region, one.capacity))
    )
