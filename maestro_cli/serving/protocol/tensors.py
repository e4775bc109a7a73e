"""Tensors between JSON and numpy.

Invariant: an array that leaves `decode` has exactly the declared shape and datatype, and only finite
values; anything else raised RequestError before a model saw it. Datatypes and row-major order are those
of the Open Inference Protocol v2 (`specification/protocol/inference_rest.md`, "Tensor Data").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from maestro_cli.core.decoding import ready
from maestro_cli.serving.errors import ModelError, RequestError, quoted

Array = NDArray[Any]

MAX_DIMENSIONS = 8
MAX_STRINGS = 65_536  # elements of one BYTES tensor: each costs Python about 1 µs, and the event loop waits
_FLAT: dict[str, msgspec.json.Decoder[Any]] = {
    "b": msgspec.json.Decoder(ready(list[bool])),
    "i": msgspec.json.Decoder(ready(list[int])),
    "f": msgspec.json.Decoder(ready(list[float])),
    "O": msgspec.json.Decoder(ready(list[str])),
}
_KIND_WORD = {"b": "booleans", "i": "integers", "f": "numbers", "O": "strings"}

NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
_DATATYPES = {kind: name for name, kind in NUMPY_TYPES.items()}
_BY_CHARACTER = {kind.char: name for name, kind in NUMPY_TYPES.items()}  # a dtype's own hash is slow
_LARGEST = {"FP16": 65504.0, "FP32": 3.4028234e38, "FP64": math.inf}  # of what is not rounded to infinity
FEW = 64  # elements: for so many Python is faster than numpy
ONNX_TYPES: dict[str, str] = {  # onnxruntime's NodeArg.type → protocol datatype
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


def _kind(datatype: str) -> str:
    kind = NUMPY_TYPES[datatype].kind
    return "i" if kind == "u" else kind


def _flatten(node: Any, shape: Sequence[int], into: list[Any]) -> None:
    """Append the leaves of nested lists in row-major order; raises RequestError where a level is uneven."""
    if not shape:
        into.append(node)
        return
    if not isinstance(node, list) or len(node) != shape[0]:
        raise RequestError("nested data does not follow its shape")
    for item in node:
        _flatten(item, shape[1:], into)


def _values(name: str, raw: bytes | memoryview, datatype: str, shape: Sequence[int]) -> list[Any]:
    """The elements as a flat list of the right JSON type, whether the data came flat or nested."""
    kind = _kind(datatype)
    try:
        flat: list[Any] = _FLAT[kind].decode(raw)
        return flat
    except msgspec.ValidationError:
        pass  # nested, or of the wrong type: told apart below
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RequestError(f"tensor {quoted(name)}: data is not valid: {error}") from error
    try:
        decoded = msgspec.json.decode(raw)
        if not isinstance(decoded, list):
            raise RequestError(f"tensor {quoted(name)}: data is not an array")
        leaves: list[Any] = []
        if decoded and isinstance(decoded[0], list):
            _flatten(decoded, shape, leaves)
        else:
            leaves = decoded
        checked: list[Any] = msgspec.convert(leaves, ready(_FLAT[kind].type))
        return checked
    except RequestError as fault:
        raise RequestError(f"tensor {quoted(name)}: {fault.text}") from fault
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        word = _KIND_WORD[kind]
        raise RequestError(f"tensor {quoted(name)}: {datatype} data must be {word}") from error


def decode(name: str, datatype: str, shape: Sequence[int], raw: bytes | memoryview) -> Array:
    """One request tensor as an array of that shape; raises RequestError (400).

    `raw` is the JSON text of `data`, flat or nested. Values that the datatype cannot hold are refused,
    not wrapped or rounded to infinity.
    """
    check_form(name, datatype, shape)
    values = _values(name, raw, datatype, shape)
    if len(values) != math.prod(shape):
        raise RequestError(
            f"tensor {quoted(name)}: shape says {math.prod(shape)} elements, data has {len(values)}"
        )
    return _pack(name, datatype, values).reshape(tuple(shape))


def check_form(name: str, datatype: str, shape: Sequence[int]) -> None:
    """Raises RequestError for a datatype that the protocol has not, or a shape that no tensor here has.

    What passes has at least one element, so its data is as long as any extent says.
    """
    if datatype not in NUMPY_TYPES:
        raise RequestError(f"tensor {quoted(name)}: unknown datatype {quoted(datatype)}")
    if len(shape) > MAX_DIMENSIONS or min(shape, default=0) < 0:
        raise RequestError(
            f"tensor {quoted(name)}: shape must have 0 to {MAX_DIMENSIONS} extents, none negative"
        )
    if 0 in shape:  # no data would bear out the other extents
        raise RequestError(f"tensor {quoted(name)} is empty: its shape has an extent of 0")
    if datatype == "BYTES" and math.prod(shape) > MAX_STRINGS:
        raise RequestError(f"tensor {quoted(name)}: more than {MAX_STRINGS} elements of BYTES")


def _pack(name: str, datatype: str, values: list[Any]) -> Array:
    kind = NUMPY_TYPES[datatype]
    try:
        if kind.kind != "f":
            return np.array(values, dtype=kind)
        if len(values) <= FEW and -_LARGEST[datatype] < min(values) and max(values) < _LARGEST[datatype]:
            return np.array(values, dtype=kind)
        with np.errstate(over="ignore"):
            packed = np.array(values, dtype=np.float64).astype(kind)
    except OverflowError as error:
        raise RequestError(f"tensor {quoted(name)}: a value does not fit {datatype}") from error
    if not is_finite(packed):
        raise RequestError(f"tensor {quoted(name)}: a value does not fit {datatype}")
    return packed


def is_finite(array: Array) -> bool:
    """Whether no element is NaN or infinite."""
    if array.size <= FEW:
        return all(map(math.isfinite, array.ravel().tolist()))
    return not holds_somewhere(~np.isfinite(array))


def holds_somewhere(flags: NDArray[np.bool_]) -> bool:
    """numpy's `any`, found in the bytes: for the few elements of a request that costs less."""
    return b"\1" in flags.tobytes()


def datatype_of(array: Array) -> str:
    """The protocol's name of an array's type; raises ModelError for a type it does not have."""
    name = _BY_CHARACTER.get(array.dtype.char) or _DATATYPES.get(array.dtype)
    if name is None:
        raise ModelError(f"the model answered with {array.dtype}, which the protocol cannot carry")
    return name


def check_finite(name: str, array: Array) -> None:
    """Raises ModelError when a model's output holds NaN or infinity."""
    if array.dtype.kind == "f" and not is_finite(array):
        raise ModelError(f"output '{name}' is not finite")


def encode(name: str, array: Array) -> list[Any]:
    """The flat row-major values of a model's output; raises ModelError for NaN and infinity."""
    check_finite(name, array)
    return list(array.ravel().tolist())
