"""Binary tensors and compressed bodies: the same as JSON, or refused."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.errors import ModelError, RequestError
from maestro_cli.serving.protocol import answer, binary, compression, messages, tensors
from maestro_cli.serving.protocol.http import MAX_BODY_BYTES
from tests.unit.serving.onnx_by_hand import one_node_model
from tests.unit.serving.served import FEATURES, Served, request

LENGTH = binary.LENGTH_HEADER
INFER = "/v2/models/fraud/infer"


def element_of(datatype: str) -> st.SearchStrategy[Any]:
    kind = tensors.NUMPY_TYPES[datatype]
    if kind.kind == "b":
        return st.booleans()
    if kind.kind == "O":
        return st.text(st.characters(codec="utf-8"), max_size=8)
    if kind.kind == "f":
        widths: dict[int, Any] = {2: 16, 4: 32, 8: 64}
        return st.floats(allow_nan=False, allow_infinity=False, width=widths[kind.itemsize])
    edges = np.iinfo(kind)
    return st.integers(int(edges.min), int(edges.max))


@st.composite
def tensor(draw: st.DrawFn) -> tuple[str, tensors.Array]:
    datatype = draw(st.sampled_from(sorted(tensors.NUMPY_TYPES)))
    shape = draw(st.lists(st.integers(1, 3), max_size=4))  # an extent of 0 is refused
    count = math.prod(shape)
    values = draw(st.lists(element_of(datatype), min_size=count, max_size=count))
    array = np.empty(count, dtype=tensors.NUMPY_TYPES[datatype])
    array[:] = values
    return datatype, array.reshape(shape)


def read(content: bytes, declared: str) -> messages.InferRequest:
    head, tail = binary.split(content, declared)
    return messages.decode_tensors(messages.read_infer(head), "1", tail)


def in_bytes(*given_tensors: tuple[dict[str, Any], bytes | None], **members: Any) -> tuple[bytes, str]:
    """A request body and its header; what has no bytes is left as JSON."""
    inputs = [
        told if raw is None else {**told, "parameters": {"binary_data_size": len(raw)}}
        for told, raw in given_tensors
    ]
    head = json.dumps({"inputs": inputs, **members}).encode()
    return head + b"".join(raw for _, raw in given_tensors if raw is not None), str(len(head))


@given(st.lists(st.tuples(tensor(), st.booleans()), min_size=1, max_size=4))
def test_json_and_bytes_of_the_same_tensors_are_equal_arrays(
    drawn: list[tuple[tuple[str, tensors.Array], bool]],
) -> None:
    told = [
        {"name": f"x{index}", "datatype": datatype, "shape": list(array.shape)}
        for index, ((datatype, array), _) in enumerate(drawn)
    ]
    as_json = [
        {**one, "data": array.ravel().tolist()} for one, ((_, array), _) in zip(told, drawn, strict=True)
    ]
    raws = [binary.encode("x", array) for (_, array), _ in drawn]
    mixed = [
        (one, raw) if is_raw else (full, None)
        for one, full, raw, (_, is_raw) in zip(told, as_json, raws, drawn, strict=True)
    ]
    plain = read(json.dumps({"inputs": as_json}).encode(), "")
    found = read(*in_bytes(*mixed))
    assert plain.datatypes == found.datatypes
    for index, ((_, array), _) in enumerate(drawn):
        for request_read in (plain, found):
            got = request_read.inputs[f"x{index}"]
            assert (got.dtype, got.shape) == (array.dtype, array.shape)
            assert got.tobytes() == array.tobytes() if array.dtype.kind != "O" else (got == array).all()


@given(tensor(), st.booleans())
def test_outputs_come_back_as_they_were(drawn: tuple[str, tensors.Array], as_bytes: bool) -> None:
    datatype, array = drawn
    asked = messages.InferRequest("1", {}, {}, (), {"y": as_bytes}, not as_bytes)
    reply = answer.compose("m", "1", asked, {"y": array, "z": array}, {})
    length = int(dict(reply.headers)[LENGTH.encode()])
    told = json.loads(reply.body[:length])["outputs"]
    assert [set(one) & {"data", "parameters"} for one in told] == (
        [{"parameters"}, {"data"}] if as_bytes else [{"data"}, {"parameters"}]
    )
    raw, full = (told[0], told[1]) if as_bytes else (told[1], told[0])
    assert raw["parameters"]["binary_data_size"] == len(reply.body) - length
    rest = memoryview(reply.body[length:])
    for got in (
        binary.decode("y", datatype, raw["shape"], rest),
        tensors.decode("y", datatype, full["shape"], json.dumps(full["data"]).encode()),
    ):
        assert got.tolist() == array.tolist()


@given(
    st.sampled_from(sorted(tensors.NUMPY_TYPES)), st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 3)),
    st.binary(max_size=64),
)  # fmt: skip
def test_any_bytes_are_a_tensor_of_that_shape_or_refused(datatype: str, shape: list[int], raw: bytes) -> None:
    with contextlib.suppress(RequestError):
        array = binary.decode("x", datatype, shape, memoryview(raw))
        assert (array.shape, tensors.datatype_of(array)) == (tuple(shape), datatype)
        assert binary.encode("x", array) == raw


@given(st.binary(max_size=80), st.integers(-2, 90).map(str) | st.text(max_size=12))
def test_any_body_and_length_are_read_or_refused(body: bytes, declared: str) -> None:
    with contextlib.suppress(RequestError):
        read(body, declared)


ONE = {"name": "x", "datatype": "FP32", "shape": [1]}
FOUR = struct.pack("<f", 1.5)


@pytest.mark.parametrize(
    "declared", ["0", "-1", "+5", "1.0", "0x10", "٣", " 5", "9" * 5000, "9999", "nan", "1e2"]
)
def test_a_header_that_is_not_the_length_of_the_json_is_refused(declared: str) -> None:
    with pytest.raises(RequestError, match="content-length") as caught:
        read(in_bytes((ONE, FOUR))[0], declared)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("told", "raw", "says"),
    [
        ({**ONE, "parameters": {"binary_data_size": size}}, FOUR, says)
        for size, says in [
            (5, "4 bytes are left"), (3, "are 4 bytes, got 3"), (0, "got 0"), (-4, "a number of bytes"),
            (True, "a number of bytes"), (4.0, "a number of bytes"), ("4", "a number of bytes"),
            (2**70, "4 bytes are left"),
        ]
    ]
    + [
        ({**ONE, "parameters": {"binary_data_size": 4}}, FOUR + b"\0", "belong to none"),
        ({**ONE, "data": [1.0]}, FOUR, "belong to none"),
        ({**ONE, "data": [1.0], "parameters": {"binary_data_size": 4}}, FOUR, "both"),
        (ONE, b"", "neither"),
        ({**ONE, "parameters": {"shared_memory_region": "r"}}, b"", "not spoken"),
    ],
)  # fmt: skip
def test_sizes_must_agree_to_the_byte(told: dict[str, Any], raw: bytes, says: str) -> None:
    head = json.dumps({"inputs": [told]}).encode()
    with pytest.raises(RequestError, match=says) as caught:
        read(head + raw, str(len(head)))
    assert caught.value.status == 400


def strings(*items: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(item)) + item for item in items)


@pytest.mark.parametrize(
    ("datatype", "shape", "raw"),
    [
        ("FP16", [1], struct.pack("<e", math.inf)),
        ("FP32", [1], struct.pack("<f", math.nan)),
        ("FP64", [1], struct.pack("<d", -math.inf)),
        ("BOOL", [1], b"\x02"),
        ("BYTES", [1], strings(b"\xff")),
        ("BYTES", [2], strings(b"a")),
        ("BYTES", [1], strings(b"a", b"b")),
        ("BYTES", [1], struct.pack("<I", 2**32 - 1)),
        ("BYTES", [2**31 - 1] * 8, strings(b"a")),
        ("BYTES", [1], b"\0\0\0"),
        ("BYTES", [tensors.MAX_STRINGS + 1], bytes(4 * (tensors.MAX_STRINGS + 1))),
        ("BF16", [1], b"\0\0"),
        ("FP32", [1] * 9, FOUR),
        ("UINT8", [-1], b""),
    ],
)
def test_refuses_what_json_could_not_say(datatype: str, shape: list[int], raw: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        binary.decode("x", datatype, shape, memoryview(raw))
    assert caught.value.status == 400


def test_large_tensors_stay_where_they_came_and_small_ones_keep_no_body() -> None:
    body = bytes(40_000)
    large = binary.decode("x", "UINT8", [40_000], memoryview(body))
    assert np.shares_memory(large, np.frombuffer(body, dtype=np.uint8))
    small = binary.decode("x", "UINT8", [4], memoryview(body)[:4])
    assert small.base is None or not np.shares_memory(small, np.frombuffer(body, dtype=np.uint8))
    assert binary.decode("x", "FP32", [9_000], memoryview(body)[1:36_001]).flags.aligned


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_model_that_answers_nan_is_at_fault_in_bytes_too(value: float) -> None:
    with pytest.raises(ModelError, match="not finite"):
        binary.encode("y", np.array([value], dtype=np.float16))


def fraud_in_bytes(rows: int = 1, **members: Any) -> tuple[bytes, str]:
    return in_bytes(
        (
            {"name": "features", "datatype": "FP32", "shape": [rows, 9]},
            np.array(FEATURES * rows, dtype="<f4").tobytes(),
        ),
        ({"name": "purpose", "datatype": "INT64", "shape": [rows, 1]}, struct.pack("<q", 3) * rows),
        **members,
    )


def send(server: Served, content: bytes, declared: str, **headers: str) -> httpx.Response:
    return server.post(INFER, content=content, headers={LENGTH: declared, **headers})


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


@pytest.mark.parametrize("rows", [1, 4096])
def test_a_model_answers_the_same_in_bytes(served: Served, rows: int) -> None:
    plain = served.infer(
        request({"shape": [rows, 9], "data": FEATURES * rows}, {"shape": [rows, 1], "data": [3] * rows})
    )
    assert plain.headers["content-type"] == "application/json"
    raw = send(served, *fraud_in_bytes(rows, parameters={"binary_data_output": True}))
    assert raw.status_code == 200, raw.text
    assert raw.headers["content-type"] == "application/octet-stream"
    length = int(raw.headers[LENGTH])
    told = json.loads(raw.content[:length])["outputs"]
    assert [one["parameters"]["binary_data_size"] for one in told] == [4 * rows, 8 * rows]
    scores = np.frombuffer(raw.content[length : length + 4 * rows], dtype="<f4")
    assert scores.tolist() == plain.json()["outputs"][0]["data"]


def test_every_datatype_goes_through_a_model(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "BYTES": "ä€",
        "BOOL": True,
        "UINT64": 2**64 - 1,
        "INT64": 2**53 + 1,
        "FP16": 0.5,
    }
    for datatype in tensors.NUMPY_TYPES:
        one_node_model(
            tmp_path, datatype.lower(), "Identity", datatype, values.get(datatype, 7), values.get(datatype, 7)
        )
    arguments = [word for datatype in tensors.NUMPY_TYPES for word in ("--serve", f"{datatype.lower()}=1")]
    server = Served(*arguments, models=tmp_path)
    for datatype, kind in tensors.NUMPY_TYPES.items():
        value = values.get(datatype, 7)
        path = f"/v2/models/{datatype.lower()}/infer"
        told = {"name": "x", "datatype": datatype, "shape": [1, 1]}
        plain = server.post(path, json={"inputs": [{**told, "data": [value]}]})
        assert plain.json()["outputs"][0]["data"] == [value], datatype
        raw = binary.encode("x", np.array([value], dtype=kind))
        content, declared = in_bytes((told, raw), parameters={"binary_data_output": True})
        got = server.post(path, content=content, headers={LENGTH: declared})
        assert got.content[int(got.headers[LENGTH]) :] == raw, datatype


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("DEFLATE", zlib.compress)])
def test_compressed_bodies_are_read(served: Served, name: str, compress: Any) -> None:
    content, declared = fraud_in_bytes()
    answered = send(served, compress(content), declared, **{"content-encoding": name})
    assert answered.json()["outputs"][0]["shape"] == [1]


@pytest.mark.parametrize(
    ("content", "coding", "status", "says"),
    [
        (gzip.compress(b" " * (MAX_BODY_BYTES + 1), mtime=0), "gzip", 413, "once expanded"),
        (zlib.compress(b"{}")[:-1], "deflate", 400, "cut short"),
        (gzip.compress(b"{}", mtime=0) * 2, "gzip", 400, "follow the end"),
        (b"{}", "gzip", 400, "is not gzip"),
        (b"", "gzip", 400, "cut short"),
        (b"{}", "br", 415, "'br' is not read"),
        (gzip.compress(b"{}", mtime=0), "gzip, gzip", 415, "is not read"),
    ],
    # gzip has the time in it
    ids=["bomb", "cut", "more after it", "other bytes", "nothing", "other coding", "twice"],
)
def test_bombs_and_broken_compression_are_refused(
    served: Served, content: bytes, coding: str, status: int, says: str
) -> None:
    answered = served.post(INFER, content=content, headers={"content-encoding": coding})
    assert (answered.status_code, set(answered.json())) == (status, {"error"})
    assert says in answered.json()["error"]
    assert ("accept-encoding" in answered.headers) is (status == 415)


def test_a_bomb_is_expanded_no_further_than_the_limit() -> None:
    bomb = zlib.compress(bytes(64 * MAX_BODY_BYTES))
    tracemalloc.start()
    try:
        with pytest.raises(RequestError, match="once expanded"):
            compression.expand(bomb, "deflate", MAX_BODY_BYTES)
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BODY_BYTES
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate"]))
def test_any_compressed_body_is_expanded_or_refused(content: bytes, coding: str) -> None:
    with contextlib.suppress(RequestError):
        assert len(compression.expand(content, coding, 100)) <= 100
