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
    """One protobuf field: a varint or bytes."""
    if isinstance(content, int):
        return field_key(number, 0) + varint(content)
    return field_key(number, 2) + varint(len(content)) + content


def field_key(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    low = []
    while value > 0x7F:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*low, value])


def tensor(name: str, datatype: str, *extents: int | str) -> bytes:
    """A ValueInfoProto; an extent that is text is free."""
    shape = b"".join(field(1, field(2, n.encode()) if isinstance(n, str) else field(1, n)) for n in extents)
    return field(1, name.encode()) + field(2, field(1, field(1, _ELEMENTS[datatype]) + field(2, shape)))


def node(operator: str, given: list[str], answered: str, more: bytes = b"") -> bytes:
    """A NodeProto with one output."""
    inputs = b"".join(field(1, name.encode()) for name in given)
    return inputs + field(2, answered.encode()) + field(4, operator.encode("ascii")) + more


def one_node_model(
    models: Path, name: str, operator: str, datatype: str, given: object, answered: object
) -> None:
    """A version 1 that answers y = operator(x) for x of shape [n, 1]; its golden row is given → answered."""

    put_model(models, name, field(1, node(operator, ["x"], "y")), datatype, given, answered)


def endless_model(models: Path, name: str) -> None:
    """A version 1 whose golden row loops for hours: 2**40 times."""
    times = field(2, _ELEMENTS["INT64"]) + field(7, varint(2**40)) + field(8, b"times")
    put_model(models, name, field(1, _loop("times")) + field(5, times), "FP32", 1.0, 1.0)


def looping_model(models: Path, name: str) -> None:
    """A version 1 that answers x after a loop of as many turns as the largest x says: the data decide."""
    to_integers = field(5, field(1, b"to") + field(3, _ELEMENTS["INT64"]) + field(20, 2))
    no_extents = field(5, field(1, b"keepdims") + field(3, 0) + field(20, 2))
    nodes = (
        node("Cast", ["x"], "turns", to_integers),
        node("ReduceMax", ["turns"], "times", no_extents),
        _loop("times"),
    )
    put_model(models, name, b"".join(field(1, one) for one in nodes), "FP32", 1.0, 1.0)


def _loop(times: str) -> bytes:
    """A node that makes y of x by doing nothing, so many times."""
    body = (
        field(1, node("Identity", ["go on"], "goes on"))
        + field(1, node("Identity", ["v"], "w"))
        + field(2, b"body")
        + b"".join(
            field(11, one)
            for one in (tensor("i", "INT64"), tensor("go on", "BOOL"), tensor("v", "FP32", "n", 1))
        )
        + b"".join(field(12, one) for one in (tensor("goes on", "BOOL"), tensor("w", "FP32", "n", 1)))
    )
    return node("Loop", [times, "", "x"], "y", field(5, field(1, b"body") + field(6, body) + field(20, 5)))


def put_model(models: Path, name: str, graph: bytes, datatype: str, given: object, answered: object) -> None:
    """A version 1 with this graph of y from x, both of shape [n, 1]; its golden row is given → answered."""
    ends = field(11, tensor("x", datatype, "n", 1)) + field(12, tensor("y", datatype, "n", 1))
    content = field(1, 8) + field(7, graph + field(2, b"g") + ends) + field(8, field(1, b"") + field(2, 18))
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
