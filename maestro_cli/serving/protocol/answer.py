"""The answer of an inference request: JSON, followed by the outputs that were asked for as bytes.

Invariant: the raw outputs follow in the order of the JSON, and each is as long as its `binary_data_size`.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.serving.protocol import binary, messages, tensors
from maestro_cli.serving.protocol.http import Reply
from maestro_cli.serving.protocol.tensors import Array

BINARY_TYPE = "application/octet-stream"


def compose(
    model: str,
    version: str,
    request: messages.InferRequest,
    outputs: Mapping[str, Array],
    parameters: dict[str, str],
) -> Reply:
    """200 with the outputs as the request asks for them; raises ModelError for one that cannot be told."""
    told: list[messages.ResponseTensor] = []
    tail: list[bytes] = []
    for name, array in outputs.items():
        if request.as_binary.get(name, request.all_binary):
            tail.append(binary.encode(name, array))
            told.append(binary_output(name, array, len(tail[-1])))
        else:
            told.append(json_output(name, array))
    head = messages.encode(messages.InferAnswer(model, version, request.id, told, parameters))
    if not tail:
        return Reply(200, head)
    length = (binary.LENGTH_HEADER.encode("ascii"), str(len(head)).encode("ascii"))
    return Reply(200, b"".join((head, *tail)), BINARY_TYPE, [length])


def json_output(name: str, array: Array) -> messages.ResponseTensor:
    """An output with its values; raises ModelError for one that the protocol cannot carry."""
    datatype = tensors.datatype_of(array)
    return messages.ResponseTensor(name, datatype, list(array.shape), data=tensors.encode(name, array))


def binary_output(name: str, array: Array, size: int) -> messages.ResponseTensor:
    """An output whose values follow the JSON, in so many bytes."""
    datatype = tensors.datatype_of(array)
    return messages.ResponseTensor(name, datatype, list(array.shape), parameters={"binary_data_size": size})
