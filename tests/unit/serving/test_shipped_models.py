"""The shipped models prove themselves, answer what their traffic asks, and are what docs/serving.md says."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.local.load.traffic import read_traffic
from maestro_cli.serving.errors import ArtefactRefused
from maestro_cli.serving.models import artefact
from maestro_cli.serving.models.manifest import Manifest, read_manifest
from tests.unit.serving.served import MODELS, Served

SHIPPED = sorted(
    (path.parent.parent.name, int(path.parent.name)) for path in MODELS.glob("*/*/manifest.json")
)
DOCS = MODELS.parents[1] / "docs" / "serving.md"
AIR = [1, 0, 0, 0, 69, 59, 100, 70]
TRAIN = [0, 1, 0, 0, 34, 31, 372, 71]
BUS = [0, 0, 1, 0, 35, 25, 417, 70]
CAR = [0, 0, 0, 1, 0, 10, 180, 30]
each_version = pytest.mark.parametrize(("name", "version"), SHIPPED)
each_model = pytest.mark.parametrize("name", ["fraud", "pricing", "recommendation"])


def manifest_of(name: str, version: int) -> Manifest:
    return read_manifest((MODELS / name / str(version) / "manifest.json").read_bytes(), name, version)


def test_these_versions_are_shipped() -> None:
    three = (1, 2, 3)
    assert [
        *(("fraud", version) for version in three),
        ("pricing", 1),
        *(("recommendation", version) for version in three),
    ] == SHIPPED


@each_version
def test_a_version_is_ready_small_and_says_where_it_comes_from(name: str, version: int) -> None:
    model = artefact.load(MODELS, name, version)
    assert model.served_by == f"{name}@{version}#{model.digest[:8]}"
    assert sum(path.stat().st_size for path in (MODELS / name / str(version)).iterdir()) < 500_000
    assert len(model.manifest.golden) == 10
    assert all(
        row.outputs.keys() == {spec.name for spec in model.manifest.outputs} for row in model.manifest.golden
    )
    training = model.manifest.training
    assert re.fullmatch("[0-9a-f]{64}", training["source_sha256"])
    assert re.fullmatch("[0-9a-f]{64}", training["rows_sha256"])
    assert re.search("CC BY 4.0|MIT|public domain", training["licence"])
    assert training["synthetic"].startswith("nothing")
    assert training["rows"] > 0
    assert model.manifest.metrics["rows_held_out"] > 0


def golden_output(manifest: dict[str, Any], output: str) -> None:
    values = manifest["golden"][4]["outputs"][output]
    values[-1] += 1 if isinstance(values[-1], int) else 0.01


@pytest.mark.parametrize(
    ("name", "version", "output"),
    [(name, version, spec.name) for name, version in SHIPPED for spec in manifest_of(name, version).outputs],
)
def test_a_golden_row_that_does_not_come_out_is_refused(
    tmp_path: Path, name: str, version: int, output: str
) -> None:
    assert output in refusal(tmp_path, name, version, lambda manifest: golden_output(manifest, output))


@each_version
def test_one_changed_byte_of_a_model_is_refused(tmp_path: Path, name: str, version: int) -> None:
    shutil.copytree(MODELS / name, tmp_path / name)
    path = tmp_path / name / str(version) / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtefactRefused, match="digest"):
        artefact.load(tmp_path, name, version)


def refusal(folder: Path, name: str, version: int, change: Callable[[dict[str, Any]], None]) -> str:
    shutil.copytree(MODELS / name, folder / name)
    path = folder / name / str(version) / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArtefactRefused) as caught:
        artefact.load(folder, name, version)
    return str(caught.value)


@pytest.fixture(scope="module")
def served() -> Served:
    return Served("--serve", "pricing=1", "--serve", "recommendation=1")


@each_model
def test_every_recorded_request_is_answered(served: Served, name: str) -> None:
    traffic = read_traffic(MODELS / name / "traffic.json")
    assert len(traffic.bodies) >= 60
    for body in traffic.bodies:
        response = served.post(traffic.path, content=body)
        assert response.status_code == 200, response.text
        assert response.headers["x-maestro-served"].startswith(f"{name}@1#")


def recommended(served: Served, *offers: list[int]) -> dict[str, list[float]]:
    traveller = {"name": "traveller", "datatype": "FP32", "shape": [1, 2], "data": [35, 1]}
    tensor = {"name": "offers", "datatype": "FP32", "shape": [1, len(offers), 8], "data": [list(offers)]}
    response = served.post("/v2/models/recommendation/infer", json={"inputs": [traveller, tensor]})
    assert response.status_code == 200, response.text
    return {output["name"]: output["data"] for output in response.json()["outputs"]}


def test_a_recommendation_ranks_the_offers_whatever_their_order_and_number(served: Served) -> None:
    ways = {"air": AIR, "train": TRAIN, "bus": BUS, "car": CAR}
    answer = recommended(served, *ways.values())
    scores: Mapping[str, float] = dict(zip(ways, answer["score"], strict=True))
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
    best_first = sorted(scores, key=lambda way: -scores[way])
    assert [list(ways)[int(place)] for place in answer["ranking"]] == best_first

    turned = recommended(served, *reversed(ways.values()))
    assert turned["score"] == pytest.approx(list(reversed(answer["score"])), abs=1e-5)
    fewer = recommended(served, TRAIN, CAR)
    assert fewer["score"][0] / fewer["score"][1] == pytest.approx(scores["train"] / scores["car"], rel=1e-3)


def test_a_dearer_offer_ranks_lower(served: Served) -> None:
    dearer = [*TRAIN[:5], TRAIN[5] + 100, TRAIN[6], TRAIN[7] + 100]
    assert recommended(served, dearer, TRAIN, AIR)["ranking"].index(1) == 0
    assert recommended(served, dearer, TRAIN)["score"][0] < 0.5


def test_a_better_diamond_costs_more(served: Served) -> None:
    def price(carat: float, clarity: int) -> float:
        values: dict[str, list[float]] = {
            "measures": [carat, 61.5, 57.0],
            "cut": [4],
            "color": [4],
            "clarity": [clarity],
        }
        tensors = [
            {
                "name": name,
                "datatype": "FP32" if name == "measures" else "INT64",
                "shape": [1, len(given)],
                "data": given,
            }
            for name, given in values.items()
        ]
        response = served.post("/v2/models/pricing/infer", json={"inputs": tensors})
        assert response.status_code == 200, response.text
        return float(response.json()["outputs"][0]["data"][0])

    assert price(0.5, 3) < price(1.0, 3) < price(2.0, 3)
    assert price(1.0, 0) < price(1.0, 3) < price(1.0, 7)


def test_a_grade_that_does_not_exist_is_the_clients_fault(served: Served) -> None:
    traffic = read_traffic(MODELS / "pricing" / "traffic.json")
    body = json.loads(traffic.bodies[0])
    next(tensor for tensor in body["inputs"] if tensor["name"] == "cut")["data"] = [5]
    response = served.post(traffic.path, json=body)
    assert response.status_code == 400
    assert "'cut' has a value outside 0..4" in response.json()["error"]


@each_version
def test_the_documentation_has_the_figures_of_the_manifest(name: str, version: int) -> None:
    row = next(
        line
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{name}` {version} |")
    )
    metrics = manifest_of(name, version).metrics
    figures = [metrics["rows_held_out"]]
    if name == "fraud":
        figures += [metrics["roc_auc"]]
    elif name == "pricing":
        figures += [metrics["mean_absolute_error_usd"], metrics["median_price_error_usd"]]
    else:
        figures += [metrics["ndcg"], metrics["by_popularity"]["ndcg"]]
        figures += metrics.get("ndcg_over_20_other_splits", {}).values()
    for figure in figures:
        assert str(figure) in row.replace(",", ""), figure
    if name == "recommendation":
        assert metrics["ndcg"] > metrics["by_popularity"]["ndcg"]
    if name == "pricing":
        assert metrics["mean_absolute_error_usd"] < metrics["median_price_error_usd"] / 5
