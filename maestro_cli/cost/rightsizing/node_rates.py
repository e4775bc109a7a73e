"""What the nodes of a cluster cost for an hour now, and a core and a GiB of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.cost.metering.model import GIB, Hours, NodeRef
from maestro_cli.cost.prices.model import Capacity, PriceBook, Resource
from maestro_cli.cost.prices.split import kind_of, node_rates
from maestro_cli.cost.rightsizing.facts import Room
from maestro_cli.cost.rightsizing.saving import NodeRate

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rates_of(
    book: PriceBook, nodes: Sequence[Room], now: datetime
) -> tuple[dict[str, NodeRate], tuple[str, ...]]:
    """By name, and which kinds have no price at all."""
    import numpy as np

    hour = Hours(now.replace(minute=0, second=0, microsecond=0), 1)
    found, unpriced = {}, dict[str, None]()
    for room in nodes:
        capacity = Capacity.SPOT if room.is_spot else Capacity.ON_DEMAND
        node = NodeRef(room.name, room.instance_type, room.region, room.zone, capacity)
        amounts: dict[Resource, NDArray[np.float64]] = {
            Resource.CPU: np.array([room.cpu_capacity or room.cpu]),
            Resource.MEMORY: np.array([(room.memory_capacity or room.memory) / GIB]),
        }
        of = node_rates(book, node, hour, amounts, np.ones(1))
        found[room.name] = NodeRate(
            _known(of.hourly[0]), _known(of.rates[Resource.CPU][0]), _known(of.rates[Resource.MEMORY][0])
        )
        if of.unpriced:
            unpriced[kind_of(node)] = None
    return found, tuple(unpriced)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
