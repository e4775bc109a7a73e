"""The bill of a month under changes, one after the other.

The bill is taken apart by workload, node type and how nodes were bought. A change of replicas scales what a
workload pays for processors, memory and GPUs; of a cache, the replicas that its computed predictions need:

    replicas then = ⌈replicas now × (1 - hits then) ÷ (1 - hits now)⌉

so that each is as busy as it was. A share on spot pays the ratio of the two prices of its node type; another
node type scales all that is paid for nodes of that type, unused capacity included.

Bounds are the least and the most of four ways it may go: nodes come and go with pods, or stay as they are;
spot is had, or not. Expected is that nodes follow and spot is had.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.model import Component, Row, RowKind
from maestro_cli.cost.prices.model import Capacity, PriceVersion
from maestro_cli.cost.what_if.model import Bill, CacheHits, Change, NodeType, Replicas, SpotShare, Step

GROUPING = ("workload", "instance_type", "capacity")
_MACHINES = (Component.CPU, Component.MEMORY, Component.GPU)
Counter = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Part:
    """What a workload pays a month on one kind of node; `of_pods` is false for unused capacity."""

    workload: str
    instance_type: str
    capacity: Capacity
    machines: float
    of_pods: bool


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
        workload, instance_type, capacity = row.keys
        machines = sum(row.costs.get(one, 0.0) for one in (*_MACHINES, Component.IDLE))
        if machines:
            bought = Capacity.SPOT if capacity == Capacity.SPOT.value else Capacity.ON_DEMAND
            of_pods = row.kind in (RowKind.SPENDER, RowKind.SHARED)
            found.append(Part(workload, instance_type, bought, machines * month, of_pods))
    return tuple(found)


def reckon(
    parts: Sequence[Part], changes: Sequence[Change], replicas: Counter, prices: PriceVersion
) -> tuple[tuple[Step, ...], Bill]:
    """What each change adds in their order, and all of them. `replicas` tells those of a workload now.

    Raises ValueError for what is not there or has no price.
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
    counts: dict[str, float] = {}
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
    counts: dict[str, float],
    replicas: Counter,
    way: _Way,
) -> _Taken:
    before = counts.get(change.workload, replicas(change.workload))
    if not before or not any(one.of_pods and one.workload == change.workload for one in parts):
        raise ValueError(f"nothing was metered of {visible(change.workload, 120)}")
    if isinstance(change, Replicas):
        after = change.count
        why = [f"on average {before:.3g} replicas now; each asks for and uses the same then"]
    else:
        after = max(1.0, math.ceil(before * (1 - change.then) / (1 - change.now) - 1e-9))
        why = [
            f"{before:.3g} replicas → {after:g}: each computes as many predictions as now, hits cost nothing",
            "requests come as often as now, and are hits as often at the busiest time",
        ]
    counts[change.workload] = after
    factor = after / before if way.follows else 1.0
    made = tuple(
        replace(one, machines=one.machines * factor)
        if one.of_pods and one.workload == change.workload
        else one
        for one in parts
    )
    return _Taken(made, (*why, "nodes come and go with pods; the other bound: they stay as they are"))


def _on_spot(parts: tuple[Part, ...], change: SpotShare, prices: PriceVersion, way: _Way) -> _Taken:
    def moves(one: Part) -> bool:
        is_meant = not change.workload or one.workload == change.workload
        return one.of_pods and one.capacity is Capacity.ON_DEMAND and is_meant

    if not any(map(moves, parts)):
        raise ValueError(
            f"nothing of {visible(change.workload, 120) or 'the cluster'} was metered on on-demand nodes"
        )
    made: list[Part] = []
    told: dict[str, str] = {}
    for one in parts:
        if not moves(one):
            made.append(one)
            continue
        ratio = _spot_ratio(one.instance_type, prices)
        kind = visible(one.instance_type, 63) or "nodes without a type"
        told[kind] = f"{kind}: spot costs {ratio:.0%} of on-demand"
        moved = one.machines * change.share
        made += [
            replace(one, machines=one.machines - moved),
            replace(one, capacity=Capacity.SPOT, machines=moved * (ratio if way.has_spot else 1.0)),
        ]
    why = "interruptions cost nothing; the other bound: no spot is had, and the price stays"
    return _Taken(tuple(made), (*told.values(), why))


def _spot_ratio(instance_type: str, prices: PriceVersion) -> float:
    """By the lines of the node type, else by the list prices of a core."""
    spot, on_demand = (prices.node(instance_type, "", one) for one in (Capacity.SPOT, Capacity.ON_DEMAND))
    if spot is not None and on_demand is not None and on_demand.hourly > 0:
        return spot.hourly / on_demand.hourly
    listed = prices.spot, prices.on_demand
    if on_demand is None and listed[0] is not None and listed[1] is not None and listed[1].cpu > 0:
        return listed[0].cpu / listed[1].cpu
    raise ValueError(f"no price for spot nodes of type {visible(instance_type, 63) or '(none)'}")


def _retyped(parts: tuple[Part, ...], change: NodeType, prices: PriceVersion) -> _Taken:
    bought = {one.capacity for one in parts if one.instance_type == change.old}
    if not bought:
        raise ValueError(f"no node of type {visible(change.old, 63)} was metered")
    ratios = {one: _type_ratio(change, one, prices) for one in sorted(bought, key=lambda one: one.value)}
    made = tuple(
        replace(one, instance_type=change.new, machines=one.machines * ratios[one.capacity])
        if one.instance_type == change.old
        else one
        for one in parts
    )
    new, old = visible(change.new, 63), visible(change.old, 63)
    return _Taken(made, (f"as many nodes {new} as there are {old}, and all pods fit on them",))


def _type_ratio(change: NodeType, capacity: Capacity, prices: PriceVersion) -> float:
    hourly = []
    for name in (change.old, change.new):
        line = prices.node(name, "", capacity)
        if line is None or not line.hourly > 0:
            raise ValueError(f"no {capacity.value} price for nodes of type {visible(name, 63)}")
        hourly.append(line.hourly)
    return hourly[1] / hourly[0]
