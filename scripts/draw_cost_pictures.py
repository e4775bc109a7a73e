"""Draw the pictures of costs that the documents show, `docs/pictures/cost-*.svg`: a week of a made-up shop.

Run it after changing a picture; a test compares the files with what this draws. Look at them before you keep
them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.metering.model import ContainerRef, Hours, Matrix, Metered, NodeRef
from maestro_cli.cost.prices.model import NodePrice, PriceBook, PriceVersion, Resource, UnitRates
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.packing import Packed
from maestro_cli.cost.rightsizing.saving import Claim, Realised, Saving
from maestro_cli.output.renderers.cost_pictures import BARS, TREEMAP, pictures_of, saving_picture
from maestro_cli.output.views import Picture

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures"
START = datetime(2026, 11, 2, tzinfo=UTC)
HOURS = 7 * 24
NODES = 5
# Namespace, workload, cores, GiB, and by how much more of that it takes by day.
WORKLOADS = (
    ("ml", "fraud", 3.0, 12.0, 0.5),
    ("ml", "pricing", 3.0, 8.0, 0.4),
    ("ml", "recommendation", 4.0, 24.0, 0.2),
    ("ml", "train", 4.0, 8.0, 0.0),
    ("shop", "web", 2.5, 4.0, 0.8),
    ("shop", "checkout", 1.2, 3.0, 0.6),
    ("shop", "search", 1.5, 6.0, 0.6),
    ("shop", "images", 0.5, 1.0, 0.3),
    ("data", "kafka", 2.0, 10.0, 0.1),
    ("data", "etl", 1.5, 4.0, 0.0),
    ("monitoring", "prometheus", 1.0, 6.0, 0.0),
    ("monitoring", "loki", 0.5, 2.0, 0.0),
    ("kube-system", "dns", 0.2, 0.3, 0.0),
    ("kube-system", "ingress", 0.4, 0.5, 0.2),
)
CLAIMS = {"recommendation": 96.0, "fraud": 74.0, "pricing": 41.0, "kafka": 22.0, "images": 6.0, "web": -18.0}


def _week() -> Metered:
    """Busy by day, quieter at the weekend, training by night; half a day that nobody measured."""
    hour = np.arange(HOURS)
    day = np.where((hour % 24 >= 8) & (hour % 24 < 20), 1.0, 0.0) * np.where(hour // 24 >= 5, 0.4, 1.0)
    rows = []
    for _, name, _, _, more in WORKLOADS:
        row = 1.0 + more * day
        rows.append(np.where((hour % 24) < 6, 1.0, np.nan) if name == "train" else row)
    coverage = np.where((hour >= 60) & (hour < 72), 0.0, 1.0)
    shape: Matrix = np.where(coverage > 0, np.vstack(rows), np.nan)
    cores = np.array([[one[2]] for one in WORKLOADS])
    gibs = np.array([[one[3]] for one in WORKLOADS])
    there = np.where(coverage > 0, np.ones((NODES, HOURS)), np.nan)
    return Metered(
        cluster="shop",
        hours=Hours(START, HOURS),
        containers=tuple(
            ContainerRef(space, f"{name}-0", "main", f"n{index % NODES}", "Deployment", name)
            for index, (space, name, *_) in enumerate(WORKLOADS)
        ),
        nodes=tuple(NodeRef(f"n{index}", "m5.2xlarge") for index in range(NODES)),
        volumes=(),
        requested={Resource.CPU: shape * cores, Resource.MEMORY: shape * gibs},
        used={Resource.CPU: shape * cores * 0.5, Resource.MEMORY: shape * gibs * 0.8},
        capacity={Resource.CPU: there * 8, Resource.MEMORY: there * 32},
        present=there,
        volume_gib=np.zeros((0, HOURS)),
        coverage=coverage,
        sent_gib={},
        balancers=(),
        balancer_hours=np.zeros((0, HOURS)),
    )


def _saving() -> Saving:
    workloads = {name: WorkloadId(space, "Deployment", name) for space, name, *_ in WORKLOADS}
    claims = {workloads[name]: Claim(workloads[name], amount) for name, amount in CLAIMS.items()}
    stays, goes = Packed(("n0", "n1", "n2"), (), 3), Packed(("n0", "n1"), ("n2",), 2)
    return Saving("USD", claims, Realised(3, stays, goes, 140.16, 0.0, 840.96))


def drawn() -> dict[str, str]:
    """SVG by file name."""
    version = PriceVersion(
        since=START - timedelta(days=30),
        on_demand=UnitRates(0.031611, 0.004237, 0.95),
        nodes=(NodePrice("m5.2xlarge", 0.384),),
        control_plane_hourly=0.10,
    )
    book = PriceBook.of("USD", [version], "prices.yaml")
    week = _week()
    (treemap,) = pictures_of(allocate(week, book, ("workload",)), kinds=(TREEMAP,))
    (bars,) = pictures_of(allocate(week, book, ("namespace",)), kinds=(BARS,))
    saving = saving_picture(_saving())
    assert saving is not None
    pictures: dict[str, Picture] = {"treemap": treemap, "bars": bars, "saving": saving}
    return {f"cost-{name}.svg": picture.svg() + "\n" for name, picture in pictures.items()}


if __name__ == "__main__":
    for file, text in drawn().items():
        (TARGET / file).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{TARGET / file}\n")
