"""`maestro cost storage` and `maestro cost spot` as a person or a script calls them."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.api import AT, api_server
from tests.cli.program import Result, check_golden, maestro

FORMATS = ("table", "wide", "json", "yaml", "csv", "md")
PRICES = """
currency: EUR
CPU: 0.04
RAM: 0.005
spotCPU: 0.016
spotRAM: 0.002
storage_classes:
  - {name: STANDARD, per_gib_month: 0.023}
  - {name: STANDARD_IA, per_gib_month: 0.0125, per_thousand_requests: 0.01, per_gib_retrieved: 0.01,
     least_days: 30, least_bytes: 131072}
"""
NOW = re.compile(r"20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)")
WHERE = re.compile(r"/[^ ,|\"]*inventory\.csv")
EVIL = "\x1b[31m\u202eevil"


@pytest.fixture
def prices(tmp_path: Path) -> str:
    file = tmp_path / "prices.yaml"
    file.write_text(PRICES, encoding="utf-8")
    return str(file)


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    file = tmp_path / "inventory.csv"
    lines = ["Key,Size,LastModifiedDate,StorageClass"]
    for version in range(1, 7):
        lines.append(f"models/fraud/{version}/model.onnx,{50 * 2**30},2025-0{version}-01T00:00:00Z,STANDARD")
    lines.append(f"models/{EVIL}/1/model.onnx,{2**30},2025-01-01T00:00:00Z,STANDARD")
    lines.append("models/README.md,100,2025-01-01T00:00:00Z,STANDARD")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def storage(store: str, prices: str, *arguments: str) -> Result:
    return maestro("cost", "storage", store, "--prefix", "models/", "--prices", prices, *arguments)


def test_versions_that_nobody_needs_are_moved_and_the_others_kept(inventory: str, prices: str) -> None:
    found = storage(inventory, prices, "--offline", "--needed", "fraud@2", "-o", "json")
    assert found.code == 0, found.err
    document = json.loads(found.out)
    answers = {(item["model"], item["version"]): item["answer"] for item in document["items"]}
    assert answers == {
        ("fraud", 1): "move", ("fraud", 2): "keep", ("fraud", 3): "move", ("fraud", 4): "keep",
        ("fraud", 5): "keep", ("fraud", 6): "keep", (EVIL, 1): "keep",
    }  # fmt: skip
    assert document["saving"] == pytest.approx(2 * (50 * 0.0105 * 12 - 0.00001), rel=1e-3)
    assert document["of_no_version"] == {"objects": 1, "bytes": 100}


def test_what_has_no_price_saves_nothing_that_is_known(inventory: str, tmp_path: Path) -> None:
    """A class without prices of requests and of reading back: whether moving pays cannot be told."""
    file = tmp_path / "listed.yaml"
    file.write_text(PRICES.split("per_thousand", maxsplit=1)[0].rstrip(" ,") + "}\n", encoding="utf-8")
    found = storage(inventory, str(file), "--offline", "-o", "json")
    document = json.loads(found.out)
    assert (found.code, document["saving"], document["versions_without_a_price"]) == (15, None, 3)
    shown = storage(inventory, str(file), "--offline")
    assert shown.code == 15
    assert "not known: 3 of 7 versions without a price" in shown.out


def test_nothing_is_moved_while_it_is_not_known_what_is_served(inventory: str, prices: str) -> None:
    found = storage(inventory, prices, "-o", "json")
    assert found.code == 15
    document = json.loads(found.out)
    assert {item["answer"] for item in document["items"]} == {"keep"}
    assert document["references_unknown"]
    policy = storage(inventory, prices, "--policy")
    assert (policy.code, policy.out) == (15, "")
    assert "every version stays: there is no policy" in policy.error_lines[0]


def test_what_the_cluster_names_anywhere_is_kept(inventory: str, prices: str) -> None:
    old = {"metadata": {"namespace": "ml", "name": "fraud-5c9"}, "spec": {"args": ["--serve", "fraud=1"]}}
    routing = {"metadata": {"namespace": "ml", "name": "r"}, "data": {"routing.yaml": "default: fraud@3"}}
    served = {"spec": {"model": {"storageUri": "s3://models/fraud/2/"}}}
    kserve = {"metadata": {"namespace": "ml", "name": "fraud"}, "spec": {"predictor": served}}
    none: dict[str, Any] = {"items": []}
    answers: dict[str, Any] = {
        "/apis/apps/v1/replicasets": {"items": [old]},
        "/apis/apps/v1/controllerrevisions": none,
        "/apis/apps/v1/deployments": none,
        "/apis/apps/v1/statefulsets": none,
        "/apis/apps/v1/daemonsets": none,
        "/api/v1/configmaps": {"items": [routing]},
        "/apis": {"groups": [{"name": "apps"}, {"name": "serving.kserve.io"}]},
        "/apis/serving.kserve.io/v1beta1/inferenceservices": {"items": [kserve]},
    }
    with api_server(answers):
        found = storage(inventory, prices, "-o", "json")
    assert found.code == 15, "its Prometheus was not asked"
    assert {item["answer"] for item in json.loads(found.out)["items"]} == {"keep"}
    why = {item["version"]: item["why"] for item in json.loads(found.out)["items"]}
    assert why[3] == "needed by configmaps/r in ml"
    assert why[2] == "needed by inferenceservices/fraud in ml"


@pytest.mark.parametrize("kind", FORMATS)
def test_storage_is_pinned_in_every_format(inventory: str, prices: str, kind: str) -> None:
    found = storage(inventory, prices, "--offline", "-o", kind)
    assert "\x1b" not in found.out
    assert "\u202e" not in found.out
    check_golden(f"cost-storage.{kind}", NOW.sub("NOW", WHERE.sub("inventory.csv", found.out)))


def test_a_policy_is_what_the_store_takes(inventory: str, prices: str) -> None:
    found = storage(inventory, prices, "--offline", "--policy")
    check_golden("cost-storage-policy.json", found.out)
    assert "replaces all the rules that are there" in found.err
    rules = json.loads(found.out)["Rules"]
    assert [rule["Filter"]["Prefix"] for rule in rules] == [
        f"models/fraud/{version}/" for version in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--to", "STANDARD_A"), 2, "name no storage class"),
        (("--to", "STANDARD"), 2, "is no move"),
        (("--needed", "fraud"), 2, "no version of a model"),
        (("--needed", "frod@1"), 2, "no version of frod is stored"),
        (("--keep", "0"), 2, "at least the newest"),
        (("--prefix", "nothing/"), 15, "holds no version"),
        (("--policy", "--after-days", "5"), 2, "after 5 days"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_fix(
    inventory: str, prices: str, arguments: tuple[str, ...], code: int, word: str
) -> None:
    found = storage(inventory, prices, "--offline", *arguments)
    assert found.code == code
    assert word in found.err
    assert "fix:" in found.err


def test_a_folder_of_models_is_a_store(tmp_path: Path, prices: str) -> None:
    for version in (1, 2):
        file = tmp_path / "store" / "fraud" / str(version) / "model.onnx"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 1000)
        long_ago = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
        os.utime(file, (long_ago, long_ago))
    arguments = ("--offline", "--keep", "1", "--prices", prices, "-o", "json")
    found = maestro("cost", "storage", str(tmp_path / "store"), *arguments)
    answers = {item["version"]: item["answer"] for item in json.loads(found.out)["items"]}
    assert answers == {1: "stay", 2: "keep"}, "moving a thousand bytes does not pay"


def _job(name: str, **notes: str) -> dict[str, Any]:
    container = {"name": "main", "resources": {"requests": {"cpu": "4", "memory": "16Gi"}}}
    return {
        "metadata": {"namespace": "ml", "name": name, "annotations": notes},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"startTime": AT, "completionTime": AT.replace("T00", "T06")},
    }


@pytest.mark.parametrize("kind", FORMATS)
def test_spot_is_pinned_in_every_format(prices: str, kind: str) -> None:
    kept = {"maestro.dev/checkpoint-every": "1h", "maestro.dev/checkpoint-takes": "2m"}
    jobs = [_job("train", **kept), _job("whole"), _job("stays", **{"karpenter.sh/do-not-disrupt": "true"})]
    answers = {"/apis/batch/v1/namespaces/ml/jobs": {"items": jobs}}
    with api_server(answers):
        found = maestro(
            "cost", "spot", "-n", "ml", "--prices", prices, "--interruptions-per-hour", "0.2", "-o", kind
        )
    assert found.code == 0, found.err
    check_golden(f"cost-spot.{kind}", NOW.sub("NOW", found.out))


def test_without_a_rate_of_interruptions_there_is_no_answer_for_spot(prices: str) -> None:
    with api_server({"/apis/batch/v1/namespaces/ml/jobs": {"items": [_job("train")]}}):
        found = maestro("cost", "spot", "-n", "ml", "--prices", prices, "-o", "json")
    assert found.code == 15
    (item,) = json.loads(found.out)["items"]
    assert (item["answer"], item["spot_per_hour"]) == ("unknown", None)


def test_work_goes_to_no_machine_that_does_not_hold_it(prices: str) -> None:
    spot = (
        "{type: small, hourly: 0.1}, {type: small, capacity: spot, hourly: 0.04, interruptions_per_hour: 0.1}"
    )
    Path(prices).write_text(PRICES + f"nodes: [{spot}]\n", encoding="utf-8")
    label = {"node.kubernetes.io/instance-type": "small"}
    node = {"metadata": {"labels": label}, "status": {"allocatable": {"cpu": "1900m", "memory": "7Gi"}}}
    jobs = {"/apis/batch/v1/namespaces/ml/jobs": {"items": [_job("train")]}}
    command = ("cost", "spot", "-n", "ml", "--prices", prices, "-o", "json")
    with api_server({**jobs, "/api/v1/nodes": {"items": [node]}}):
        small = json.loads(maestro(*command).out)["items"]
    assert {(one["answer"], one["instance_type"]) for one in small} == {("unknown", None)}
    assert small[0]["why"] == ["no kind of spot machine in the prices holds what it asks for"]


def test_a_cluster_without_batch_work_is_no_data(prices: str) -> None:
    with api_server({"/apis/batch/v1/namespaces/ml/jobs": {"items": []}}):
        found = maestro("cost", "spot", "-n", "ml", "--prices", prices)
    assert found.code == 15
    assert "no Job and no CronJob in ml" in found.err
