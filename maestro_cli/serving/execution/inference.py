"""One inference request, from its body to its answer.

Invariant: a request that breaks the contract is a RequestError before the model runs; what fails after that
is a ModelError.
"""

from __future__ import annotations

from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.predictor import Predictor, WhileWanted
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol import contract, messages, tensors


async def answer(
    predictor: Predictor,
    model: LoadedModel,
    request: messages.InferRequest,
    deadline: Deadline,
    timing: Timing,
    while_wanted: WhileWanted,
) -> messages.InferAnswer:
    """The answer of that model; `while_wanted` ends a run beside the loop when its caller goes away.

    Raises RequestError (400), ModelError (500, 504) or Overloaded (429, 503).
    """
    with timing.stage("features"):
        feed = contract.feed(model.manifest.inputs, request)
        wanted = contract.outputs_wanted(model.manifest.outputs, request)
    arrays = await predictor.predict(model, feed, wanted, deadline, timing, while_wanted)
    with timing.stage("encode"):
        outputs = [
            messages.ResponseTensor(
                name=name,
                datatype=tensors.datatype_of(array),
                shape=list(array.shape),
                data=tensors.encode(name, array),
            )
            for name, array in zip(wanted, arrays, strict=True)
        ]
        return messages.InferAnswer(model.name, model.version, request.id, outputs)
