"""What an allocation is, cell by cell and hour by hour in plain Python, to compare the fast one with.

Prices of nodes are taken as they are split; all else is the definition.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from maestro_cli.cost.allocation.grouping import Place, keys_of
from maestro_cli.cost.allocation.model import Component, RowKind
from maestro_cli.cost.allocation.sharing import IdleSharing, Sharing, Spread, Step
from maestro_cli.cost.metering.model import ContainerRef, Metered, Signal
from maestro_cli.cost.prices.model import PriceBook, Resource
from maestro_cli.cost.prices.split import cluster_rates

Name = tuple[RowKind, tuple[str, ...]]
RESOURCES = {
    Component.CPU: Resource.CPU,
    Component.MEMORY: Resource.MEMORY,
    Component.GPU: Resource.GPU,
}


@dataclass
class Thing:
    """One subject in one hour."""

    kind: RowKind
    ref: ContainerRef
    cells: defaultdict[Component, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def total(self) -> float:
        return sum(self.cells.values())


def known(value: float) -> float:
    return 0.0 if math.isnan(value) else float(value)


def defined(
    metered: Metered, book: PriceBook, grouping: tuple[str, ...], sharing: Sharing
) -> dict[tuple[Name, Component], float]:
    """The cost of each row and component."""
    cells: defaultdict[tuple[Name, Component], float] = defaultdict(float)
    nodes = {node.name: node for node in metered.nodes}
    shared = {one.namespace for one in sharing.namespaces}

    def name(thing: Thing) -> Name:
        keys = keys_of(grouping, Place(thing.ref, nodes.get(thing.ref.node), metered.cluster))
        if thing.kind is RowKind.SPENDER and not any(keys):
            return RowKind.UNALLOCATED, keys
        if thing.kind is RowKind.SPENDER and thing.ref.namespace in shared:
            return RowKind.SHARED, keys
        return thing.kind, keys

    for hour in range(metered.hours.count):
        things = charged(metered, book, hour)
        for step in sharing.order:
            if step is Step.IDLE:
                share_idle(things, sharing.idle)
            elif step is Step.NAMESPACES:
                for one in sharing.namespaces:
                    bearers = [
                        thing
                        for thing in things
                        if thing.kind is RowKind.SPENDER and thing.ref.namespace not in shared
                    ]
                    sources = [thing for thing in things if thing.ref.namespace == one.namespace]
                    move(sources, bearers, [name(thing) for thing in bearers], one.spread, one.weights)
            elif sharing.overhead is not None:
                bearers = [
                    thing
                    for thing in things
                    if thing.kind is RowKind.SPENDER and thing.ref.namespace not in shared
                ]
                sources = [thing for thing in things if thing.kind is RowKind.OVERHEAD]
                names = [name(thing) for thing in bearers]
                move(sources, bearers, names, sharing.overhead, sharing.overhead_weights)
        for thing in things:
            for component, amount in thing.cells.items():
                cells[name(thing), component] += amount
    return dict(cells)


def charged(metered: Metered, book: PriceBook, hour: int) -> list[Thing]:
    """Everything that costs in an hour."""
    found = cluster_rates(book, metered)
    rates = found.rates
    rows = {node.name: row for row, node in enumerate(metered.nodes)}
    things = [Thing(RowKind.SPENDER, one) for one in metered.containers]
    idle = {node.name: Thing(RowKind.IDLE, ContainerRef("", "", "", node.name)) for node in metered.nodes}
    over = {name: Thing(RowKind.OVERCOMMIT, thing.ref) for name, thing in idle.items()}
    split: defaultdict[str, float] = defaultdict(float)
    for component, resource in RESOURCES.items():
        left = {
            name: known(rates[resource][row, hour] * metered.capacity[resource][row, hour])
            for name, row in rows.items()
        }
        asset = dict(left)
        for name, amount in asset.items():
            split[name] += amount
        for number, thing in enumerate(things):
            asked = metered.requested[resource][number, hour]
            used = metered.used[resource][number, hour] if resource in metered.used else math.nan
            if thing.ref.node in rows:
                row = rows[thing.ref.node]
                rate = rates[resource][row, hour]
                is_known = not math.isnan(metered.capacity[resource][row, hour])
                thing.cells[component] = max(known(asked), known(used)) * known(rate) * is_known
                left[thing.ref.node] -= thing.cells[component]
        for name, amount in left.items():
            if abs(amount) > 1e-12 * asset[name]:
                (idle if amount > 0 else over)[name].cells[component] = amount
    for name, row in rows.items():
        size = [metered.capacity[one][row, hour] for one in (Resource.CPU, Resource.MEMORY)]
        if any(map(math.isnan, size)) and metered.present[row, hour] > 0:
            price = known(found.hourly[row, hour] * metered.present[row, hour])
            idle[name].cells[Component.OVERHEAD] = max(price - split[name], 0.0)
    return [*things, *idle.values(), *over.values(), *others(metered, book, hour, things)]


def others(metered: Metered, book: PriceBook, hour: int, containers: list[Thing]) -> Iterable[Thing]:
    """Volumes that nobody mounts, load balancers, the control plane; and what containers mount and send."""
    version = book.at(metered.hours.beginning(hour))
    if version is None:
        return
    lived = [
        any(
            not math.isnan(rows[number, hour])
            for rows in (*metered.requested.values(), *metered.used.values())
        )
        for number in range(len(containers))
    ]
    for number, volume in enumerate(metered.volumes):
        price = version.storage_class(volume.storage_class)
        cost = known(metered.volume_gib[number, hour]) * (0.0 if price is None else price.per_gib_hour)
        mounts: defaultdict[str, list[Thing]] = defaultdict(list)
        for alive, thing in zip(lived, containers, strict=True):
            if alive and thing.ref.namespace == volume.namespace and thing.ref.pod in volume.pods:
                mounts[thing.ref.pod].append(thing)
        for mounting in mounts.values():
            for thing in mounting:
                thing.cells[Component.STORAGE] += cost / len(mounts) / len(mounting)
        if not mounts:
            alone = Thing(RowKind.UNALLOCATED, ContainerRef(volume.namespace, "", "", ""))
            alone.cells[Component.STORAGE] = cost
            yield alone
    for destination, sent in metered.sent_gib.items():
        price_sent = getattr(version.egress, destination)
        for number, thing in enumerate(containers):
            thing.cells[Component.NETWORK] += known(sent[number, hour]) * (price_sent or 0.0)
    for number, balancer in enumerate(metered.balancers):
        ref = ContainerRef(balancer.namespace, "", "", "", "Service", balancer.service)
        thing = Thing(RowKind.SPENDER, ref)
        assert metered.balancer_hours is not None
        hours = metered.balancer_hours[number, hour]
        thing.cells[Component.OVERHEAD] = known(hours) * (version.load_balancer_hourly or 0.0)
        yield thing
    rates = {
        Signal.LOGS: (Component.LOGS, version.per_gib_logged),
        Signal.LOG_RECORDS: (Component.LOGS, version.per_million_log_records),
        Signal.SPANS: (Component.TRACES, version.per_million_spans),
    }
    for number, told in enumerate(metered.telemetry):
        component, rate = rates[told.signal]
        kind = RowKind.SPENDER if told.namespace else RowKind.OVERHEAD
        sent_by = Thing(kind, ContainerRef(told.namespace, "", "", ""))
        assert metered.telemetry_amounts is not None
        sent_by.cells[component] = known(metered.telemetry_amounts[number, hour]) * (rate or 0.0)
        yield sent_by
    plane = Thing(RowKind.OVERHEAD, ContainerRef("", "", "", ""))
    shares = [known(share) for share in metered.present[:, hour]]
    measured = float(metered.coverage[hour]) * float(metered.over[hour])
    there = max([*shares, min(sum(shares), measured)])
    plane.cells[Component.OVERHEAD] = there * (version.control_plane_hourly or 0.0)
    yield plane


def share_idle(things: list[Thing], how: IdleSharing) -> None:
    if how is IdleSharing.ROW:
        return
    named = {thing.ref.node for thing in things if thing.kind is RowKind.IDLE}
    places = [named] if how is IdleSharing.CLUSTER else [{name} for name in sorted(named)]
    for place in places:
        for resource in RESOURCES:
            here = [thing for thing in things if thing.ref.node in place]
            users = [thing for thing in here if thing.kind is RowKind.SPENDER]
            idle = [thing for thing in here if thing.kind is RowKind.IDLE]
            paid = sum(thing.cells[resource] for thing in users)
            pool = sum(thing.cells[resource] for thing in idle)
            if paid > 0:
                for thing in users:
                    thing.cells[Component.IDLE] += pool * thing.cells[resource] / paid
                for thing in idle:
                    thing.cells[resource] = 0.0


def move(
    sources: list[Thing], bearers: list[Thing], names: list[Name], spread: Spread, weights: object
) -> None:
    assert isinstance(weights, dict)
    groups: defaultdict[object, list[Thing]] = defaultdict(list)
    for thing, name in zip(bearers, names, strict=True):
        groups[{Spread.COST: "", Spread.EVEN: name, Spread.METRIC: thing.ref.namespace}[spread]].append(thing)
    paid = {key: sum(thing.total for thing in group) for key, group in groups.items()}
    share = {
        key: (weights.get(key, 0.0) if spread is Spread.METRIC else 1.0) if paid[key] > 0 else 0.0
        for key in groups
    }
    whole = sum(share.values())
    if not whole > 0:
        return
    pool = sum(thing.total for thing in sources)
    for source in sources:
        source.cells.clear()
    parts = [
        (thing, pool * share[key] / whole * thing.total / paid[key])
        for key, group in groups.items()
        if paid[key] > 0
        for thing in group
    ]
    for thing, part in parts:
        thing.cells[Component.SHARED] += part
