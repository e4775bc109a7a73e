"""Decides how a model version is run: at once on the event loop, or in batches beside it.

Invariant: a model that was seen to take longer than INLINE_SECONDS never runs on the event loop again while
it does, so that one slow model does not hold up the requests of the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from maestro_cli.serving.execution.batching import Batcher, BatchLimits, Feed
from maestro_cli.serving.execution.cost import CostModel
from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol.tensors import Array

# A hand-over to a thread costs about 0.07 ms and lets everything else go on meanwhile.
INLINE_SECONDS = 0.001


@dataclass(slots=True)
class Lane:
    """How one loaded version is run, and what its runs cost."""

    model: LoadedModel
    batcher: Batcher
    cost: CostModel


class Predictor:
    """Runs loaded versions for many callers of one event loop."""

    def __init__(self, executor: Executor, limits: BatchLimits | None = None) -> None:
        self._executor = executor
        self._limits = limits or BatchLimits()
        self._lanes: dict[int, Lane] = {}

    def runs_inline(self, model: LoadedModel, feed: Feed) -> bool:
        """Whether `run_now` is the way to run it."""
        return self._lane(model).cost.seconds(rows_of(feed)) <= INLINE_SECONDS

    def run_now(self, model: LoadedModel, feed: Feed, outputs: Sequence[str], timing: Timing) -> list[Array]:
        """The named outputs, on this thread; raises ModelError (500)."""
        began = time.perf_counter()
        try:
            return model.run(feed, outputs)
        finally:
            timing.infer = time.perf_counter() - began
            self._lane(model).cost.note(rows_of(feed), timing.infer)

    async def submit(
        self, model: LoadedModel, feed: Feed, outputs: Sequence[str], deadline: Deadline, timing: Timing
    ) -> list[Array]:
        """The named outputs, in a batch beside the loop; raises ModelError (500, 504) or Overloaded."""
        return await self._lane(model).batcher.submit(feed, rows_of(feed), outputs, deadline, timing)

    def forget(self, model: LoadedModel) -> None:
        """Drop what is known of a version that is unloaded; requests that wait for it still settle."""
        self._lanes.pop(id(model), None)

    def _lane(self, model: LoadedModel) -> Lane:
        lane = self._lanes.get(id(model))
        if lane is None:
            cost = CostModel(model.row_seconds)
            batcher = Batcher(
                model.run, self._executor, limits=self._limits, stackable=model.manifest.stackable, cost=cost
            )
            lane = self._lanes[id(model)] = Lane(model, batcher, cost)
        return lane


def rows_of(feed: Feed) -> int:
    """The extent of the first axis: what a batch is counted in; 1 where there is none."""
    return max((array.shape[0] for array in feed.values() if array.ndim), default=1)


def deadline_in(seconds: float) -> Deadline:
    """A deadline from now, on the running event loop's clock."""
    return Deadline(asyncio.get_running_loop().time() + seconds)
