"""The load against real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry

from maestro_cli.local.load.connections import MOST_IDLE, WANTED_IDLE
from maestro_cli.local.load.generator import Generator, Outcome
from maestro_cli.local.load.traffic import Arrival, Traffic
from maestro_cli.local.ports import free_port
from tests.patience import TRIES

pytestmark = pytest.mark.contract
TRAFFIC = Traffic("/v2/models/m/infer", (b"{}",))
Answer = Callable[[asyncio.StreamWriter], Awaitable[bool]]


class _Server:
    """Reads requests and answers each with `answer`, which says whether the connection goes on."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.connections = 0
        self.requests: list[bytes] = []
        self.asked_on: list[int] = []  # the number of its connection, of each request

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(len(TRAFFIC.bodies[0]))
                self.requests.append(head.split(b"\r\n")[0])
                self.asked_on.append(number)
                if not await self._answer(writer):
                    return
        except (EOFError, ConnectionError):
            return
        finally:
            writer.close()


def _ok(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def _plain(writer: asyncio.StreamWriter) -> bool:
    _ok(writer)
    return True


async def _chunked(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    return True


async def _closing(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
    return False


async def _rubbish(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
    return False


async def _reset(writer: asyncio.StreamWriter) -> bool:
    writer.transport.abort()
    return False


async def _late(writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(0.3)
    _ok(writer)
    return True


def _arrivals(count: int, gap_seconds: float = 0.002) -> list[Arrival]:
    return [Arrival(gap_seconds * number, 0) for number in range(count)]


def _run(
    answer: Answer, count: int, arrivals: list[Arrival] | None = None
) -> tuple[_Server, CollectorRegistry]:
    server, registry = _Server(answer), CollectorRegistry()

    async def go() -> None:
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        await Generator(f"http://127.0.0.1:{port}", TRAFFIC, registry).run(iter(arrivals or _arrivals(count)))
        listening.close()

    asyncio.run(go())
    return server, registry


def _count(registry: CollectorRegistry, code: str) -> float:
    return registry.get_sample_value("maestro_load_requests_total", {"code": code}) or 0.0


@pytest.mark.parametrize(
    ("answer", "code"),
    [(_plain, "200"), (_chunked, "503"), (_closing, "200"), (_rubbish, "error"), (_reset, "error")],
)
def test_every_intended_request_is_counted_once_by_its_outcome(answer: Answer, code: str) -> None:
    server, registry = _run(answer, 60)
    assert _count(registry, code) == 60
    assert registry.get_sample_value("maestro_load_duration_seconds_count") == 60
    assert len(server.requests) == 60
    assert set(server.requests) == {b"POST /v2/models/m/infer HTTP/1.1"}


def test_connections_are_kept_but_several_and_not_for_ever() -> None:
    """Held up by others, it has all the more to send at once, each on a connection of its own."""
    opened = []
    for _ in range(TRIES):
        opened.append(_run(_plain, 400)[0].connections)
        if opened[-1] < 400:
            break
    assert WANTED_IDLE <= min(opened) < 400


def test_whoever_held_up_many_and_then_answers_them_all_is_not_asked_by_these_for_long() -> None:
    held, later = 40, 60
    came: list[asyncio.Event] = []

    async def all_at_once(writer: asyncio.StreamWriter) -> bool:
        came.append(asyncio.Event())
        if len(came) >= held:
            for one in came:
                one.set()
        await came[-1].wait()
        _ok(writer)
        return True

    arrivals = [Arrival(0.0, 0)] * held + [Arrival(0.5 + 0.005 * number, 0) for number in range(later)]
    server, _ = _run(all_at_once, 0, arrivals)
    again = {number for number in server.asked_on[held:] if number <= held}
    assert len(server.asked_on) == held + later
    assert len(again) <= MOST_IDLE


def test_a_slow_service_is_asked_on_time_all_the_same_and_its_delay_is_seen() -> None:
    server, registry = _run(_late, 30)
    assert len(server.requests) == 30
    slower_than_200_ms = 30 - (
        registry.get_sample_value("maestro_load_duration_seconds_bucket", {"le": "0.2"}) or 0
    )
    assert slower_than_200_ms == 30


def test_nobody_there_is_an_error_and_not_the_end() -> None:
    registry = CollectorRegistry()
    generator = Generator(f"http://127.0.0.1:{free_port()}", TRAFFIC, registry)
    asyncio.run(generator.run(iter(_arrivals(5))))
    assert _count(registry, "error") == 5


def test_every_outcome_is_told_with_its_reason() -> None:
    told: list[Outcome] = []
    url = f"http://127.0.0.1:{free_port()}"
    generator = Generator(url, TRAFFIC, CollectorRegistry(), told.append)
    asyncio.run(generator.run(iter(_arrivals(5, 0.01))))
    assert [outcome.intended for outcome in sorted(told, key=lambda one: one.intended)] == [
        arrival.offset_seconds for arrival in _arrivals(5, 0.01)
    ]
    assert {outcome.code for outcome in told} == {"error"}
    assert all("refused" in outcome.why or "Connect call failed" in outcome.why for outcome in told)
    assert all(outcome.ended >= outcome.intended for outcome in told)
