"""The bill of a month under changes, one after the other.

The bill is taken apart by workload, node type and how nodes were bought. A change of replicas scales what a
workload pays for processors, memory and GPUs; of a cache, the replicas that its computed predictions need:

    replicas then = ⌈replicas now × (1 - hits then) ÷ (1 - hits now)⌉

so that each is as busy as it was: at least one, and never more for more hits. A share on spot pays the ratio
of the two prices of its node type, by the list that of each resource; another node type scales all that is
paid for nodes of that type, unused capacity included.

Bounds are the least and the most of four ways it may go: nodes come and go with pods, or stay as they are;
spot is had, or not. Expected is that nodes follow and spot is had.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.model import Component, Row, RowKind
from maestro_cli.cost.prices.model import Capacity, NodePrice, PriceVersion, Resource
from maestro_cli.cost.what_if.model import (
    Bill,
    CacheHits,
    Change,
    NodeType,
    Replicas,
    Running,
    SpotShare,
    Step,
)

GROUPING = ("workload", "instance_type", "capacity", "region")
_MACHINES = {Component.CPU: Resource.CPU, Component.MEMORY: Resource.MEMORY, Component.GPU: Resource.GPU}
_SPOT, _ON_DEMAND = Capacity.SPOT, Capacity.ON_DEMAND
Counter = Callable[[str], Running | None]


class NoPrice(ValueError):
    """Of what would be there then."""


class NotMetered(ValueError):
    """It is about something that was not there; `by` is the grouping whose keys name what was."""

    def __init__(self, text: str, by: str) -> None:
        super().__init__(text)
        self.by = by


@dataclass(frozen=True, slots=True)
class Part:
    """What a workload pays a month on one kind of node; `of_pods` is false for unused capacity.

    `by_resource` is how it was made up when it was metered: what list prices are weighed by.
    """

    workload: str
    instance_type: str
    capacity: Capacity
    machines: float
    of_pods: bool
    region: str = ""
    by_resource: Mapping[Resource, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Way:
    """How it goes: whether nodes follow pods, and whether spot is had."""

    follows: bool
    has_spot: bool


@dataclass(frozen=True, slots=True)
class _Taken:
    """One change in one way: the parts after it and what was assumed."""

    parts: tuple[Part, ...]
    assumptions: tuple[str, ...]


def parts_of(rows: Iterable[Row], month: float) -> tuple[Part, ...]:
    """The machine costs of rows by GROUPING; `month` is what makes a month of them."""
    found = []
    for row in rows:
        workload, instance_type, capacity, region = row.keys
        machines = sum(row.costs.get(one, 0.0) for one in (*_MACHINES, Component.IDLE))
        if machines:
            bought = Capacity.SPOT if capacity == Capacity.SPOT.value else Capacity.ON_DEMAND
            of_pods = row.kind in (RowKind.SPENDER, RowKind.SHARED)
            paid = {resource: row.costs.get(one, 0.0) for one, resource in _MACHINES.items()}
            found.append(Part(workload, instance_type, bought, machines * month, of_pods, region, paid))
    return tuple(found)


def reckon(
    parts: Sequence[Part], changes: Sequence[Change], replicas: Counter, prices: PriceVersion
) -> tuple[tuple[Step, ...], Bill]:
    """What each change adds in their order, and all of them. `replicas` tells those of a workload now.

    Raises NotMetered for what is not there, NoPrice for what has no price.
    """
    ways = [_Way(follows, has_spot) for follows, has_spot in product((True, False), repeat=2)]
    taken = [_run(tuple(parts), changes, replicas, prices, way) for way in ways]
    added = [
        [_total(after.parts) - _total(before.parts) for before, after in _pairs(parts, run)] for run in taken
    ]
    steps = tuple(
        Step(change, _bill([run[at] for run in added]), taken[0][at].assumptions)
        for at, change in enumerate(changes)
    )
    return steps, _bill([sum(run) for run in added])


def _run(
    parts: tuple[Part, ...], changes: Sequence[Change], replicas: Counter, prices: PriceVersion, way: _Way
) -> list[_Taken]:
    counts: dict[str, Running] = {}
    found: list[_Taken] = []
    for change in changes:
        if isinstance(change, Replicas | CacheHits):
            taken = _scaled(parts, change, counts, replicas, way)
        elif isinstance(change, SpotShare):
            taken = _on_spot(parts, change, prices, way)
        else:
            taken = _retyped(parts, change, prices)
        parts = taken.parts
        found.append(taken)
    return found


def _pairs(parts: Sequence[Part], run: Sequence[_Taken]) -> Iterable[tuple[_Taken, _Taken]]:
    return zip([_Taken(tuple(parts), ()), *run], run, strict=False)


def _total(parts: Iterable[Part]) -> float:
    return sum(one.machines for one in parts)


def _bill(ways: Sequence[float]) -> Bill:
    return Bill(ways[0], min(ways), max(ways))


def _scaled(
    parts: tuple[Part, ...],
    change: Replicas | CacheHits,
    counts: dict[str, Running],
    replicas: Counter,
    way: _Way,
) -> _Taken:
    found = counts.get(change.workload) or replicas(change.workload)
    if found is None or not any(one.of_pods and one.workload == change.workload for one in parts):
        raise NotMetered(f"nothing was metered of {visible(change.workload, 120)}", "workload")
    before = found.mean
    if isinstance(change, Replicas):
        after = change.count
        why = [f"on average {before:.3g} replicas now; each asks for and uses the same then"]
        if not after:
            why.append("its volumes and load balancers stay")
    else:
        after = _computing(change, found)
        why = [
            f"{before:.3g} replicas → {after:g}: each computes as many predictions as now, hits cost nothing",
            "requests come as often as now, and are hits as often at the busiest time",
        ]
    if found.varied:
        scales = "what scales it would set another number"
        why.append(f"it had {found.least:.3g} to {found.most:.3g} in an hour: {scales}, or must be told")
    counts[change.workload] = Running(after, after, after)
    factor = after / before if way.follows and before else 1.0
    made = tuple(
        replace(one, machines=one.machines * factor)
        if one.of_pods and one.workload == change.workload
        else one
        for one in parts
    )
    return _Taken(made, (*why, "nodes come and go with pods; the other bound: they stay as they are"))


def _computing(change: CacheHits, found: Running) -> float:
    """Replicas that are left to compute; with more hits never more than there were.

    What rollouts added to a whole number that did not vary computes nothing.
    """
    whole = found.mean if found.varied else round(found.mean) or found.mean
    needed = max(1.0, math.ceil(whole * (1 - change.then) / (1 - change.now) - 1e-9))
    return min(needed, found.mean) if change.then >= change.now else needed


def _on_spot(parts: tuple[Part, ...], change: SpotShare, prices: PriceVersion, way: _Way) -> _Taken:
    def moves(one: Part) -> bool:
        is_meant = not change.workload or one.workload == change.workload
        return one.of_pods and one.capacity is Capacity.ON_DEMAND and is_meant

    if not any(map(moves, parts)):
        raise NotMetered(
            f"nothing of {visible(change.workload, 120) or 'the cluster'} was metered on on-demand nodes",
            "workload,capacity",
        )
    made: list[Part] = []
    told: dict[str, str] = {}
    for one in parts:
        if not moves(one):
            made.append(one)
            continue
        ratio = _spot_ratio(one, prices)
        kind = visible(one.instance_type, 63) or "nodes without a type"
        told[kind] = f"{kind}: spot costs {ratio:.0%} of on-demand"
        moved = one.machines * change.share
        made += [
            replace(one, machines=one.machines - moved),
            replace(one, capacity=Capacity.SPOT, machines=moved * (ratio if way.has_spot else 1.0)),
        ]
    why = "interruptions cost nothing; the other bound: no spot is had, and the price stays"
    return _Taken(tuple(made), (*told.values(), why))


def _spot_ratio(one: Part, prices: PriceVersion) -> float:
    """By the lines of the node type, else by the list prices of what the part is made up of."""
    spot, on_demand = (prices.node(one.instance_type, one.region, bought) for bought in (_SPOT, _ON_DEMAND))
    if spot is not None and on_demand is not None and on_demand.hourly > 0:
        _require_whole(one, spot, on_demand)
        return spot.hourly / on_demand.hourly
    if on_demand is None and prices.spot is not None and prices.on_demand is not None:
        paid = {resource: amount for resource, amount in one.by_resource.items() if amount > 0}
        rates = [
            (amount, prices.spot.of(resource), prices.on_demand.of(resource))
            for resource, amount in (paid or {Resource.CPU: 1.0}).items()
        ]
        if all(there is not None and listed for _, there, listed in rates):
            moved = sum(amount * (there or 0.0) / (listed or 1.0) for amount, there, listed in rates)
            return moved / sum(amount for amount, _, _ in rates)
    raise NoPrice(f"no price for spot nodes of type {visible(one.instance_type, 63) or '(none)'}")


def _require_whole(one: Part, *lines: NodePrice) -> None:
    """Raises NoPrice where lines are without the GPUs that the part pays for."""
    if one.by_resource.get(Resource.GPU) and any(line.gpus_apart for line in lines):
        raise NoPrice(f"prices of nodes of type {visible(lines[0].instance_type, 63)} are without their GPUs")


def _retyped(parts: tuple[Part, ...], change: NodeType, prices: PriceVersion) -> _Taken:
    if not any(one.instance_type == change.old for one in parts):
        raise NotMetered(f"no node of type {visible(change.old, 63)} was metered", "instance_type")
    made = tuple(
        replace(one, instance_type=change.new, machines=one.machines * _type_ratio(change, one, prices))
        if one.instance_type == change.old
        else one
        for one in parts
    )
    new, old = visible(change.new, 63), visible(change.old, 63)
    return _Taken(made, (f"as many nodes {new} as there are {old}, and all pods fit on them",))


def _type_ratio(change: NodeType, one: Part, prices: PriceVersion) -> float:
    lines = []
    for name in (change.old, change.new):
        line = prices.node(name, one.region, one.capacity)
        if line is None or not line.hourly > 0:
            where = f" in {visible(one.region, 63)}" if one.region else ""
            raise NoPrice(f"no {one.capacity.value} price for nodes of type {visible(name, 63)}{where}")
        lines.append(line)
    _require_whole(one, *lines)
    return lines[1].hourly / lines[0].hourly
