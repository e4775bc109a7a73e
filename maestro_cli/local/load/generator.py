"""Send the load and measure it.

Invariant: a latency counts from the instant the request was meant to be sent, so waiting for a slow
sender or a slow service is in it; every intended request is counted once, whatever became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from maestro_cli.local.load.connections import ConnectionFailed, Connections
from maestro_cli.local.load.judging import Judge
from maestro_cli.local.load.traffic import Arrival, Traffic

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: seconds after the start of the load, and why there was no answer.

    `code` is the HTTP status, `error` or `timeout`.
    """

    intended: float
    ended: float
    code: str
    why: str = ""


class Generator:
    """An open-loop client of one service; `tell`, if given, hears of every request, `judge` of every 200."""

    def __init__(
        self,
        url: str,
        traffic: Traffic,
        registry: CollectorRegistry,
        tell: Callable[[Outcome], None] | None = None,
        *,
        key: str = "",
        timeout_seconds: float = TIMEOUT_SECONDS,
        judge: Judge | None = None,
    ) -> None:
        self._judge = judge
        self._tell = tell
        self._timeout_seconds = timeout_seconds
        self._connections = Connections(url, key)
        self._traffic = traffic
        self._requests = Counter(
            "maestro_load_requests", "Requests by outcome as the client saw it", ["code"], registry=registry
        )
        self._durations = Histogram(
            "maestro_load_duration_seconds",
            "From the intended send time to the end of the answer",
            buckets=BUCKETS,
            registry=registry,
        )
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, schedule: Iterator[Arrival]) -> None:
        """Follow the schedule until it ends or this task is cancelled."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            for arrival in schedule:
                intended = start + arrival.offset_seconds
                if (ahead := intended - loop.time()) > 0:
                    await asyncio.sleep(ahead)
                task = loop.create_task(self._send(start, arrival))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            await asyncio.gather(*self._running)
        finally:
            for task in tuple(self._running):
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            self._connections.close()

    async def _send(self, start: float, arrival: Arrival) -> None:
        loop = asyncio.get_running_loop()
        body, offset_seconds, why = self._traffic.bodies[arrival.body], arrival.offset_seconds, ""
        try:
            async with asyncio.timeout_at(start + offset_seconds + self._timeout_seconds):
                status, content = await self._connections.post(self._traffic.path, body)
            code = str(status)
        except ConnectionFailed as failure:
            code, why = "error", str(failure)
        except TimeoutError:
            code = "timeout"
        ended = loop.time() - start
        self._requests.labels(code).inc()
        self._durations.observe(ended - offset_seconds)
        if self._judge is not None and code == "200":
            self._judge.judge(arrival.body, content)
        if self._tell is not None:
            self._tell(Outcome(offset_seconds, ended, code, why))
