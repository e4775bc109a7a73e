"""Loading: each mutation of a shipped version is refused for its own reason.

ONNX files are protobuf, and protobuf merges what is appended: a foreign operator or an external tensor is
added to the shipped model by appending a few bytes, with no need of the onnx package.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.errors import ArtefactRefused, ModelError
from maestro_cli.serving.execution import inference
from maestro_cli.serving.execution.predictor import Predictor, deadline_in
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models import artefact
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.onnx_survey import survey
from maestro_cli.serving.protocol import binary, messages
from maestro_cli.serving.protocol.answer import json_output
from tests.unit.serving.onnx_by_hand import field, field_key, one_node_model

MODELS = Path(__file__).resolve().parents[3] / "deploy" / "models"


def in_graph(content: bytes) -> bytes:
    return field(7, content)


FOREIGN_NODE = field(1, b"purpose") + field(2, b"unused") + field(4, b"Inverse") + field(7, b"com.microsoft")
EXTERNAL = field(13, field(1, b"location") + field(2, b"/etc/passwd"))


def answer_of(model: LoadedModel, request: messages.InferRequest) -> list[messages.ResponseTensor]:
    """What the model answers, run as the server runs it."""

    async def ask() -> list[messages.ResponseTensor]:
        with ThreadPoolExecutor(1) as executor:
            outputs = await inference.run(
                Predictor(executor), model, request.inputs, request.datatypes, request.wanted,
                deadline_in(20), Timing(), lambda work: work,
            )  # fmt: skip
            return [json_output(name, array) for name, array in outputs.items()]

    return asyncio.run(ask())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shutil.copytree(MODELS / "fraud", tmp_path / "fraud")
    return tmp_path


def edit_manifest(models: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = models / "fraud" / "1" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def append_to_model(models: Path, extra: bytes) -> None:
    """Append, and have the manifest agree with the new digest: the graph is what must be refused."""
    path = models / "fraud" / "1" / "model.onnx"
    content = path.read_bytes() + extra
    path.write_bytes(content)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    edit_manifest(models, lambda manifest: manifest.update(digest=digest))


def refusal(models: Path) -> str:
    with pytest.raises(ArtefactRefused) as caught:
        artefact.load(models, "fraud", 1)
    return str(caught.value)


def test_appending_something_harmless_still_loads(models: Path) -> None:
    append_to_model(models, field(6, b"a doc string"))
    assert artefact.load(models, "fraud", 1).version == "1"


def test_refuses_a_changed_model(models: Path) -> None:
    path = models / "fraud" / "1" / "model.onnx"
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(bytes(content))
    assert "digest" in refusal(models)


def test_whatever_goes_wrong_is_a_refusal(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(content: bytes) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr(artefact, "_check_graph", wrong)
    assert "MemoryError: no memory" in refusal(models)


def test_a_file_that_could_be_taken_for_another_format_is_refused_and_opened_as_onnx(models: Path) -> None:
    path = models / "fraud" / "1" / "model.onnx"
    both = field(100, b".ORTM") + path.read_bytes()
    assert both[4:8] == b"ORTM"
    assert survey(both).nodes
    assert artefact._open(both).get_inputs()
    path.write_bytes(both)
    edit_manifest(models, lambda m: m.update(digest="sha256:" + hashlib.sha256(both).hexdigest()))
    assert "own format" in refusal(models)


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (in_graph(field(1, FOREIGN_NODE)), "com.microsoft"),
        (field(8, field(1, b"evil.ops") + field(2, 1)), "evil.ops"),
        (in_graph(field(5, field(8, b"w") + EXTERNAL)), "external data"),
        (in_graph(field(5, field(8, b"w") + field(14, 1))), "external data"),
        (in_graph(field(1, field(4, b"Constant") + field(5, field(5, EXTERNAL)))), "external data"),
        (in_graph(field(1, field(4, b"If") + field(5, field(6, field(1, FOREIGN_NODE))))), "com.microsoft"),
        (in_graph(field(15, field(1, EXTERNAL))), "external data"),
        (field(25, field(1, b"local")), "functions"),
        (field(20, b""), "functions"),
        (b"\x0b", "not an ONNX file"),
        (field_key(7, 2) + b"\x7f\x00", "cut short"),
    ],
)
def test_refuses_a_graph_that_reaches_out(models: Path, extra: bytes, reason: str) -> None:
    append_to_model(models, extra)
    assert reason in refusal(models)


def test_refuses_graphs_nested_without_end(models: Path) -> None:
    nested = field(1, FOREIGN_NODE)
    while len(nested) < 100:
        nested = field(1, field(5, field(6, nested)))
    append_to_model(models, in_graph(nested))
    assert "com.microsoft" in refusal(models) or "too deeply" in refusal(models)


def wrong_score(manifest: dict[str, Any]) -> None:
    manifest["golden"][3]["outputs"]["score"][0] += 0.001


def wrong_flag(manifest: dict[str, Any]) -> None:
    row = manifest["golden"][0]["outputs"]
    row["flagged"] = [1 - row["flagged"][0]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (wrong_score, "golden row 3: score"),
        (wrong_flag, "golden row 0: flagged"),
        (lambda m: m["golden"][0]["outputs"].update(score=["abc"]), "golden row 0: score"),
        (lambda m: m["golden"][0]["outputs"].update(score=[[0.5]]), "golden row 0: score"),
        (lambda m: m["golden"][0]["outputs"].update(nothing=[1]), "golden row 0"),
        (lambda m: m["golden"][0]["inputs"].pop("purpose"), "golden row 0"),
        (lambda m: m["golden"][0]["inputs"].update(purpose=[11]), "golden row 0"),
        (lambda m: m["golden"][0]["outputs"].clear(), "golden row 0"),
        (lambda m: m["golden"].clear(), "golden"),
        (lambda m: m.update(tolerance=0.5), "tolerance"),
        (lambda m: m.update(colour="red"), "colour"),
        (lambda m: m.update(version=3), "fraud/3, not fraud/1"),
        (lambda m: m.update(name="other"), "other/1"),
        (lambda m: m.update(digest="sha256:0"), "64 hex"),
        (lambda m: m.update(digest="sha256:" + "0" * 64), "digest"),
        (lambda m: m.update(schema="maestro.model/9"), "schema"),
        (lambda m: m.update(platform="pickle"), "platform"),
        (lambda m: m["inputs"][0].update(datatype="FP64"), "'features'"),
        (lambda m: m["inputs"][0].update(datatype="FP8"), "unknown datatype"),
        (lambda m: m["inputs"][0].update(shape=[-1, 8]), "'features'"),
        (lambda m: m["inputs"].append(m["inputs"][0]), "twice"),
        (lambda m: m["outputs"].pop(), "'flagged'"),
    ],
)
def test_refuses_a_wrong_manifest(
    models: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    edit_manifest(models, change)
    assert reason in refusal(models)


def test_refuses_missing_and_oversized_files(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "MAX_MODEL_BYTES", 1000)
    assert "larger than 1000 bytes" in refusal(models)
    (models / "fraud" / "1" / "model.onnx").unlink()
    assert "model.onnx: No such file" in refusal(models)
    (models / "fraud" / "1" / "manifest.json").write_text("{")
    assert refusal(models).startswith("manifest.json")
    with pytest.raises(ArtefactRefused, match=r"manifest.json: No such file"):
        artefact.load(models, "fraud", 9)


@given(st.binary(max_size=200))
def test_the_survey_survives_any_bytes(content: bytes) -> None:
    try:
        survey(content)
    except ArtefactRefused:
        return


def test_a_model_whose_answer_is_not_finite_is_at_fault(tmp_path: Path) -> None:
    one_node_model(tmp_path, "logarithm", "Log", "FP32", 1.0, 0.0)
    model = artefact.load(tmp_path, "logarithm", 1)

    def answer(value: float) -> list[messages.ResponseTensor]:
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [value]}
        body = messages.read_infer(json.dumps({"inputs": [tensor]}).encode())
        return answer_of(model, messages.decode_tensors(body, "1", binary.Tail(memoryview(b""))))

    assert answer(1.0)[0].data == [0.0]
    for value in (-1.0, 0.0):
        with pytest.raises(ModelError, match="not finite") as caught:
            answer(value)
        assert caught.value.status == 500
