"""Only long silence counts: whoever says anything, however late or wrong, is alive."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.local.ports import free_port
from maestro_cli.local.supervisor import pulse
from maestro_cli.local.supervisor.pulse import ASK_SECONDS, MISSES_ALLOWED, Pulse, responds

FACTS = {"url": "http://127.0.0.1:1"}


class HandClock(SystemClock):
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        raise AssertionError("a pulse needs no wall clock")

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def silent() -> Iterator[str]:
    """A port that takes connections, as the kernel does for a stopped process, and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


async def asked_of(answer: Callable[[asyncio.StreamWriter], None], scheme: str) -> bool:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        answer(writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        return await responds(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("said", [b"HTTP/1.0 500 no\r\n\r\n", b"nonsense", b""])
def test_whatever_is_said_is_an_answer(said: bytes, scheme: str) -> None:
    assert asyncio.run(asked_of(lambda writer: writer.write(said), scheme))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_silence_is_none(silent: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "ANSWER_SECONDS", 0.05)
    assert not asyncio.run(responds(f"{scheme}://{silent}"))


def test_nobody_there_is_none() -> None:
    assert not asyncio.run(responds(f"http://127.0.0.1:{free_port()}"))


def counted(monkeypatch: pytest.MonkeyPatch, answers: list[bool], url: str = FACTS["url"]) -> list[bool]:
    """Whether the part was called lost after each answer, asked whenever it was time."""
    left = iter(answers)

    async def next_answer(_: str) -> bool:
        return next(left)

    monkeypatch.setattr(pulse, "responds", next_answer)

    async def ask() -> list[bool]:
        clock = HandClock()
        one, found = Pulse(clock), []
        assert not one.is_lost({"url": url})  # it became ready just now
        for _ in answers:
            clock.seconds += ASK_SECONDS
            one.is_lost({"url": url})
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            found.append(one.is_lost({"url": url}))
        return found

    return asyncio.run(ask())


def test_a_part_is_lost_after_silence_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, [False] * MISSES_ALLOWED) == [False] * (MISSES_ALLOWED - 1) + [True]


def test_one_answer_between_makes_it_well_again(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = [False] * (MISSES_ALLOWED - 1)
    assert counted(monkeypatch, [*silence, True, *silence]) == [False] * (2 * len(silence) + 1)


def test_a_part_without_a_url_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, [False] * 9, url="") == [False] * 9
