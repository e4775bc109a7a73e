"""NVIDIA's `tritonclient[http]` against the real process, as its users run it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.serving.process import MODELS, NEWEST, Server
from tests.unit.serving.onnx_by_hand import one_node_model
from tests.unit.serving.served import request

CLIENT = Path(sys.prefix) / "tritonclient" / "bin" / "python"

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        not CLIENT.parents[1].joinpath(".installed").exists(),
        reason="no tritonclient: make .venv/tritonclient/.installed",
    ),
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the client saw of a server with fraud/1 and a model of strings, and the answer in plain JSON."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copytree(MODELS / "fraud", folder / "models" / "fraud")
    one_node_model(folder / "models", "words", "Identity", "BYTES", "a", "a")
    server = Server(folder, "--serve", "fraud=1", "--serve", "words=1", models=folder / "models")
    try:
        plain = server.http.post("/v2/models/fraud/versions/1/infer", json=request()).json()
        key = server.key.read_text(encoding="ascii").strip()
        ended = subprocess.run(
            [str(CLIENT), str(Path(__file__).with_name("triton_calls.py")), f"127.0.0.1:{server.port}", key],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    finally:
        server.end()
    assert ended.returncode == 0, ended.stderr
    return {**json.loads(ended.stdout), "plain": {one["name"]: one["data"] for one in plain["outputs"]}}


def test_health_metadata_and_configuration(outcome: dict[str, Any]) -> None:
    assert outcome["health"] == [True, True, True, False]
    assert {"binary_tensor_data", "model_repository"} <= set(outcome["server"]["extensions"])
    assert (outcome["model"]["name"], outcome["model"]["versions"]) == ("fraud", ["1"])
    assert [one["shape"] for one in outcome["model"]["inputs"]] == [[-1, 9], [-1, 1]]
    assert outcome["configuration"]["max_batch_size"] == 4096


def test_every_way_of_sending_and_asking_is_answered_the_same(outcome: dict[str, Any]) -> None:
    assert len(outcome["answers"]) == 29
    for told in outcome["answers"]:
        assert (told["id"], told["version"]) == ("7", "1")
        assert told["flagged"] == outcome["plain"]["flagged"]
        assert told["score"] == pytest.approx(outcome["plain"]["score"], abs=1e-7)


def test_strings_come_back(outcome: dict[str, Any]) -> None:
    *answered, sent = outcome["words"]
    assert len(answered) == 4
    assert all(words == sent for words in answered)


@pytest.mark.parametrize(
    ("call", "status", "says"),
    [
        ("input", "400", "input 'purpose' is missing"),
        ("datatype", "400", "must be FP32, got FP64"),
        ("model", "404", "not served here"),
        ("version", "404", "not served here"),
        ("classification", "400", "classification"),
        ("shared memory", "400", "shared_memory_region"),
        ("region", "404", "no such route"),
        ("status", "404", "no such route"),
        ("statistics", "404", "no such route"),
        ("config", "400", "model folder alone"),
        ("load", "400", "no model 'nope'"),
    ],
)
def test_the_client_reads_our_errors(outcome: dict[str, Any], call: str, status: str, says: str) -> None:
    found, text = outcome["refusals"][call]
    assert found == status
    assert says in text
    assert "decoding the response" not in text


def test_load_and_unload(outcome: dict[str, Any]) -> None:
    states = {
        when: {(one["name"], one["version"]): one["state"] for one in outcome["repository"][when]}
        for when in ("loaded", "unloaded")
    }
    assert states["loaded"][("fraud", NEWEST)] == "READY"
    assert states["unloaded"][("fraud", NEWEST)] == states["unloaded"][("fraud", "1")] == "UNAVAILABLE"
    assert outcome["repository"]["ready"] is False
