"""One run of one model version for one request.

Invariant: a request that breaks the contract is a RequestError before the model runs; what fails after that
is a ModelError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.predictor import Predictor, WhileWanted
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol import contract
from maestro_cli.serving.protocol.tensors import Array


async def run(
    predictor: Predictor,
    model: LoadedModel,
    given: Mapping[str, Array],
    datatypes: Mapping[str, str],
    asked: tuple[str, ...],
    deadline: Deadline,
    timing: Timing,
    while_wanted: WhileWanted,
    *,
    loose: bool = False,
    alter: Callable[[dict[str, Array]], dict[str, Array]] | None = None,
) -> dict[str, Array]:
    """The outputs of that model by name, in the order asked for; all when none is named.

    `loose` leaves out inputs that the model does not take; `alter` changes what it is given.
    Raises RequestError (400), ModelError (500, 504) or Overloaded (429, 503).
    """
    began = time.perf_counter()
    feed = contract.feed(model.manifest.inputs, given, datatypes, loose=loose)
    wanted = contract.outputs_wanted(model.manifest.outputs, asked)
    if alter is not None:
        feed = alter(feed)
    timing.features += time.perf_counter() - began
    arrays = await predictor.predict(model, feed, wanted, deadline, timing, while_wanted)
    return dict(zip(wanted, arrays, strict=True))
