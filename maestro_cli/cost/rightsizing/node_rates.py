"""What the nodes of a cluster cost for an hour now, and a core and a GiB of them beside their GPUs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.cost.metering.model import GIB, Hours, hour_of
from maestro_cli.cost.metering.queries import GPUS
from maestro_cli.cost.prices.model import PriceBook, Resource
from maestro_cli.cost.prices.split import kind_of, node_rates
from maestro_cli.cost.rightsizing.placement import Room
from maestro_cli.cost.rightsizing.saving import NodeRate

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rates_of(
    book: PriceBook, nodes: Sequence[Room], now: datetime
) -> tuple[dict[str, NodeRate], tuple[str, ...]]:
    """By name, and which kinds have no price at all."""
    import numpy as np

    hour = Hours(hour_of(now), 1)
    found, unpriced = {}, dict[str, None]()
    for room in nodes:
        had = {"cpu": room.cpu, "memory": room.memory, **room.others, **room.capacity}
        amounts: dict[Resource, NDArray[np.float64]] = {
            Resource.CPU: np.array([had["cpu"]]),
            Resource.MEMORY: np.array([had["memory"] / GIB]),
            Resource.GPU: np.array([sum(had.get(one, 0.0) for one in GPUS)]),
        }
        of = node_rates(book, room.node, hour, amounts, np.ones(1))
        found[room.name] = NodeRate(
            _known(of.hourly[0]), _known(of.rates[Resource.CPU][0]), _known(of.rates[Resource.MEMORY][0])
        )
        if of.unpriced:
            unpriced[kind_of(room.node)] = None
    return found, tuple(unpriced)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
