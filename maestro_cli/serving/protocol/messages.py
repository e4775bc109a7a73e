"""The JSON messages of the protocol.

Invariant: what these structs accept is what the protocol allows; unknown members are ignored, as it asks,
and every malformed body is a RequestError (400), however deep or large.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.protocol import binary, tensors

MAX_ID_CHARACTERS = 256
MAX_TENSORS = 64

Extent = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class RequestTensor(msgspec.Struct):
    name: str
    shape: list[Extent]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: dict[str, Any] | None = None


class WantedOutput(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class InferBody(msgspec.Struct):
    inputs: list[RequestTensor]
    outputs: list[WantedOutput] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


class IndexBody(msgspec.Struct):
    ready: bool = False


class ControlBody(msgspec.Struct):
    parameters: dict[str, Any] | None = None


class ResponseTensor(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, int] | msgspec.UnsetType = msgspec.UNSET


class InferAnswer(msgspec.Struct):
    model_name: str
    model_version: str
    id: str
    outputs: list[ResponseTensor]
    parameters: dict[str, str]


class InferRequest(msgspec.Struct, frozen=True):
    """A decoded request: arrays by input name, and the outputs asked for (empty = all).

    `as_binary` says of outputs whether they are to be raw bytes, `all_binary` of those it does not name.
    """

    id: str
    inputs: dict[str, tensors.Array]
    datatypes: dict[str, str]
    wanted: tuple[str, ...]
    as_binary: dict[str, bool] = {}
    all_binary: bool = False


_INFER = msgspec.json.Decoder(ready(InferBody))
_CONTROL = msgspec.json.Decoder(ready(ControlBody))
_INDEX = msgspec.json.Decoder(ready(IndexBody))
_ENCODER = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """The JSON bytes of plain data or of one of the structs here."""
    return _ENCODER.encode(value)


def read_infer(body: bytes | memoryview) -> InferBody:
    """The outer form of an inference request, its data not yet decoded; raises RequestError."""
    try:
        parsed = _INFER.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RequestError(f"not an inference request: {_reason(error)}") from error
    if parsed.id is not None and len(parsed.id) > MAX_ID_CHARACTERS:
        raise RequestError(f"id is longer than {MAX_ID_CHARACTERS} characters")
    if not 0 < len(parsed.inputs) <= MAX_TENSORS:
        raise RequestError(f"inputs must hold 1 to {MAX_TENSORS} tensors")
    return parsed


def decode_tensors(body: InferBody, identity: str, tail: binary.Tail) -> InferRequest:
    """The tensors of a request as arrays; raises RequestError. `tail` holds those that came as bytes."""
    inputs: dict[str, tensors.Array] = {}
    datatypes: dict[str, str] = {}
    for tensor in body.inputs:
        if tensor.name in inputs:
            raise RequestError(f"tensor {quoted(tensor.name)} is given twice")
        inputs[tensor.name] = _decode(tensor, tail)
        datatypes[tensor.name] = tensor.datatype
    tail.end()
    as_binary: dict[str, bool] = {}
    for item in body.outputs or []:
        parameters = _spoken(item.name, item.parameters)
        if "binary_data" in parameters:
            as_binary[item.name] = _flag("binary_data", parameters["binary_data"])
    return InferRequest(
        identity,
        inputs,
        datatypes,
        tuple(dict.fromkeys(item.name for item in body.outputs or [])),
        as_binary,
        _flag("binary_data_output", (body.parameters or {}).get("binary_data_output", False)),
    )


def _decode(tensor: RequestTensor, tail: binary.Tail) -> tensors.Array:
    data = memoryview(tensor.data)
    size = _spoken(tensor.name, tensor.parameters).get("binary_data_size")
    if size is None:
        if not len(data):
            raise RequestError(f"tensor {quoted(tensor.name)} has neither data nor binary_data_size")
        return tensors.decode(tensor.name, tensor.datatype, tensor.shape, data)
    if len(data):
        raise RequestError(f"tensor {quoted(tensor.name)} has both data and binary_data_size")
    return binary.decode(tensor.name, tensor.datatype, tensor.shape, tail.take(tensor.name, size))


def _spoken(name: str, parameters: dict[str, Any] | None) -> dict[str, Any]:
    """The parameters of a tensor; raises RequestError for those that would change what it is."""
    for unspoken in ("classification", "shared_memory_region"):
        if (parameters or {}).get(unspoken):
            raise RequestError(
                f"tensor {quoted(name)}: parameter {unspoken} is of an extension not spoken here"
            )
    return parameters or {}


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise RequestError(f"parameter {name} must be true or false")
    return value


def read_index(body: bytes) -> IndexBody:
    """The body of a repository index request, which clients may leave empty; raises RequestError."""
    if not body.strip():
        return IndexBody()
    try:
        return _INDEX.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RequestError(f"not an index request: {_reason(error)}") from error


def read_clear(body: bytes) -> str | None:
    """The model whose kept answers are to be forgotten, None for all; raises RequestError."""
    if not body.strip():
        return None
    try:
        parameters = _CONTROL.decode(body).parameters or {}
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RequestError(f"not a request to clear the cache: {_reason(error)}") from error
    model = parameters.get("model")
    if set(parameters) - {"model"} or not isinstance(model, str | None):
        raise RequestError("the only parameter is model, the name of one")
    return model


def read_control(body: bytes) -> int | None:
    """The version that a load or unload names, None for no version; raises RequestError.

    `unload_dependents` is accepted and means nothing here. A configuration or a file in the request, which
    Triton takes, is refused: models come from the model folder alone.
    """
    if not body.strip():
        return None
    try:
        parameters = _CONTROL.decode(body).parameters or {}
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RequestError(f"not a load or unload request: {_reason(error)}") from error
    for name in parameters:
        if name not in ("version", "unload_dependents"):
            raise RequestError(
                f"parameter {quoted(name)} is not taken: models come from the model folder alone"
            )
    version = parameters.get("version")
    if version is None:
        return None
    text = str(version)
    if isinstance(version, bool) or not (text.isascii() and text.isdigit() and 0 < len(text) <= 10):
        raise RequestError("parameter version must be a positive integer")
    return int(text)


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:300]
