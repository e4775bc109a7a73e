"""A cluster of two nodes and two namespaces over some weeks, as metered; and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from maestro_cli.cost.metering.model import ContainerRef, Hours, Metered, NodeRef
from maestro_cli.cost.prices.model import ALWAYS, NodePrice, PriceBook, PriceVersion, Resource, UnitRates

START = datetime(2026, 2, 2, tzinfo=UTC)  # a Monday
BOOK = PriceBook.of(
    "EUR",
    [PriceVersion(ALWAYS, UnitRates(0.04, 0.005), nodes=(NodePrice("m", 0.5),))],
    "prices.yaml",
)
NODE_CORES, NODE_GIB = 8.0, 32.0


def container(namespace: str, workload: str, team: str = "risk") -> ContainerRef:
    return ContainerRef(
        namespace, f"{workload}-1", "app", "a", "Deployment", workload, {"cost_center": "7"}, team, workload
    )


def metered_days(
    days: int,
    *,
    weekend: float = 0.5,
    dear: int | None = None,
    noise: float = 0.02,
    missing: tuple[int, ...] = (),
) -> Metered:
    """From `START` on: `fraud` follows the week, `batch` is there on the day `dear` alone, `front` stays.

    Nothing was measured of the days in `missing`.
    """
    hours, chance = days * 24, np.random.default_rng(11)
    day = np.arange(hours) // 24
    level = np.where(day % 7 >= 5, weekend, 1.0) * np.repeat(1 + noise * chance.standard_normal(days), 24)
    asked = np.full((3, hours), np.nan)
    asked[0] = 2.0 * level
    asked[1] = 1.0
    if dear is not None:
        asked[2, day == dear] = 3.0
    gone = np.isin(day, missing)
    asked[:, gone] = np.nan
    there = np.where(gone, np.nan, 1.0) * np.ones((2, hours))
    return Metered(
        cluster="lab",
        hours=Hours(START, hours),
        containers=(
            container("ml", "fraud"),
            container("web", "front", "shop"),
            container("ml", "batch", "data"),
        ),
        nodes=(NodeRef("a", "m"), NodeRef("b", "m")),
        volumes=(),
        requested={Resource.CPU: asked, Resource.MEMORY: 4 * asked},
        used={Resource.CPU: asked / 2, Resource.MEMORY: 2 * asked},
        capacity={Resource.CPU: NODE_CORES * there, Resource.MEMORY: NODE_GIB * there},
        present=there,
        volume_gib=np.zeros((0, hours)),
        coverage=np.where(gone, 0.0, 1.0),
        running=np.where(np.isnan(asked), np.nan, 1.0),
    )
