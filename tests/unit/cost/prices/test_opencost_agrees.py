"""The rates that OpenCost itself gave for a node are ours.

Recorded once, on 2026-11-27: OpenCost of commit 5f65333 against the embedded platform, whose nodes say that
they have 2 cores and 25276502016 bytes; its `/metrics`, `node_*_hourly_cost`. With the CSV below, then with
its own default.json.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from maestro_cli.cost.metering.model import GIB, Hours, NodeRef
from maestro_cli.cost.prices.model import Resource
from maestro_cli.cost.prices.reading import read_prices
from maestro_cli.cost.prices.split import NodeRates, node_rates

CSV = """EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version
2028-01-06 23:34:45 UTC,node-a,,node,metadata.name,,0.50,
2028-01-06 23:34:45 UTC,node-z,eu,node,metadata.name,process,0.20,
"""
JSON = '{"CPU": "0.031611", "RAM": "0.004237", "GPU": "0.95", "spotCPU": "0.006655", "spotRAM": "0.000892"}'


def rates(tmp_path: Path, text: str, name: str, node: str) -> NodeRates:
    (tmp_path / name).write_text(text, encoding="utf-8")
    book = read_prices(tmp_path / name).book
    assert book is not None
    has = {Resource.CPU: np.array([2.0]), Resource.MEMORY: np.array([25276502016 / GIB])}
    ref = NodeRef(node, instance_type="process", region="eu", provider_id=f"process://{node}")
    return node_rates(book, ref, Hours(datetime(2026, 11, 27, 9, tzinfo=UTC), 1), has, np.ones(1))


@pytest.mark.parametrize(
    ("text", "name", "node", "cpu", "memory", "hourly"),
    [
        (CSV, "prices.csv", "node-a", 0.096988, 0.013, 0.5000035001525879),
        (CSV, "prices.csv", "node-b", 0.038795, 0.0052, 0.20000100006103516),
        (JSON, "default.json", "node-a", 0.031611, 0.004237, 0.16296),
    ],
)
def test_opencost_gave_the_same_rates(
    tmp_path: Path, text: str, name: str, node: str, cpu: float, memory: float, hourly: float
) -> None:
    found = rates(tmp_path, text, name, node)
    told = [
        float(found.rates[Resource.CPU][0]),
        float(found.rates[Resource.MEMORY][0]),
        float(found.hourly[0]),
    ]
    assert told == pytest.approx([cpu, memory, hourly], rel=1e-3)
