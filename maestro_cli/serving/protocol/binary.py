"""Tensors between raw bytes and numpy: Triton's binary tensor data extension (`extension_binary_data.md`).

A body is its JSON, as long as the header Inference-Header-Content-Length says, and then the raw tensors in
the order of the JSON, each as long as its `binary_data_size`: little-endian, row-major, BOOL as one byte of 0
or 1, each element of BYTES after its length in four bytes.

Invariant: an array that leaves `decode` is what the same tensor in JSON would have become: exactly the
declared shape and datatype, only finite values, text in BYTES. Anything else is a RequestError (400).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.protocol import tensors
from maestro_cli.serving.protocol.tensors import Array

EXTENSION = "binary_tensor_data"
LENGTH_HEADER = "inference-header-content-length"

# An array over the body keeps the whole body; small ones are copied, so that who remembers a small question
# (the router does) remembers no padding that came with it.
_COPIED_BYTES = 16 * 1024
_LENGTH = struct.Struct("<I")


def split(content: bytes, declared: str) -> tuple[memoryview, Tail]:
    """The JSON of a body and what follows it; `declared` is the header, "" when there is none."""
    body = memoryview(content)
    if not declared:
        return body, Tail(body[len(body) :])
    length = int(declared) if declared.isascii() and declared.isdigit() and len(declared) <= 10 else -1
    if not 0 < length <= len(body):
        raise RequestError(
            f"{LENGTH_HEADER} must be the bytes of JSON, 1 to {len(body)} here, got {quoted(declared, 24)}"
        )
    return body[:length], Tail(body[length:])


class Tail:
    """The raw tensors of one request, to be taken in their order."""

    def __init__(self, content: memoryview) -> None:
        self._content = content

    def take(self, name: str, size: Any) -> memoryview:
        """The next `binary_data_size` bytes; raises RequestError when that is no size, or too much."""
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise RequestError(f"tensor {quoted(name)}: binary_data_size must be a number of bytes")
        if size > len(self._content):
            raise RequestError(
                f"tensor {quoted(name)}: binary_data_size is {size}, {len(self._content)} bytes are left"
            )
        taken, self._content = self._content[:size], self._content[size:]
        return taken

    def end(self) -> None:
        """Raises RequestError when bytes are left that belong to no tensor."""
        if len(self._content):
            raise RequestError(f"{len(self._content)} bytes follow the last tensor and belong to none")


def decode(name: str, datatype: str, shape: Sequence[int], raw: memoryview) -> Array:
    """One request tensor as an array of that shape; raises RequestError (400)."""
    tensors.check_form(name, datatype, shape)
    count = math.prod(shape)
    if datatype == "BYTES":
        return _strings(name, count, raw).reshape(tuple(shape))
    kind = tensors.NUMPY_TYPES[datatype]
    if len(raw) != count * kind.itemsize:
        raise RequestError(
            f"tensor {quoted(name)}: {count} elements of {datatype} are {count * kind.itemsize} bytes, "
            f"got {len(raw)}"
        )
    if datatype == "BOOL":
        if (np.frombuffer(raw, dtype=np.uint8) > 1).any():
            raise RequestError(f"tensor {quoted(name)}: a BOOL must be a byte of 0 or 1")
        values = np.frombuffer(raw, dtype=np.bool_)
    else:
        values = np.frombuffer(raw, dtype=kind.newbyteorder("<")).astype(kind, copy=False)
        if kind.kind == "f" and not tensors.is_finite(values):
            raise RequestError(f"tensor {quoted(name)}: a value is not finite")
    if len(raw) <= _COPIED_BYTES or not values.flags.aligned:
        values = values.copy()
    return values.reshape(tuple(shape))


def _strings(name: str, count: int, raw: memoryview) -> Array:
    """The elements of a BYTES tensor. They must be UTF-8, as a string tensor of ONNX holds text."""
    if count * _LENGTH.size > len(raw):
        raise RequestError(f"tensor {quoted(name)}: {count} elements of BYTES do not fit in {len(raw)} bytes")
    content, at, parts = bytes(raw), 0, []
    try:
        for _ in range(count):
            (size,) = _LENGTH.unpack_from(content, at)
            start, at = at + 4, at + 4 + size
            parts.append(content[start:at])
        texts = [str(part, "utf-8") for part in parts]
    except struct.error as error:
        raise RequestError(f"tensor {quoted(name)}: an element of BYTES is cut short") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"tensor {quoted(name)}: an element of BYTES is not UTF-8") from error
    if at != len(content):
        raise RequestError(
            f"tensor {quoted(name)}: {count} elements of BYTES take {at} bytes, got {len(content)}"
        )
    return np.array(texts, dtype=np.object_)


def encode(name: str, array: Array) -> bytes:
    """The bytes of a model's output; raises ModelError for NaN and infinity."""
    tensors.check_finite(name, array)
    if array.dtype.kind == "O":
        encoded = [str(item).encode("utf-8", "replace") for item in array.ravel()]
        return b"".join(part for item in encoded for part in (_LENGTH.pack(len(item)), item))
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
