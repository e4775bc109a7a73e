"""Decides how a model version is run: at once on the event loop, or in batches beside it.

Invariant: what runs on the event loop is what its `Pace` allows there, so that one slow model does not hold
up the requests of the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from maestro_cli.serving.execution.batching import Batcher, BatchLimits, Feed, Waiting, answer_by, timed
from maestro_cli.serving.execution.cost import CostModel
from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.pace import INLINE_SECONDS, Pace
from maestro_cli.serving.execution.predictions import Key, PredictionCache
from maestro_cli.serving.execution.record import Record
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.telemetry.histogram import Histogram

RUN_ROWS_BUCKETS = tuple(2**power for power in range(13))  # 1 to 4,096

T = TypeVar("T")
Version = tuple[str, str]  # model and version


class WhileWanted(Protocol):
    """Waits for some work, and ends it when nobody wants it any more."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> Awaitable[T]: ...


@dataclass(slots=True)
class Lane:
    """How one loaded version is run, and what is known of its runs."""

    model: LoadedModel
    batcher: Batcher
    record: Record
    answered: Answered


@dataclass(slots=True)
class Answered:
    """What a version answered since the process began, however often it was loaded."""

    rows: int = 0


@dataclass(slots=True)
class _Flight:
    """A run that several callers wait for."""

    run: Waiting
    waiting: int = 0


class Predictor:
    """Runs loaded versions for many callers of one event loop."""

    def __init__(
        self, executor: Executor, limits: BatchLimits | None = None, cache: PredictionCache | None = None
    ) -> None:
        self.cache = cache if cache is not None else PredictionCache(0)
        self._flights: dict[Key, _Flight] = {}
        self._executor = executor
        self._limits = limits or BatchLimits()
        self._lanes: dict[int, Lane] = {}
        self.answered: dict[Version, Answered] = {}
        self.run_rows = Histogram(
            "maestro_inference_run_rows",
            "Rows of each run of a version.",
            ("model", "version"),
            RUN_ROWS_BUCKETS,
        )

    async def predict(
        self,
        model: LoadedModel,
        feed: Feed,
        outputs: Sequence[str],
        deadline: Deadline,
        timing: Timing,
        while_wanted: WhileWanted,
    ) -> list[Array]:
        """The named outputs; `while_wanted` ends the waiting when the caller goes away.

        The arrays are not to be changed: others may be given the same ones. Raises ModelError (500, 504) or
        Overloaded (429, 503).
        """
        lane = self._lane(model)
        rows = rows_of(feed)
        key = self.cache.key(model, feed, outputs)
        known = self.cache.find(key) if key is not None else None
        if known is not None:
            answer = known
        elif lane.record.pace.allows(rows):
            answer = self._run_now(lane, feed, rows, outputs, timing)
            if key is not None:
                self.cache.keep(key, answer, timing.infer)
        elif key is None:
            answer = await while_wanted(lane.batcher.submit(feed, rows, outputs, deadline, timing))
        else:
            answer = await while_wanted(self._fly(key, lane.batcher, feed, rows, outputs, deadline, timing))
        lane.answered.rows += rows
        return answer

    def _run_now(
        self, lane: Lane, feed: Feed, rows: int, outputs: Sequence[str], timing: Timing
    ) -> list[Array]:
        began = time.perf_counter()
        try:
            return lane.model.run(feed, outputs)
        finally:
            took = time.perf_counter() - began
            timing.infer += took
            if took <= INLINE_SECONDS:  # then it was not busy for longer either
                lane.record.note(rows, took, took)
            else:
                self._doubt(lane, feed, rows, outputs, took)

    def _doubt(self, lane: Lane, feed: Feed, rows: int, outputs: Sequence[str], took: float) -> None:
        """Find out whether the model or the machine took so long: run the same again, beside the event loop.

        To ask the system before every run how busy this thread was would cost more than most runs.
        """
        pace = lane.record.pace
        pace.is_doubted = True
        again = asyncio.get_running_loop().run_in_executor(
            self._executor, timed, lane.model.run, feed, outputs, None
        )

        def judge(done: asyncio.Future[tuple[list[Array], float]]) -> None:
            pace.is_doubted = False
            is_known = not done.cancelled() and done.exception() is None
            lane.record.note(rows, took, done.result()[1] if is_known else took)

        again.add_done_callback(judge)

    async def _fly(
        self,
        key: Key,
        batcher: Batcher,
        feed: Feed,
        rows: int,
        outputs: Sequence[str],
        deadline: Deadline,
        timing: Timing,
    ) -> list[Array]:
        """One run for all who ask the same at once, each by a deadline of its own.

        The run has the latest of their deadlines, and ends early only when nobody waits for it any more.
        """
        flight = self._flights.get(key)
        if flight is None or flight.run.deadline.has_passed(asyncio.get_running_loop().time()):
            flight = _Flight(batcher.enqueue(feed, rows, outputs, deadline, timing))
            self._flights[key] = flight
            begun = flight
            flight.run.answer.add_done_callback(lambda done: self._land(key, begun, done, timing))
        elif flight.run.deadline.at < deadline.at:
            flight.run.deadline = deadline
        flight.waiting += 1
        try:
            return await answer_by(deadline, asyncio.shield(flight.run.answer))
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._leave(key, flight)  # before it is cancelled: nobody may join what is ending
                flight.run.answer.cancel()

    def _land(self, key: Key, flight: _Flight, done: asyncio.Future[list[Array]], timing: Timing) -> None:
        self._leave(key, flight)
        if not done.cancelled() and done.exception() is None:
            self.cache.keep(key, done.result(), timing.infer)

    def _leave(self, key: Key, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def declare(self, model: LoadedModel) -> None:
        """Have its counts exist at 0, so that rate() sees the first."""
        which = (model.name, model.version)
        self.answered.setdefault(which, Answered())
        self.run_rows.of(*which)

    def waiting_rows(self) -> dict[Version, int]:
        """The rows that wait for a run, by version; those of what was unloaded meanwhile are not told."""
        waiting: dict[Version, int] = {}
        for lane in self._lanes.values():
            which = (lane.model.name, lane.model.version)
            waiting[which] = waiting.get(which, 0) + lane.batcher.waiting_rows
        return waiting

    def forget(self, model: LoadedModel) -> None:
        """Drop what is known of a version that is unloaded; requests that wait for it still settle."""
        self._lanes.pop(id(model), None)
        self.cache.clear(model.name)

    def _lane(self, model: LoadedModel) -> Lane:
        lane = self._lanes.get(id(model))
        if lane is None:
            self.declare(model)
            which = (model.name, model.version)
            record = Record(
                CostModel(model.row_seconds),
                Pace(model.row_seconds, is_bounded=model.is_bounded),
                self.run_rows.of(*which),
            )
            batcher = Batcher(
                model.run, self._executor,
                limits=self._limits, stackable=model.manifest.stackable, record=record,
            )  # fmt: skip
            lane = self._lanes[id(model)] = Lane(model, batcher, record, self.answered[which])
        return lane


def rows_of(feed: Feed) -> int:
    """The extent of the first axis: what a batch is counted in; 1 where there is none."""
    return max((array.shape[0] for array in feed.values() if array.ndim), default=1)


def deadline_in(seconds: float) -> Deadline:
    """A deadline from now, on the running event loop's clock."""
    return Deadline(asyncio.get_running_loop().time() + seconds)
