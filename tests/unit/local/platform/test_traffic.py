"""The load is a function of its seed."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile
from maestro_cli.local.load.traffic import arrivals, read_traffic


@given(st.integers(), st.floats(1, 1000), st.integers(1, 300))
def test_the_same_seed_gives_the_same_schedule(seed: int, rate: float, bodies: int) -> None:
    first = list(islice(arrivals(seed, rate, bodies), 50))
    assert first == list(islice(arrivals(seed, rate, bodies), 50))
    offsets = [arrival.offset_seconds for arrival in first]
    assert offsets == sorted(offsets)
    assert all(0 <= arrival.body < bodies for arrival in first)


def test_another_seed_gives_another_schedule() -> None:
    assert next(arrivals(1, 50, 10)) != next(arrivals(2, 50, 10))


def test_the_rate_is_held_over_time() -> None:
    last = list(islice(arrivals(1, 50, 10), 20_000))[-1]
    assert last.offset_seconds == pytest.approx(400, rel=0.03)


def test_the_shipped_traffic_becomes_requests_of_the_open_inference_protocol() -> None:
    traffic = read_traffic(shipped("deploy") / "models" / "fraud" / "traffic.json")
    assert traffic.path == "/v2/models/fraud/infer"
    assert len(traffic.bodies) == 300
    assert traffic.truth is not None
    assert traffic.truth.output == "flagged"
    assert (len(traffic.truth.values), sum(traffic.truth.values)) == (300, 93)
    body = json.loads(traffic.bodies[0])
    assert [tensor["name"] for tensor in body["inputs"]] == ["features", "purpose"]
    for tensor in body["inputs"]:
        assert len(tensor["data"]) == tensor["shape"][0] * tensor["shape"][1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"schema":"maestro.traffic/1","model":"m","inputs":[],"rows":[]}',
        '{"schema":"maestro.traffic/9","model":"m","inputs":[],"rows":[{}]}',
        '{"schema":"maestro.traffic/1","model":"m","inputs":[],"rows":[{}],"truth":{"output":"a","values":[]}}',
        '{"schema":"maestro.traffic/1","model":"m",'
        '"inputs":[{"name":"a","datatype":"FP32","shape":[1]}],"rows":[{"a":[1]},{}]}',
    ],
)
def test_what_is_not_traffic_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "traffic.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFile):
        read_traffic(file)
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_traffic(tmp_path / "none.json")
