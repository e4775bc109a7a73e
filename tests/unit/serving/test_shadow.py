"""A shadow is compared, and never felt."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from maestro_cli.serving.errors import ModelError
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Entry, Repository
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing import shadow as shadows_module
from maestro_cli.serving.routing.agreement import Agreement
from maestro_cli.serving.routing.document import read_routing
from maestro_cli.serving.routing.shadow import Shadows
from maestro_cli.serving.routing.tree import Question
from maestro_cli.serving.telemetry.logs import Log
from tests.unit.serving.served import Served, request

ROUTING = """
schema: maestro.routing/1
routes: {a: {to: {model: a, version: 1}, shadow: {model: a, version: 2, share: %s}}}
"""


class Bench:
    """Shadows over a model that doubles its input, or does what a test wants instead."""

    def __init__(self, share: float = 1.0, busy: Callable[[], bool] = lambda: False) -> None:
        self.log = io.StringIO()
        self.resident: int = 0
        self.act: Callable[[], None] = lambda: None
        self.asked = 0
        self.seconds = 0.0
        memory = SimpleNamespace(lend=self._lend, leave=lambda entry: None)
        self.shadows = Shadows(
            Repository([Entry("a", 1), Entry("a", 2)]), cast("ModelMemory", memory), Log(self.log),
            is_busy=busy, ceiling_bytes=1000, resident_bytes=lambda: self.resident, now=lambda: self.seconds,
        )  # fmt: skip
        self.shadows.follow(read_routing(ROUTING % share, "r"))

    def _lend(self, entry: Entry) -> Any:
        spec = SimpleNamespace(name="x", datatype="FP32", shape=(-1,), minimum=None, maximum=None)
        manifest = SimpleNamespace(inputs=[spec], outputs=[SimpleNamespace(name="y")])
        return SimpleNamespace(manifest=manifest, run=self._answer)

    def _answer(self, feed: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        self.asked += 1
        self.act()
        return [feed["x"] * 2]

    def offer_many(self, count: int) -> None:
        for number in range(count):
            self.offer(number)

    def offer(self, number: int = 1, *, size: int = 1) -> None:
        x = np.full(size, number, dtype=np.float32)
        question = Question({"x": x}, {"x": "FP32"}, (), lambda key: "")
        self.shadows.offer("a", question, f"dec-{number}", {"y": x * 2}, 0.001)

    @property
    def told(self) -> Any:
        return self.shadows.told()["a"]

    def play(self, *steps: Callable[[], None], until: Callable[[], bool]) -> None:
        def all_at_once() -> None:
            for step in steps:
                step()

        self.play_in_turn((all_at_once, until))

    def play_in_turn(self, *turns: tuple[Callable[[], None], Callable[[], bool]]) -> None:
        """Each step, and then until its condition holds."""

        async def body() -> None:
            running = asyncio.create_task(self.shadows.run())
            for step, until in turns:
                step()
                async with asyncio.timeout(20):
                    while not until():
                        await asyncio.sleep(0.002)
            running.cancel()

        asyncio.run(body())


def has_asked(bench: Bench, count: int) -> bool:
    return bool(bench.told["questions"]["asked"] == count)


def test_an_answered_request_is_compared() -> None:
    bench = Bench()
    bench.play(bench.offer, lambda: bench.offer(2, size=9), until=lambda: bench.told["rows"] == 10)
    assert bench.told["disagreement"]["share"] == 0
    assert bench.told["coverage"] == 1
    assert bench.shadows.counts() == {"a": (10, 0, 0, 0)}


def test_what_is_compared_is_compared_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, threads = Bench(), set[str]()
    compare = Agreement.compare

    def noted(self: Agreement, given: Mapping[str, Array], shadow: Mapping[str, Array]) -> int:
        threads.add(threading.current_thread().name)
        return compare(self, given, shadow)

    monkeypatch.setattr(Agreement, "compare", noted)
    bench.play(lambda: bench.offer_many(3), until=lambda: bench.told["rows"] == 3)
    assert threads == {"shadow_0"}


def test_only_its_share_is_asked_and_the_same_decisions_again() -> None:
    bench, again = Bench(share=0.3), Bench(share=0.3)
    for one in (bench, again):
        one.offer_many(200)
        one.play(until=partial(has_asked, one, one.shadows.waiting))
    assert 30 <= bench.told["rows"] <= 90
    assert bench.told["rows"] == again.told["rows"]
    none = Bench(share=0.0)
    none.offer()
    assert not none.shadows.waiting


def test_a_shadow_that_hangs_fills_its_queue_and_no_more() -> None:
    bench = Bench()
    gate = threading.Event()
    bench.act = lambda: cast("None", gate.wait(20))
    many = shadows_module.QUEUE_LENGTH + 100
    bench.play(lambda: bench.offer_many(many), until=lambda: bench.asked > 0)
    assert bench.told["questions"]["dropped"] == 100
    gate.set()


def test_a_shadow_that_raises_disagrees_and_goes_on() -> None:
    bench = Bench()
    faults: list[Exception] = [ModelError("no"), KeyError("a bug"), MemoryError()]

    def act() -> None:
        if faults:
            raise faults.pop(0)

    bench.act = act
    bench.play(lambda: bench.offer_many(5), until=lambda: bench.told["rows"] == 5)
    assert bench.told["questions"] == {"asked": 5, "failed": 3, "dropped": 0}
    assert bench.log.getvalue().count("shadow failed") == 3


def test_a_shadow_that_only_fails_is_asked_seldom_and_again_in_full_once_it_answers() -> None:
    bench, ill = Bench(), True

    def act() -> None:
        if ill:
            raise ModelError("no")

    def settled(asked: int, failed: int, dropped: int) -> Callable[[], bool]:
        wanted = {"asked": asked, "failed": failed, "dropped": dropped}
        return lambda: bool(bench.told["questions"] == wanted)

    def later(seconds: float, offers: int) -> Callable[[], None]:
        def step() -> None:
            bench.seconds = seconds
            bench.offer_many(offers)

        return step

    def recover() -> None:
        nonlocal ill
        assert (bench.told["resting"], bench.told["verdict"]) == (True, "FAIL")
        ill = False
        later(10.0, 50)()

    bench.act = act
    bench.play_in_turn(
        (later(0.0, 100), settled(30, 30, 70)),
        (later(0.3, 3), settled(31, 31, 72)),  # one more, and a longer rest
        (later(0.6, 3), settled(31, 31, 75)),
        (recover, settled(81, 31, 75)),
    )
    assert bench.told["resting"] is False


def test_a_shadow_that_leaks_is_stopped_until_the_routing_changes() -> None:
    bench = Bench()

    def grow() -> None:
        bench.resident += 600

    bench.act = grow
    bench.play(lambda: bench.offer_many(9), until=lambda: bool(bench.shadows.stopped))
    assert bench.asked <= 3
    bench.offer()
    assert not bench.shadows.waiting
    assert "grew by" in bench.told["stopped"]
    bench.shadows.follow(read_routing(ROUTING % 0.9, "r"))
    assert bench.told["stopped"] is None


def test_what_is_too_large_to_keep_is_dropped() -> None:
    bench = Bench()
    bench.offer(size=100_000)
    assert bench.told["questions"]["dropped"] == 1


def test_users_pass_first() -> None:
    looks = iter([True, True, True])
    bench = Bench(busy=lambda: next(looks, False))
    bench.act = lambda: left.append(len(list(looks)))
    left: list[int] = []
    bench.play(bench.offer, until=lambda: bench.told["rows"] == 1)
    assert left == [0]


def test_the_same_shadow_goes_on_counting_when_the_routing_changes() -> None:
    bench = Bench()
    bench.play(bench.offer, until=lambda: bench.told["rows"] == 1)
    bench.shadows.follow(read_routing(ROUTING.replace("version: 1", "version: 3") % 1.0, "r"))
    assert bench.told["rows"] == 1
    bench.shadows.follow(read_routing(ROUTING % 0.5, "r"))
    assert bench.told["rows"] == 0
    bench.shadows.follow(read_routing("schema: maestro.routing/1", "r"))
    assert bench.shadows.told() == {}


def play(server: Served, *, until: Callable[[], bool]) -> None:
    """Ask its shadows."""

    async def body() -> None:
        running = asyncio.create_task(server.application.replica.shadows.run())
        async with asyncio.timeout(60):
            while not until():
                await asyncio.sleep(0.002)
        running.cancel()

    asyncio.run(body())


def counted(server: Served) -> Any:
    return server.application.replica.shadows.told()["fraud"]


def counted_of_users(server: Served) -> list[str]:
    families = ("maestro_inference_", "maestro_model_", "maestro_prediction_cache_")
    return [line for line in server.get("/metrics").text.splitlines() if line.startswith(families)]


def test_for_a_shadow_nothing_is_loaded_evicted_or_counted_as_used() -> None:
    server = Served("--lazy")
    routing = """
schema: maestro.routing/1
routes: {fraud: {to: {model: fraud, version: 1}, shadow: {model: fraud, version: 2}}}
"""
    assert server.request("PUT", "/v2/routing", content=routing).status_code == 200
    before = server.infer(request())
    play(server, until=lambda: counted(server)["questions"]["dropped"] == 1)
    assert (counted(server)["loaded"], counted(server)["rows"]) == (False, 0)
    entry = server.application.replica.repository.find("fraud", "2")
    assert entry.model is None
    asyncio.run(load(server, 2))
    used = entry.used_at
    assert server.infer(request()).json()["outputs"] == before.json()["outputs"]
    play(server, until=lambda: counted(server)["rows"] == 1)
    assert (counted(server)["loaded"], entry.used_at, entry.users) == (True, used, 0)


async def load(server: Served, version: int) -> None:
    await server.application.replica.memory.load("fraud", version)


def test_a_served_shadow_is_offered_what_users_got_and_stays_out_of_their_metrics() -> None:
    server = Served("--serve", "fraud=2")
    routing = """
schema: maestro.routing/1
routes: {fraud: {to: {model: fraud, version: 1}, shadow: {model: fraud, version: 2}}}
"""
    assert server.request("PUT", "/v2/routing", content=routing).status_code == 200
    assert server.infer(request()).json()["model_version"] == "1"
    before = counted_of_users(server)
    play(server, until=lambda: counted(server)["rows"] == 1)
    page = server.get("/metrics").text
    assert counted_of_users(server) == before
    assert 'requests_total{code="200",model="fraud",route="direct",version="2"} 0.0' in page
    assert sum(float(line.split()[-1]) for line in page.splitlines() if "shadow_rows_total{" in line) == 1
    assert server.get("/v2/shadows").json()["shadows"]["fraud"]["verdict"] == "INDETERMINATE"
