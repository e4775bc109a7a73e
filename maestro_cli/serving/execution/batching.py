"""Runs of several requests at once, on a thread beside the event loop.

Invariant: every request that was submitted settles, whatever another one does: a cancelled or late one
leaves its batch, one that makes the model fail fails alone, and no answer reaches another caller. A run that
nobody waits for any more is ended. Work-conserving: an idle model runs at once, and what arrives during a run
goes into the next one together.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from maestro_cli.serving.errors import ModelError, Overloaded
from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.record import Record
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import Halt
from maestro_cli.serving.protocol.tensors import Array

Feed = Mapping[str, Array]
Run = Callable[[Feed, Sequence[str], Halt | None], list[Array]]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Rows of one run, and rows that may wait for theirs."""

    run_rows: int = 64
    waiting_rows: int = 4096


@dataclass(eq=False, slots=True)
class Waiting:
    """A request in the queue or in a run. `answer` settles unless the deadline passes first.

    Whoever gives up cancels `answer`; whoever waits longer than others puts `deadline` later.
    """

    feed: Feed
    rows: int
    outputs: tuple[str, ...]
    deadline: Deadline
    answer: asyncio.Future[list[Array]]
    timing: Timing
    joined_at: float = field(default_factory=time.perf_counter)

    @property
    def kind(self) -> tuple[object, ...]:
        """Requests of one kind can be stacked: same inputs, same extents but for the rows."""
        return tuple((name, array.dtype, array.shape[1:]) for name, array in sorted(self.feed.items()))


class Batcher:
    """One model version's queue. Use it from one event loop; `run` is called on the executor."""

    def __init__(
        self,
        run: Run,
        executor: Executor,
        *,
        limits: BatchLimits,
        stackable: bool,
        record: Record,
    ) -> None:
        self._run = run
        self._executor = executor
        self._limits = limits
        self._stackable = stackable
        self._record = record
        self._queue: deque[Waiting] = deque()
        self.waiting_rows = 0
        self._running: asyncio.Task[None] | None = None
        self._free_at = 0.0  # when the current run is expected to end, on the loop's clock
        self.runs = 0

    async def submit(
        self, feed: Feed, rows: int, outputs: Sequence[str], deadline: Deadline, timing: Timing
    ) -> list[Array]:
        """The outputs of this request alone; the time it waited and ran goes into `timing`.

        Raises ModelError (500 the model failed, 504 too late) or Overloaded (429 the queue is full, 503 it
        could not be done in time).
        """
        return await answer_by(deadline, self.enqueue(feed, rows, outputs, deadline, timing).answer)

    def enqueue(
        self, feed: Feed, rows: int, outputs: Sequence[str], deadline: Deadline, timing: Timing
    ) -> Waiting:
        """Have it run, without waiting for its answer. Raises Overloaded (429, 503)."""
        loop = asyncio.get_running_loop()
        self._admit(rows, deadline, loop.time())
        item = Waiting(feed, rows, tuple(outputs), deadline, loop.create_future(), timing)
        self._queue.append(item)
        self.waiting_rows += rows
        self._start_if_idle()
        return item

    def _admit(self, rows: int, deadline: Deadline, now: float) -> None:
        """An idle model takes whatever comes: what is never run could never be found to have become fast."""
        if self._running is None and not self._queue:
            return
        waiting = self.waiting_rows
        if waiting and waiting + rows > self._limits.waiting_rows:
            raise Overloaded(f"{waiting} rows wait already", status=429, retry_after_seconds=1)
        ahead = max(0.0, self._free_at - now) if self._running else 0.0
        expected = ahead + self._record.cost.seconds(waiting + rows)
        if expected > deadline.remaining_seconds(now):
            raise Overloaded(
                f"it would take {expected:.3f} s, the deadline is in {deadline.remaining_seconds(now):.3f} s",
                status=503,
                retry_after_seconds=max(1, round(expected)),
            )

    def _start_if_idle(self) -> None:
        if self._running is None and self._queue:
            self._running = asyncio.get_running_loop().create_task(self._run_next())

    async def _run_next(self) -> None:
        try:
            batch = self._take()
            if batch:
                await self._answer(batch)
        finally:
            self._running = None
            self._start_if_idle()

    def _take(self) -> list[Waiting]:
        """The next run: from the oldest on, those of its kind, up to the limit; the gone and late leave."""
        now = asyncio.get_running_loop().time()
        batch: list[Waiting] = []
        rest: deque[Waiting] = deque()
        rows = 0
        while self._queue:
            item = self._queue.popleft()
            if item.answer.done() or item.deadline.has_passed(now):
                continue  # whoever waits for a late one is told by its own time-out
            fits = not batch or (
                self._stackable and rows + item.rows <= self._limits.run_rows and item.kind == batch[0].kind
            )
            if not fits:
                rest.append(item)
                continue
            batch.append(item)
            rows += item.rows
        self._queue = rest
        self.waiting_rows = sum(item.rows for item in rest)
        return batch

    async def _answer(self, batch: list[Waiting]) -> None:
        try:
            answers = await self._execute(batch)
        except Exception as error:  # noqa: BLE001 - whatever a model raises belongs to its callers, not to the queue
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            middle = len(batch) // 2  # one of them is poison: halve until it is alone
            for half in (batch[:middle], batch[middle:]):
                alive = [item for item in half if not item.answer.done()]
                if alive:
                    await self._answer(alive)
            return
        for item, answer in zip(batch, answers, strict=True):
            if not item.answer.done():
                item.answer.set_result(answer)

    async def _execute(self, batch: list[Waiting]) -> list[list[Array]]:
        loop = asyncio.get_running_loop()
        rows = sum(item.rows for item in batch)
        self._free_at = loop.time() + self._record.cost.seconds(rows)
        began = time.perf_counter()
        for item in batch:
            item.timing.queue += began - item.joined_at
        wanted = tuple(dict.fromkeys(name for item in batch for name in item.outputs))
        halt = _halt_when_unwanted(batch)
        work = loop.run_in_executor(self._executor, timed, self._run, _stack(batch), wanted, halt)
        found, busy = await work
        self.runs += 1
        took = time.perf_counter() - began
        self._record.note(rows, took, busy)
        for item in batch:
            item.timing.infer += took
        by_name = dict(zip(wanted, found, strict=True))
        if len(batch) == 1:
            return [[by_name[name] for name in batch[0].outputs]]
        for name, array in by_name.items():
            if array.ndim == 0 or array.shape[0] != rows:
                raise ModelError(f"output '{name}' has not a row for each row of the inputs")
        return list(_split(batch, by_name))


async def answer_by(deadline: Deadline, answer: Awaitable[list[Array]]) -> list[Array]:
    """The answer, if it is there by the deadline; else raises ModelError (504)."""
    try:
        async with asyncio.timeout_at(deadline.at):
            return await answer
    except TimeoutError as error:
        raise ModelError("the deadline passed before the model had answered", status=504) from error


def timed(run: Run, feed: Feed, outputs: Sequence[str], halt: Halt | None) -> tuple[list[Array], float]:
    """The answers, and the seconds for which this thread was busy with them."""
    began = time.thread_time()
    return run(feed, outputs, halt), time.thread_time() - began


def _halt_when_unwanted(batch: Sequence[Waiting]) -> Halt:
    """Ends the run of a batch when none of its requests waits any more: its thread has others to serve."""
    halt = Halt()

    def look(_: asyncio.Future[list[Array]]) -> None:
        if all(item.answer.done() for item in batch):
            halt.ask()

    for item in batch:
        item.answer.add_done_callback(look)
    return halt


def _stack(batch: list[Waiting]) -> Feed:
    if len(batch) == 1:
        return batch[0].feed
    return {name: np.concatenate([item.feed[name] for item in batch]) for name in batch[0].feed}


def _split(batch: list[Waiting], by_name: Mapping[str, Array]) -> list[list[Array]]:
    answers = []
    start = 0
    for item in batch:
        end = start + item.rows
        answers.append([by_name[name][start:end] for name in item.outputs])
        start = end
    return answers


def _fail(item: Waiting, error: Exception) -> None:
    if not item.answer.done():
        item.answer.set_exception(error)
