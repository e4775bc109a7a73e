"""The codec: what JSON data becomes, and what it must not become."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.errors import ModelError, RequestError
from maestro_cli.serving.protocol import binary, messages, tensors


def decode(datatype: str, shape: list[int], data: Any) -> tensors.Array:
    return tensors.decode("x", datatype, shape, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("BOOL", [True, False]),
        ("UINT8", [0, 255]),
        ("INT8", [-128, 127]),
        ("UINT16", [0, 65535]),
        ("INT16", [-32768, 32767]),
        ("UINT32", [0, 2**32 - 1]),
        ("INT32", [-(2**31), 2**31 - 1]),
        ("UINT64", [0, 2**64 - 1]),
        ("INT64", [-(2**63), 2**63 - 1]),
        ("FP16", [0.5, -2.0]),
        ("FP32", [1.5, 3]),
        ("FP64", [0.1, 1e300]),
        ("BYTES", ["ä", ""]),
    ],
)
def test_every_datatype_survives_flat_and_nested(datatype: str, data: list[Any]) -> None:
    flat = decode(datatype, [2], data)
    nested = decode(datatype, [2, 1], [[value] for value in data])
    assert tensors.datatype_of(flat) == datatype
    assert tensors.encode("x", flat) == tensors.encode("x", nested) == data
    assert nested.shape == (2, 1)


@pytest.mark.parametrize(
    ("datatype", "shape", "data"),
    [
        ("FP32", [3], [1.0, 2.0]),  # product of the shape
        ("BOOL", [3], [True]),  # the specification's own wrong example
        ("FP32", [2, 2], [[1.0, 2.0], [3.0]]),  # ragged
        ("FP32", [4], [[1.0, 2.0], [3.0, 4.0]]),  # nested otherwise than the shape says
        ("FP32", [1, 2], [[1.0, [2.0]]]),
        ("FP32", [2], {"0": 1.0}),
        ("FP32", [1], 1.0),
        ("FP32", [1], [None]),
        ("FP32", [1], ["1.0"]),
        ("FP32", [1], [True]),
        ("FP32", [1], [1e39]),  # infinity in 32 bits
        ("FP16", [1], [70000]),
        ("INT64", [1], [1.5]),
        ("INT64", [1], [2**63]),
        ("UINT8", [1], [-1]),
        ("UINT8", [1], [256]),
        ("BOOL", [1], [1]),
        ("BYTES", [1], [1]),
        ("FP8", [1], [1.0]),
        ("FP32", [1] * 9, [1.0]),  # too many dimensions
        ("FP32", [-1], [1.0]),
        ("FP32", [2**31 - 1, 0], []),  # no data bears out its rows
    ],
)
def test_refuses(datatype: str, shape: list[int], data: Any) -> None:
    with pytest.raises(RequestError) as caught:
        decode(datatype, shape, data)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[1e999]", "[" * 5000 + "]" * 5000, "[1", ""])
def test_refuses_what_is_not_json(text: str) -> None:
    with pytest.raises(RequestError):
        tensors.decode("x", "FP64", [1], text.encode())


def test_refuses_an_integer_of_thousands_of_digits() -> None:
    for datatype in ("INT64", "FP64"):
        with pytest.raises(RequestError):
            tensors.decode("x", datatype, [1], b"[" + b"9" * 10_000 + b"]")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_model_that_answers_nan_is_at_fault(value: float) -> None:
    with pytest.raises(ModelError) as caught:
        tensors.encode("score", np.array([0.5, value], dtype=np.float32))
    assert caught.value.status == 500


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=12))
def test_floats_come_back_bit_for_bit(values: list[float]) -> None:
    assert tensors.encode("x", decode("FP32", [len(values)], values)) == values


@given(st.binary(max_size=60))
def test_no_body_ends_in_anything_but_a_fault(body: bytes) -> None:
    for read in (messages.read_infer, messages.read_index):
        with contextlib.suppress(RequestError):
            read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children, max_size=3)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(tensors.NUMPY_TYPES)), st.lists(st.integers(0, 3), max_size=4), JSON)
def test_no_data_ends_in_anything_but_a_tensor_of_that_shape(
    datatype: str, shape: list[int], data: Any
) -> None:
    try:
        array = decode(datatype, shape, data)
    except RequestError:
        return
    assert array.shape == tuple(shape)
    assert tensors.datatype_of(array) == datatype


def body_of(**members: Any) -> bytes:
    tensor = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}
    return json.dumps({"inputs": [tensor], **members}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"inputs": []}',
        b'{"inputs": [{}]}',
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        body_of(id=7),
        body_of(id="x" * 257),
        b"\xff\xfe",
        json.dumps({"inputs": [{"name": "x", "shape": [-1], "datatype": "FP32", "data": []}]}).encode(),
        json.dumps({"inputs": [{"name": "x", "shape": [2**40], "datatype": "FP32", "data": []}]}).encode(),
    ],
)
def test_refuses_malformed_requests(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        messages.read_infer(body)
    assert caught.value.status == 400


def test_refuses_bytes_that_bear_out_no_rows() -> None:
    with pytest.raises(RequestError, match="is empty"):
        binary.decode("x", "FP32", [2**31 - 1, 0], memoryview(b""))


@pytest.mark.parametrize(
    "members",
    [
        {"outputs": [{"name": "y", "parameters": {"binary_data": 1}}]},
        {"outputs": [{"name": "y", "parameters": {"classification": 2}}]},
        {"outputs": [{"name": "y", "parameters": {"shared_memory_region": "a"}}]},
        {"parameters": {"binary_data_output": "true"}},
        {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}] * 2},
    ],
)
def test_refuses_unspoken_parameters_and_double_tensors(members: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        messages.decode_tensors(messages.read_infer(body_of(**members)), "1", binary.Tail(memoryview(b"")))


@pytest.mark.parametrize(
    ("body", "ready"), [(b"", False), (b" \n", False), (b"{}", False), (b'{"ready":true}', True)]
)
def test_the_index_body_may_be_empty(body: bytes, ready: bool) -> None:
    assert messages.read_index(body).ready is ready
