"""What machines hold, by the nodes of a cluster. Invariant: an amount that cannot be read is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.promql import exported_label
from maestro_cli.core.quantities import parse_quantity
from maestro_cli.cost.metering import labels
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.metering.queries import GPUS
from maestro_cli.cost.spot.batch import Batch


@dataclass(frozen=True, slots=True, order=True)
class Room:
    """What pods may have of a machine: cores, GiB, GPUs."""

    cpu: float
    memory_gib: float
    gpu: float = 0.0

    def holds(self, batch: Batch) -> bool:
        """One pod of it: each may have a machine of its own."""
        asked = (batch.cpu or 0.0, batch.memory_gib or 0.0, batch.gpu)
        return all(
            one <= most for one, most in zip(asked, (self.cpu, self.memory_gib, self.gpu), strict=True)
        )


def rooms_of(nodes: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Room, ...]]:
    """Of each instance type what its nodes have for pods, the most cores first; nodes as the API tells them.

    None of them stands for all: the one with the most cores may be one whose GPUs nobody tells.
    """
    found: defaultdict[str, set[Room]] = defaultdict(set)
    for node in nodes:
        told = _part(_part(node, "metadata"), "labels")
        names = {exported_label(str(name)): str(value) for name, value in told.items()}
        if kind := labels.instance_type(names):
            found[kind].add(_room(_part(_part(node, "status"), "allocatable")))
    return {kind: tuple(sorted(rooms, reverse=True)) for kind, rooms in found.items()}


def _room(allocatable: Mapping[str, Any]) -> Room:
    gpus = [name for name in allocatable if exported_label(str(name)) in GPUS]
    return Room(
        _amount(allocatable.get("cpu")),
        _amount(allocatable.get("memory")) / GIB,
        sum(_amount(allocatable.get(name)) for name in gpus),
    )


def _amount(value: object) -> float:
    try:
        return parse_quantity(value) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return 0.0


def _part(thing: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = thing.get(name)
    return part if isinstance(part, Mapping) else {}
