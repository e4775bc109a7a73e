"""The work queue: once at a time, again when told, later after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from maestro_cli.local.api import ApiError
from maestro_cli.local.controllers.queue import WorkQueue


def run(sync: Callable[[str], Awaitable[None]], act: Callable[[WorkQueue], Awaitable[None]]) -> None:
    async def main() -> None:
        queue = WorkQueue("test", sync)
        worker = asyncio.ensure_future(queue.run())
        try:
            await asyncio.wait_for(act(queue), 5)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(main())


def test_a_key_is_worked_once_at_a_time_and_again_when_added_meanwhile() -> None:
    at_work: list[str] = []
    most = 0
    done = 0
    go = asyncio.Event()

    async def sync(key: str) -> None:
        nonlocal most, done
        at_work.append(key)
        most = max(most, len(at_work))
        await go.wait()
        at_work.remove(key)
        done += 1

    async def act(queue: WorkQueue) -> None:
        queue.add("a")
        queue.add("a")
        while not at_work:
            await asyncio.sleep(0)
        queue.add("a")
        queue.add("a")
        go.set()
        while done < 2:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)

    run(sync, act)
    assert (most, done) == (1, 2)


def test_a_failure_comes_back_and_does_not_stop_others() -> None:
    seen: list[str] = []

    async def sync(key: str) -> None:
        seen.append(key)
        if key == "conflict" and seen.count(key) < 3:
            raise ApiError(409, "Conflict", "changed")
        if key == "broken":
            raise KeyError("spec")

    async def act(queue: WorkQueue) -> None:
        for key in ("broken", "conflict", "fine"):
            queue.add(key)
        while seen.count("conflict") < 3 or "fine" not in seen or seen.count("broken") < 2:
            await asyncio.sleep(0.005)

    run(sync, act)
    assert seen.count("fine") == 1


def test_the_earlier_timer_wins() -> None:
    seen: list[float] = []

    async def sync(_key: str) -> None:
        seen.append(asyncio.get_running_loop().time())

    async def act(queue: WorkQueue) -> None:
        began = asyncio.get_running_loop().time()
        queue.add_after("a", 0.02)
        queue.add_after("a", 60)
        while not seen:
            await asyncio.sleep(0.005)
        assert seen[0] - began < 10

    run(sync, act)
