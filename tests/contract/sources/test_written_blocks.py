"""Blocks that are written for benches are blocks to a real Prometheus, with the samples that were meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.recorded_prometheus import running_prometheus
from tests.peers.blocks.program import NotBuilt, write_blocks

pytestmark = pytest.mark.contract

HOUR, MINUTE = 3_600_000, 60_000
BEGIN, UNTIL = 400_000 * HOUR + 7_000, 400_005 * HOUR  # two blocks and a half; 300 minutes
TIMES = [at / 1000 for at in range(BEGIN, UNTIL, MINUTE)]


def series(name: str, **shape: float | bool) -> dict[str, Any]:
    labels = {"__name__": name, "namespace": 'sho"p', "pod": "ü"}
    return {"labels": labels, "from": BEGIN, "until": UNTIL, "step": MINUTE, **shape}


def test_prometheus_reads_what_was_meant(tmp_path: Path) -> None:
    noisy = {"noise": 0.3, "spikes": 0.1, "spike": 2.0, "seed": 7}
    meant = [
        series("steady", level=1.5),
        series("counts_total", level=0.25, counts=True),
        series("noisy_bytes", level=1e8, grain=4096, **noisy),
        series("noisy_total", level=0.3, counts=True, **noisy),
    ]
    try:
        write_blocks(tmp_path / "data", 7200, meant)
    except NotBuilt as error:
        pytest.skip(str(error))

    with running_prometheus(tmp_path) as url:
        found = samples(url)

    for of in found.values():
        assert [at for at, _ in of] == TIMES
    values = {name: [value for _, value in of] for name, of in found.items()}
    assert values["steady"] == [1.5] * len(TIMES)
    assert values["counts_total"] == [15.0 * (number + 1) for number in range(len(TIMES))]
    assert all(value % 4096 == 0 for value in values["noisy_bytes"])
    assert len(set(values["noisy_bytes"])) > 290
    assert 0.5e8 < sum(values["noisy_bytes"]) / len(TIMES) < 2e8
    assert values["noisy_total"] == sorted(values["noisy_total"])
    assert values["noisy_total"] == [round(value, 9) for value in values["noisy_total"]]


def samples(url: str) -> dict[str, list[tuple[float, float]]]:
    query = '{__name__=~".+",namespace="sho\\"p",pod="ü"}[6h]'
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query, "time": UNTIL / 1000}, trust_env=False)
    return {
        one["metric"]["__name__"]: [(at, float(value)) for at, value in one["values"]]
        for one in answer.json()["data"]["result"]
    }
