"""One inference request, from its body to its answer.

Invariant: a request that breaks the contract is a RequestError before the model runs; what fails after that
is a ModelError.
"""

from __future__ import annotations

from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol import contract, messages, tensors


def answer(model: LoadedModel, body: messages.InferBody, identity: str) -> bytes:
    """The JSON answer of that model; raises RequestError (400) or ModelError (500).

    Runs inline: the shipped models take microseconds, a hand-over to a thread costs ten times that.
    """
    request = messages.decode_tensors(body, identity)
    feed = contract.feed(model.manifest.inputs, request)
    wanted = contract.outputs_wanted(model.manifest.outputs, request)
    outputs = [
        messages.ResponseTensor(
            name=name,
            datatype=tensors.datatype_of(array),
            shape=list(array.shape),
            data=tensors.encode(name, array),
        )
        for name, array in zip(wanted, model.run(feed, wanted), strict=True)
    ]
    return messages.encode(messages.InferAnswer(model.name, model.version, identity, outputs))
