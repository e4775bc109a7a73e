"""What a trained version becomes: model.onnx, manifest.json and, once a model, traffic.json.

Invariant: golden rows and metrics are of rows that the version was not trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from training.sources import Source

OPSETS = {"": 18, "ai.onnx.ml": 3}
_GOLDEN_ROWS = 10
_TRAFFIC_ROWS = 300
_IR_VERSION = 8  # the oldest that carries opset 18

Rows = Mapping[str, NDArray[Any]]  # by input name; the first axis counts rows
Tensor = dict[str, Any]  # as the manifest has it


@dataclass(frozen=True)
class Provenance:
    """Where the rows come from, for people: the words of the manifest's `training`."""

    source: str
    licence: str
    synthetic: str
    file: Source

    def training(self, selection: str, fitted: Sequence[NDArray[Any]]) -> dict[str, Any]:
        """`fitted`: the arrays trained on; their little-endian bytes, in this order, are what is hashed."""
        content = b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in fitted)
        return {
            "source": f"{self.source}; PyPI {self.file.package}",
            "source_sha256": self.file.sha256,
            "licence": self.licence,
            "synthetic": self.synthetic,
            "selection": selection,
            "rows": len(fitted[0]),
            "rows_sha256": hashlib.sha256(content).hexdigest(),
            "program": "deploy/models/train.py",
            "libraries": {name: library_version(name) for name in ("scikit-learn", "skl2onnx", "onnx")},
        }


@dataclass(frozen=True)
class Truth:
    """What came true for each row held out, in the words of one output: who answers that, among the first
    `within` values, was right.
    """

    output: str
    values: NDArray[Any]
    within: int = 1


@dataclass(frozen=True)
class Version:
    """One trained version. `held_out` are rows it was not trained on, `tolerance` is absolute."""

    name: str
    number: int
    description: str
    content: bytes
    inputs: list[Tensor]
    outputs: list[Tensor]
    training: dict[str, Any]
    metrics: dict[str, Any]
    held_out: Rows
    tolerance: float = 1e-5

    def manifest(self) -> dict[str, Any]:
        return {
            "schema": "maestro.model/1",
            "name": self.name,
            "version": self.number,
            "description": self.description,
            "platform": "onnx_onnxv1",
            "digest": "sha256:" + hashlib.sha256(self.content).hexdigest(),
            "deterministic": True,
            "est_bytes": max(2_000_000, 6 * len(self.content)),
            "parent": self.number - 1 or None,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "training": self.training,
            "metrics": self.metrics,
            "tolerance": self.tolerance,
            "golden": self._golden(),
        }

    def _golden(self) -> list[dict[str, Any]]:
        """Rows spread over those held out, with what ONNX Runtime answers for them."""
        session = onnxruntime.InferenceSession(self.content, providers=["CPUExecutionProvider"])
        names = [tensor["name"] for tensor in self.outputs]
        count = _count(self.held_out)
        golden = []
        for index in range(0, count, max(1, count // _GOLDEN_ROWS))[:_GOLDEN_ROWS]:
            feed = {name: array[index : index + 1] for name, array in self.held_out.items()}
            answers = dict(zip(names, session.run(names, feed), strict=True))
            golden.append(
                {
                    "inputs": _request(self.held_out, index),
                    "outputs": {name: answer.ravel().tolist() for name, answer in answers.items()},
                }
            )
        return golden

    def write(self, out: Path) -> None:
        manifest = self.manifest()
        folder = out / self.name / str(self.number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(self.content)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        print(f"{self.name}/{self.number}: {len(self.content)} bytes, {self.metrics}")  # noqa: T201

    def write_traffic(self, out: Path, source: str, truth: Truth | None = None) -> None:
        """The first rows held out, one request a row, as a load generator sends them, and their truth."""
        rows = {name: array[:_TRAFFIC_ROWS] for name, array in self.held_out.items()}
        head = {
            "schema": "maestro.traffic/1",
            "model": self.name,
            "source": source,
            "inputs": [
                {
                    "name": tensor["name"],
                    "datatype": tensor["datatype"],
                    "shape": [1, *rows[tensor["name"]].shape[1:]],
                }
                for tensor in self.inputs
            ],
        }
        known = ""
        if truth is not None:
            values = truth.values[:_TRAFFIC_ROWS].tolist()
            known = ',\n "truth": ' + json.dumps(
                {
                    "output": truth.output,
                    **({"within": truth.within} if truth.within > 1 else {}),
                    "values": values,
                }
            )
        lines = ",\n".join("  " + json.dumps(_request(rows, index)) for index in range(_count(rows)))
        text = json.dumps(head, indent=1)[:-2] + known + ',\n "rows": [\n' + lines + "\n ]\n}\n"
        (out / self.name / "traffic.json").write_text(text, encoding="utf-8")


def serialised(graph: onnx.GraphProto) -> bytes:
    """The checked graph as bytes that do not change from one run to the next."""
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="maestro")
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def constant(values: Sequence[int]) -> NDArray[np.int64]:
    """Integers that a graph needs: a shape, an axis, an index."""
    return np.array(values, dtype=np.int64)


def _count(rows: Rows) -> int:
    return len(next(iter(rows.values())))


def _request(rows: Rows, index: int) -> dict[str, list[Any]]:
    """One row as flat values by tensor name."""
    return {name: array[index].ravel().tolist() for name, array in rows.items()}
