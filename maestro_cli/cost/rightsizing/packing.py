"""Which nodes go away once pods ask for less: those whose pods all find a place on the others.

Nodes are emptied one after the other, the dearest first, then the emptiest; pods are placed first-fit, the
largest first. A place needs cores, memory, a free pod, and GPUs or what else is asked for, on a node that is
at most 85 % full by then. Pods that wait are placed before all: as long as one finds no place that a node
could give it, no node goes. Where a pod template is known, what it demands holds: labels and taints of nodes,
replicas apart, as many zones. Where none is known, what is seen is taken for demanded: replicas that are all
on different nodes stay so, a workload stays in as many zones and on nodes alike. In any case one that is in
several zones stays in two, and a pod with a volume in its zone. Pods that each node has of its own
(DaemonSets, those of the node itself) go with their node; one that nothing owns keeps its node.
Source of the bound: research, section 7.3, max over resources of ⌈Σ requests ÷ (allocatable · 0.85)⌉.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.placement import NodeDemand, PlacedPod, Room, is_alike

FULL = 0.85  # of what a node lets pods ask for; the rest is for rollouts and peaks
_PER_NODE = ("DaemonSet", "Node")


@dataclass(frozen=True, slots=True)
class Packed:
    """The nodes that stay, those that go, and the fewest that could hold it all by sums alone.

    `waiting` is how many pods find no place as it is.
    """

    stay: tuple[str, ...]
    go: tuple[str, ...]
    bound: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Demands:
    """What pod templates demand: whose replicas must be on different nodes, and in different zones.

    `nodes` are the workloads whose templates were read, and what each says of its nodes.
    """

    apart: frozenset[WorkloadId] = frozenset()
    zoned: frozenset[WorkloadId] = frozenset()
    nodes: Mapping[WorkloadId, NodeDemand] = field(default_factory=dict)

    def is_known(self, workload: WorkloadId) -> bool:
        return workload in self.nodes


NOTHING_READ = Demands()
_ENOUGH_ZONES = 2


@dataclass(slots=True)
class _Node:
    room: Room
    cpu: float = 0.0
    memory: float = 0.0
    others: Counter[str] = field(default_factory=Counter)
    pods: list[PlacedPod] = field(default_factory=list)

    def copy(self) -> _Node:
        return _Node(self.room, self.cpu, self.memory, self.others.copy(), list(self.pods))

    def takes(self, pod: PlacedPod) -> bool:
        room = self.room
        return (
            self.cpu + pod.cpu <= room.cpu * FULL
            and self.memory + pod.memory <= room.memory * FULL
            and (room.pods is None or len(self.pods) + 1 <= room.pods)
            and all(self.others[one] + many <= room.others.get(one, 0) for one, many in pod.others.items())
        )

    def add(self, pod: PlacedPod) -> None:
        self.pods.append(pod)
        self.cpu += pod.cpu
        self.memory += pod.memory
        for one, many in pod.others.items():
            self.others[one] += many  # type: ignore[assignment]  # parts of one are no whole number


@dataclass(slots=True)
class _Layout:
    """Nodes with their pods, and in which zones how many pods of each workload are.

    Its parts are shared with the layout that it was made of: who changes one puts another in its place.
    """

    nodes: dict[str, _Node]
    zones: dict[WorkloadId, Counter[str]]

    def without(self, name: str) -> _Layout:
        """Without that node; the pods of it that are to move are counted nowhere."""
        found = _Layout({other: one for other, one in self.nodes.items() if other != name}, dict(self.zones))
        zone = self.nodes[name].room.zone
        for pod in self.moving(name):
            found._count(pod, zone, -1)
        return found

    def moving(self, name: str) -> list[PlacedPod]:
        return [pod for pod in self.nodes[name].pods if not _is_of_its_node(pod)]

    def place(self, pods: Iterable[PlacedPod], spread: _Spread) -> list[PlacedPod]:
        """Put pods on nodes, the largest first; those are left that find no place."""
        left, own = [], set[str]()
        for pod in sorted(pods, key=lambda one: (-one.cpu, -one.memory, one.name)):
            place = next(
                (one for one in self.nodes.values() if one.takes(pod) and spread.allows(pod, one)), None
            )
            if place is None:
                left.append(pod)
                continue
            name = place.room.name
            if name not in own:
                own.add(name)
                place = self.nodes[name] = place.copy()
            place.add(pod)
            self._count(pod, place.room.zone, 1)
        return left

    def _count(self, pod: PlacedPod, zone: str, change: int) -> None:
        if pod.workload is not None:
            counts = self.zones[pod.workload] = Counter(self.zones.get(pod.workload, {}))
            counts[zone] += change


def pack(
    nodes: Sequence[Room],
    pods: Iterable[PlacedPod],
    hourly: Mapping[str, float],
    demands: Demands = NOTHING_READ,
    first: Sequence[str] = (),
) -> Packed:
    """Empty nodes as long as that goes, those of `first` before others.

    `hourly` prices them by name, and what has no price goes last.
    """
    held = {room.name: _Node(room) for room in nodes}
    waiting = []
    for pod in pods:
        if pod.node in held:
            held[pod.node].add(pod)
        elif not pod.node and not _is_of_its_node(pod):
            waiting.append(pod)
    stay = _Layout(dict(held), _zones(held.values()))
    spread = _Spread.seen(held.values(), demands)
    left = stay.place(waiting, spread)
    bound = _bound(stay.nodes.values())
    if not any(spread.could_take(pod) for pod in left):
        for node in sorted(stay.nodes.values(), key=partial(_turn, hourly, first)):
            if len(stay.nodes) <= max(1, bound):
                break
            stay = _emptied(node.room, stay, spread) or stay
    gone = tuple(name for name in held if name not in stay.nodes)
    return Packed(tuple(stay.nodes), gone, bound, len(left))


def _zones(nodes: Iterable[_Node]) -> dict[WorkloadId, Counter[str]]:
    zones: dict[WorkloadId, Counter[str]] = defaultdict(Counter)
    for node in nodes:
        for pod in node.pods:
            if pod.workload is not None:
                zones[pod.workload][node.room.zone] += 1
    return dict(zones)


def _turn(hourly: Mapping[str, float], first: Sequence[str], node: _Node) -> tuple[bool, float, float, str]:
    name = node.room.name
    return name not in first, -hourly.get(name, 0.0), node.cpu, name


def _emptied(room: Room, stay: _Layout, spread: _Spread) -> _Layout | None:
    """The other nodes with the pods of this one on them; None when one finds no place."""
    moving, others = stay.moving(room.name), stay.without(room.name)
    if spread.zones > len({one.room.zone for one in others.nodes.values()}):
        return None
    if any(pod.workload is None for pod in moving) or others.place(moving, spread):
        return None
    return others if all(spread.keeps_zones(pod, others) for pod in moving) else None


@dataclass(frozen=True, slots=True)
class _Spread:
    """How pods are spread, as it is seen: whose replicas are apart, and in how many zones a workload is."""

    apart: frozenset[WorkloadId]
    zones_of: Mapping[WorkloadId, int]
    zones: int
    demanded: Mapping[WorkloadId, NodeDemand]
    rooms: Mapping[str, Room]

    @classmethod
    def seen(cls, nodes: Iterable[_Node], demands: Demands) -> _Spread:
        nodes = list(nodes)
        places: dict[WorkloadId, list[_Node]] = defaultdict(list)
        for node in nodes:
            for pod in node.pods:
                if pod.workload is not None and not _is_of_its_node(pod):
                    places[pod.workload].append(node)
        apart = frozenset(
            workload
            for workload, of in places.items()
            if (
                workload in demands.apart
                if demands.is_known(workload)
                else len(of) > 1 and len({node.room.name for node in of}) == len(of)
            )
        )
        zones_of = {}
        for workload, of in places.items():
            zones = len({node.room.zone for node in of})
            is_free = demands.is_known(workload) and workload not in demands.zoned
            zones_of[workload] = min(zones, _ENOUGH_ZONES) if is_free else zones
        rooms = {node.room.name: node.room for node in nodes}
        return cls(apart, zones_of, max(zones_of.values(), default=1), demands.nodes, rooms)

    def allows(self, pod: PlacedPod, node: _Node) -> bool:
        is_free = pod.workload not in self.apart or all(one.workload != pod.workload for one in node.pods)
        return is_free and self._may_be(pod, node.room)

    def could_take(self, pod: PlacedPod) -> bool:
        """Whether a node could, if nothing else were on it."""
        return any(_Node(room).takes(pod) and self._may_be(pod, room) for room in self.rooms.values())

    def _may_be(self, pod: PlacedPod, room: Room) -> bool:
        now = self.rooms.get(pod.node)
        if pod.keeps_zone and now is not None and room.zone != now.zone:
            return False
        demand = None if pod.workload is None else self.demanded.get(pod.workload)
        return is_alike(room, now) if demand is None else demand.is_met_by(room)

    def keeps_zones(self, pod: PlacedPod, layout: _Layout) -> bool:
        """Whether its workload is in as many zones as it has to be."""
        if pod.workload is None:
            return True
        zones = sum(count > 0 for count in layout.zones[pod.workload].values())
        return zones >= self.zones_of.get(pod.workload, 0)


def _is_of_its_node(pod: PlacedPod) -> bool:
    return pod.workload is not None and pod.workload.kind in _PER_NODE


def _bound(nodes: Iterable[_Node]) -> int:
    """By the largest kind of node; a node's own pods take their part of every node."""
    nodes = list(nodes)
    if not nodes:
        return 0
    found = 1
    for resource in ("cpu", "memory"):
        own = Counter[str]()
        asked = 0.0
        for node in nodes:
            for pod in node.pods:
                amount = getattr(pod, resource)
                if _is_of_its_node(pod):
                    own[node.room.name] += amount
                else:
                    asked += amount
        largest = max(getattr(node.room, resource) * FULL - own[node.room.name] for node in nodes)
        if largest > 0:
            found = max(found, math.ceil(asked / largest - 1e-9))
    return found
