"""Small ONNX models written as protobuf by hand, with no need of the onnx package."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

# onnx.proto, TensorProto.DataType
_ELEMENTS = {
    "FP32": 1, "UINT8": 2, "INT8": 3, "UINT16": 4, "INT16": 5, "INT32": 6, "INT64": 7, "BYTES": 8, "BOOL": 9,
    "FP16": 10, "FP64": 11, "UINT32": 12, "UINT64": 13,
}  # fmt: skip


def field(number: int, content: bytes | int) -> bytes:
    """One protobuf field shorter than 128 bytes: a varint or bytes."""
    if isinstance(content, int):
        return field_key(number, 0) + bytes([content])
    return field_key(number, 2) + bytes([len(content)]) + content


def field_key(number: int, wire: int) -> bytes:
    key = number << 3 | wire
    return bytes([key]) if key < 128 else bytes([key & 0x7F | 0x80, key >> 7])


def one_node_model(
    models: Path, name: str, operator: str, datatype: str, given: object, answered: object
) -> None:
    """A version 1 that answers y = operator(x) for x of shape [n, 1]; its golden row is given → answered."""

    def value(tensor: bytes) -> bytes:
        shape = field(1, field(2, b"n")) + field(1, field(1, 1))
        return field(1, tensor) + field(2, field(1, field(1, _ELEMENTS[datatype]) + field(2, shape)))

    node = field(1, b"x") + field(2, b"y") + field(4, operator.encode("ascii"))
    graph = field(1, node) + field(2, b"g") + field(11, value(b"x")) + field(12, value(b"y"))
    content = field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 18))
    folder = models / name / "1"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "schema": "maestro.model/1",
                "name": name,
                "version": 1,
                "platform": "onnx_onnxv1",
                "digest": "sha256:" + hashlib.sha256(content).hexdigest(),
                "deterministic": True,
                "est_bytes": 1000,
                "inputs": [{"name": "x", "datatype": datatype, "shape": [-1, 1]}],
                "outputs": [{"name": "y", "datatype": datatype, "shape": [-1, 1]}],
                "golden": [{"inputs": {"x": [given]}, "outputs": {"y": [answered]}}],
            }
        )
    )
