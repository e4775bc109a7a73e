"""Whatever callers and models do, every request settles, with its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.serving.errors import ModelError, Overloaded
from maestro_cli.serving.execution.batching import Batcher, BatchLimits, Feed
from maestro_cli.serving.execution.cost import CostModel
from maestro_cli.serving.execution.pace import Pace
from maestro_cli.serving.execution.predictor import RUN_ROWS_BUCKETS, deadline_in
from maestro_cli.serving.execution.record import Record
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import Halt
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.telemetry.histogram import Distribution

POISON = -1.0


class Model:
    """Doubles its rows; waits while `gate` is closed; a poisoned row makes the whole run fail."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Semaphore(0)
        self.sizes: list[int] = []
        self.halts: list[Halt] = []

    def run(self, feed: Feed, outputs: Sequence[str], halt: Halt | None) -> list[Array]:
        assert halt is not None
        self.halts.append(halt)
        self.began.release()
        assert self.gate.wait(20)
        rows = feed["x"]
        self.sizes.append(len(rows))
        if (rows == POISON).any():
            raise ModelError("poison")
        return [rows * 2 if name == "double" else rows + 1 for name in outputs]


def record(cost: CostModel) -> Record:
    return Record(cost, Pace(0.0, is_bounded=True), Distribution(RUN_ROWS_BUCKETS))


def batcher(model: Model, executor: ThreadPoolExecutor, **limits: int) -> Batcher:
    known = record(CostModel(0.0))
    return Batcher(model.run, executor, limits=BatchLimits(**limits), stackable=True, record=known)


def rows(*values: float) -> Feed:
    return {"x": np.array(values, dtype=np.float64).reshape(-1, 1)}


async def ask(
    queue: Batcher, *values: float, outputs: Sequence[str] = ("double",), seconds: float = 20
) -> Any:
    answer = await queue.submit(rows(*values), len(values), outputs, deadline_in(seconds), Timing())
    return [array.ravel().tolist() for array in answer]


def play(body: Callable[[Model, ThreadPoolExecutor], Coroutine[Any, Any, None]]) -> None:
    with ThreadPoolExecutor(1) as executor:
        model = Model()
        try:
            asyncio.run(body(model, executor))
        finally:
            model.gate.set()


async def begun(model: Model) -> None:
    assert await asyncio.to_thread(model.began.acquire, timeout=20)


def test_an_idle_model_runs_at_once_and_what_came_meanwhile_runs_together() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor)
        model.gate.clear()
        first = asyncio.create_task(ask(queue, 1))
        await begun(model)
        rest = [asyncio.create_task(ask(queue, n, n + 0.5, outputs=("next", "double"))) for n in range(2, 6)]
        await asyncio.sleep(0)
        model.gate.set()
        assert await first == [[2]]
        assert await asyncio.gather(*rest) == [[[n + 1, n + 1.5], [2 * n, 2 * n + 1]] for n in range(2, 6)]
        assert model.sizes == [1, 8]

    play(body)


def test_a_run_holds_no_more_rows_than_its_limit() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor, run_rows=3)
        model.gate.clear()
        asked = [asyncio.create_task(ask(queue, n)) for n in range(8)]
        await begun(model)
        model.gate.set()
        assert await asyncio.gather(*asked) == [[[2 * n]] for n in range(8)]
        assert max(model.sizes) == 3

    play(body)


def test_poison_fails_alone() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor)
        model.gate.clear()
        asked = [asyncio.create_task(ask(queue, n)) for n in (1, 2, POISON, 4, 5)]
        await begun(model)
        model.gate.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(one) if isinstance(one, ModelError) else one for one in found] == [
            [[2]], [[4]], "poison", [[8]], [[10]],
        ]  # fmt: skip

    play(body)


def test_a_run_is_ended_when_the_last_one_who_waited_for_it_goes_and_not_before() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor)
        model.gate.clear()
        both = [asyncio.create_task(ask(queue, n)) for n in (2, 3)]
        await begun(model)
        [halt] = model.halts
        both[0].cancel()
        await asyncio.wait(both[:1])
        await asyncio.sleep(0)
        assert not halt.is_asked
        both[1].cancel()
        await asyncio.wait(both)
        await asyncio.sleep(0)
        assert halt.is_asked

    play(body)


def test_a_cancelled_request_leaves_its_batch() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor)
        model.gate.clear()
        asked = [asyncio.create_task(ask(queue, 0))]
        await begun(model)
        asked += [asyncio.create_task(ask(queue, n)) for n in range(1, 5)]
        await asyncio.sleep(0)
        asked[0].cancel()  # while it runs
        asked[2].cancel()  # while it waits
        await asyncio.sleep(0)
        model.gate.set()
        assert [await asked[n] for n in (1, 3, 4)] == [[[2]], [[6]], [[8]]]
        assert asked[0].cancelled()
        assert asked[2].cancelled()
        assert model.sizes == [1, 3]

    play(body)


def test_who_is_late_is_told_at_once_and_does_not_run() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor)
        model.gate.clear()
        first = asyncio.create_task(ask(queue, 1))
        await begun(model)
        with pytest.raises(ModelError) as late:
            await ask(queue, 2, seconds=0.01)
        assert late.value.status == 504
        model.gate.set()
        assert await first == [[2]]
        assert await ask(queue, 3) == [[6]]
        assert model.sizes == [1, 1]

    play(body)


def test_a_full_queue_and_a_hopeless_deadline_are_refused_with_when_to_come_back() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        known = record(CostModel(3.0))
        queue = Batcher(model.run, executor, limits=BatchLimits(waiting_rows=2), stackable=True, record=known)
        model.gate.clear()
        first = asyncio.create_task(ask(queue, 1))
        await begun(model)
        waiting = asyncio.create_task(ask(queue, 2))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as full:
            await ask(queue, 3, 4)
        assert (full.value.status, full.value.headers) == (429, {"retry-after": "1"})
        with pytest.raises(Overloaded) as hopeless:
            await ask(queue, 3, seconds=5)
        assert hopeless.value.status == 503
        assert int(hopeless.value.headers["retry-after"]) in (8, 9)
        model.gate.set()
        assert [await first, await waiting] == [[[2]], [[4]]]

    play(body)


def test_what_was_slow_once_is_run_again_when_idle_however_short_the_deadlines() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        cost = CostModel(row_seconds=1e-5)
        cost.note(1, 60.0)
        queue = Batcher(model.run, executor, limits=BatchLimits(), stackable=True, record=record(cost))
        for number in range(5):
            assert cost.seconds(1) > 5
            assert await ask(queue, number, seconds=5) == [[2 * number]]

    play(body)


def test_what_cannot_be_stacked_runs_alone() -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        known = record(CostModel(0.0))
        queue = Batcher(model.run, executor, limits=BatchLimits(), stackable=False, record=known)
        assert await asyncio.gather(*(ask(queue, n) for n in range(4))) == [[[2 * n]] for n in range(4)]
        assert model.sizes == [1, 1, 1, 1]

    play(body)


ACTIONS = st.sampled_from(["ask", "ask", "ask", "poison", "late", "cancel", "both"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(1, 4)), min_size=1, max_size=40))
def test_every_request_settles_with_its_own_answer(actions: list[tuple[str, int]]) -> None:
    async def body(model: Model, executor: ThreadPoolExecutor) -> None:
        queue = batcher(model, executor, run_rows=6)
        model.gate.clear()
        asked: list[tuple[str, list[float], asyncio.Task[Any]]] = []
        for number, (action, count) in enumerate(actions):
            values = [100.0 * number + place for place in range(count)]
            sent = [*values[:-1], POISON] if action == "poison" else values
            outputs = ("double",) if action != "both" else ("double", "next")
            seconds = 0.0 if action == "late" else 20.0
            task = asyncio.create_task(ask(queue, *sent, outputs=outputs, seconds=seconds))
            asked.append((action, values, task))
            if number == len(actions) // 2:
                model.gate.set()
            await asyncio.sleep(0)
            if action == "cancel":
                task.cancel()
        model.gate.set()
        found = await asyncio.wait_for(
            asyncio.gather(*(task for _, _, task in asked), return_exceptions=True), 30
        )
        for (action, values, _), got in zip(asked, found, strict=True):
            if action in ("ask", "both") or (action == "cancel" and not isinstance(got, BaseException)):
                assert isinstance(got, list)
                assert got[0] == [2 * value for value in values]
            elif action == "cancel":
                assert isinstance(got, asyncio.CancelledError)
            elif action == "poison":
                assert isinstance(got, ModelError)
                assert got.text == "poison"
            else:
                assert isinstance(got, ModelError | Overloaded)
        assert await ask(queue, 7.0) == [[14.0]]  # and it still serves
        assert queue.waiting_rows == 0

    play(body)


@pytest.mark.parametrize("runs", [[(1, 0.026)], [(1, 1e-5), (2, 0.026)]])
def test_one_run_that_the_machine_held_up_does_not_make_many_rows_hopeless(
    runs: list[tuple[int, float]],
) -> None:
    cost = CostModel(row_seconds=1e-5)
    for count, seconds in runs:
        cost.note(count, seconds)
    assert cost.seconds(1) >= 0.012
    assert cost.seconds(4096) < 0.5
