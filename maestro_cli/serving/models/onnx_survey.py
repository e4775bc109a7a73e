"""Looks into an ONNX file without the onnx package: which operators it uses, of which domains, and whether
it points at other files.

Invariant: a file that ONNX Runtime would parse and that holds a custom operator, a model-local function
or external data cannot pass; what cannot be parsed is refused. Field numbers are those of onnx.proto
(IR version 10, `onnx/onnx.proto`), the encoding that of protobuf
(https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from maestro_cli.serving.errors import ArtefactRefused

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 24  # graphs inside If and Loop

# message → field number → what the field holds
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_DOMAIN_FIELD = {"node": 7, "opset": 1}
_OPERATOR_FIELD = 4  # of a node
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


@dataclass(slots=True)
class Survey:
    """What a model file uses: domains ("" is ai.onnx), and the things that are refused outright."""

    domains: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    nodes: int = 0
    external_data: bool = False
    functions: bool = False


def survey(content: bytes) -> Survey:
    """Walk the whole model; raises ArtefactRefused when it is not well-formed protobuf."""
    found = Survey()
    _walk("model", memoryview(content), found, 0)
    if found.nodes == 0:
        raise ArtefactRefused("model.onnx: no ONNX graph in it")
    return found


def _walk(message: str, data: memoryview, found: Survey, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ArtefactRefused("model.onnx: graphs nested too deeply")
    found.nodes += message == "node"
    found.functions |= message in ("function", "training")
    children = _CHILDREN.get(message, {})
    domain_field = _DOMAIN_FIELD.get(message)
    for number, wire, value in _fields(data):
        if message == "tensor" and number in (_EXTERNAL_DATA, _DATA_LOCATION):
            found.external_data |= number == _EXTERNAL_DATA or value != 0
        elif wire != _BYTES or isinstance(value, int):
            continue
        elif number == domain_field:
            found.domains.add(bytes(value).decode("utf-8", "replace"))
        elif message == "node" and number == _OPERATOR_FIELD:
            found.operators.add(bytes(value).decode("utf-8", "replace"))
        elif number in children:
            _walk(children[number], value, found, depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """(field number, wire type, value) of one message; raises ArtefactRefused."""
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if not 0 < number < 2**29:  # other parsers would cut such a key off, and see another field
            raise ArtefactRefused("model.onnx: not an ONNX file")
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, position = _varint(data, position)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ArtefactRefused("model.onnx: not an ONNX file")
        if length > end - position:
            raise ArtefactRefused("model.onnx: not an ONNX file, or cut short")
        yield number, wire, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ArtefactRefused("model.onnx: not an ONNX file, or cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
