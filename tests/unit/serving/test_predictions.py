"""An answer is given again to the same question alone, and only while that pays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from maestro_cli.serving.errors import ModelError
from maestro_cli.serving.execution import predictions
from maestro_cli.serving.execution.predictions import Key, PredictionCache
from maestro_cli.serving.execution.predictor import Predictor, deadline_in
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import Halt, LoadedModel
from maestro_cli.serving.protocol.tensors import Array


def model(name: str = "a", version: str = "1", digest: str = "d", deterministic: bool = True) -> LoadedModel:
    made = SimpleNamespace(
        name=name, version=version, digest=digest, manifest=SimpleNamespace(deterministic=deterministic)
    )
    return cast("LoadedModel", made)


def feed(
    values: Any = (1.0, 2.0), kind: Any = np.float32, shape: tuple[int, ...] = (1, 2)
) -> dict[str, Array]:
    return {"x": np.array(values, dtype=kind).reshape(shape)}


ANSWER = [np.array([0.5])]


def put(cache: PredictionCache, key: Key | None, answer: list[Array] = ANSWER, seconds: float = 1.0) -> None:
    assert key is not None
    assert cache.find(key) is None
    cache.keep(key, answer, seconds)


def found(cache: PredictionCache, key: Key | None) -> list[Array] | None:
    assert key is not None
    return cache.find(key)


def test_the_same_question_gets_the_same_answer() -> None:
    cache = PredictionCache(2**24)
    put(cache, cache.key(model(), feed(), ["y"]))
    again = found(cache, cache.key(model(), feed(), ["y"]))
    assert again is not None
    assert again[0] is ANSWER[0]  # what is a whole array is not copied
    assert (cache.hits, cache.misses) == (1, 1)
    with pytest.raises(ValueError, match="read-only"):
        ANSWER[0][0] = 7


@pytest.mark.parametrize(
    "other",
    [
        (model(name="b"), feed(), ["y"]),
        (model(version="2"), feed(), ["y"]),
        (model(digest="e"), feed(), ["y"]),
        (model(), feed(), ["z"]),
        (model(), feed(), ["y", "z"]),
        (model(), feed((1.0, 3.0)), ["y"]),
        (model(), feed(kind=np.float64), ["y"]),
        (model(), feed(shape=(2, 1)), ["y"]),
        (model(), {"z": feed()["x"]}, ["y"]),
        (model(), {**feed(), "z": feed()["x"]}, ["y"]),
    ],
)
def test_another_question_does_not(other: tuple[LoadedModel, dict[str, Array], list[str]]) -> None:
    cache = PredictionCache(2**24)
    put(cache, cache.key(model(), feed(), ["y"]))
    assert found(cache, cache.key(*other)) is None


def test_strings_are_told_apart() -> None:
    cache = PredictionCache(2**24)
    put(cache, cache.key(model(), feed(["a', 'b"], object, (1,)), ["y"]))
    assert found(cache, cache.key(model(), feed(["a", "b"], object, (2,)), ["y"])) is None
    assert found(cache, cache.key(model(), feed(["a', 'b"], object, (1,)), ["y"])) == ANSWER


def test_what_rolls_dice_is_never_looked_up() -> None:
    assert PredictionCache(2**24).key(model(deterministic=False), feed(), ["y"]) is None
    assert PredictionCache(0).key(model(), feed(), ["y"]) is None


def test_it_holds_no_more_bytes_than_it_may_and_keeps_what_is_asked_for() -> None:
    cache = PredictionCache(10_000)
    for number in range(100):
        put(cache, cache.key(model(), feed((0.0, number)), ["y"]))
        assert (
            found(cache, cache.key(model(), feed((0.0, 0.0)), ["y"])) == ANSWER
        )  # asked for again and again
        assert cache.held_bytes <= 10_000
    assert found(cache, cache.key(model(), feed((0.0, 99.0)), ["y"])) == ANSWER
    assert found(cache, cache.key(model(), feed((0.0, 50.0)), ["y"])) is None
    big = np.zeros(2000)
    put(cache, cache.key(model(), feed((1.0, 1.0)), ["y"]), [big])
    assert found(cache, cache.key(model(), feed((1.0, 1.0)), ["y"])) is None


def test_an_answer_of_a_batch_does_not_keep_the_batch() -> None:
    cache = PredictionCache(2**24)
    batch = np.arange(100_000.0)
    put(cache, cache.key(model(), feed(), ["y"]), [batch[7:8]])
    again = found(cache, cache.key(model(), feed(), ["y"]))
    assert again is not None
    assert again[0].tolist() == [7.0]
    assert again[0].base is None


def test_clearing_a_model_leaves_the_others() -> None:
    cache = PredictionCache(2**24)
    for name in ("a", "b"):
        put(cache, cache.key(model(name, digest=name), feed(), ["y"]))
    assert cache.clear("a") == 1
    assert found(cache, cache.key(model("a", digest="a"), feed(), ["y"])) is None
    assert found(cache, cache.key(model("b", digest="b"), feed(), ["y"])) == ANSWER
    assert cache.clear() == 1
    assert cache.held_bytes == 0


def test_it_steps_aside_when_it_does_not_pay_and_tries_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "_TRIAL_LOOKUPS", 10)
    monkeypatch.setattr(predictions, "_PAUSE_LOOKUPS", 5)
    cache = PredictionCache(2**24)
    for number in range(10):  # no question comes twice
        put(cache, cache.key(model(), feed((0.0, number)), ["y"]))
    for _ in range(5):
        assert cache.key(model(), feed(), ["y"]) is None
    assert cache.bypassed == 5
    for number in range(20, 22):
        put(cache, cache.key(model(), feed((0.0, number)), ["y"]))
    for _ in range(8):  # now nearly all do, and a run takes a second
        assert found(cache, cache.key(model(), feed((0.0, 20.0)), ["y"])) == ANSWER
    assert cache.key(model(), feed(), ["y"]) is not None


class Slow:
    """Takes longer than the event loop may be held up; counts its runs and waits for the gate."""

    name, version, digest, row_seconds, is_bounded = "slow", "1", "d", 1.0, True
    manifest = SimpleNamespace(deterministic=True, stackable=True)

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.runs = 0

    def run(self, feed: Mapping[str, Array], outputs: Sequence[str], halt: Halt | None = None) -> list[Array]:
        self.runs += 1
        assert self.gate.wait(20)
        return [feed["x"] * 2]


def ask(
    predictor: Predictor, slow: Slow, values: Any = (1.0, 2.0), seconds: float = 60
) -> asyncio.Task[list[Array]]:
    async def body() -> list[Array]:
        model = cast("LoadedModel", slow)
        return await predictor.predict(
            model, feed(values), ["y"], deadline_in(seconds), Timing(), lambda work: work
        )

    return asyncio.create_task(body())


def test_those_who_ask_the_same_at_once_share_one_run_whoever_goes_away() -> None:
    async def body() -> None:
        asked = [ask(predictor, slow) for _ in range(5)]
        await asyncio.sleep(0)
        asked[0].cancel()
        slow.gate.set()
        answers = await asyncio.gather(*asked[1:])
        assert [answer[0].tolist() for answer in answers] == [[[2.0, 4.0]]] * 4
        assert slow.runs == 1
        again = await ask(predictor, slow)
        assert (again[0].tolist(), slow.runs, predictor.cache.hits) == ([[2.0, 4.0]], 1, 1)

    slow = Slow()
    with ThreadPoolExecutor(1) as executor:
        predictor = Predictor(executor, cache=PredictionCache(2**20))
        asyncio.run(body())


def test_a_run_that_nobody_waits_for_any_more_does_not_begin() -> None:
    async def body() -> None:
        first = ask(predictor, slow)
        await begun(slow)
        unwanted = [ask(predictor, slow, (5.0, number)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in unwanted:
            task.cancel()
        await asyncio.wait(unwanted)
        slow.gate.set()
        await first
        assert (await ask(predictor, slow, (9.0, 9.0)))[0].tolist() == [[18.0, 18.0]]
        assert slow.runs == 2

    slow = Slow()
    with ThreadPoolExecutor(1) as executor:
        predictor = Predictor(executor, cache=PredictionCache(2**20))
        asyncio.run(body())


def test_who_comes_as_the_last_one_goes_gets_a_run_of_its_own() -> None:
    async def body() -> None:
        gone = ask(predictor, slow)
        await begun(slow)
        gone.cancel()
        while not gone.done():  # one step of the loop at a time: at each of them another may come
            asked.append(ask(predictor, slow))
            await asyncio.sleep(0)
        asked.append(ask(predictor, slow))
        slow.gate.set()
        for answer in await asyncio.gather(*asked):
            assert answer[0].tolist() == [[2.0, 4.0]]

    asked: list[asyncio.Task[list[Array]]] = []
    slow = Slow()
    with ThreadPoolExecutor(1) as executor:
        predictor = Predictor(executor, cache=PredictionCache(2**20))
        asyncio.run(body())


def test_each_who_shares_a_run_waits_as_long_as_its_own_deadline_says() -> None:
    async def body() -> None:
        first = ask(predictor, slow, (9.0, 9.0))
        await begun(slow)
        beginner = ask(predictor, slow, seconds=0.2)
        await asyncio.sleep(0)
        patient, hurried = ask(predictor, slow), ask(predictor, slow, seconds=0.02)
        for late in (hurried, beginner):  # while the model is held up
            with pytest.raises(ModelError) as told:
                await asyncio.wait_for(late, 20)
            assert told.value.status == 504
        slow.gate.set()
        assert (await patient)[0].tolist() == [[2.0, 4.0]]
        await first
        assert slow.runs == 2

    slow = Slow()
    slow.row_seconds = 0.002  # so little that the short deadlines are not hopeless
    with ThreadPoolExecutor(1) as executor:
        predictor = Predictor(executor, cache=PredictionCache(2**20))
        try:
            asyncio.run(body())
        finally:
            slow.gate.set()


async def begun(slow: Slow) -> None:
    def wait() -> None:
        while not slow.runs:
            threading.Event().wait(0.005)

    await asyncio.wait_for(asyncio.to_thread(wait), 20)
