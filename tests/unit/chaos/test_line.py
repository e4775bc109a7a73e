"""A line that was begun is sent whole, whatever interrupts it; what is no line ends the reading."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from maestro_cli.chaos import line as lines
from maestro_cli.chaos.line import Line

Ends = tuple[Line, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    line = Line(ours)
    yield line, theirs
    line.close()
    theirs.close()


def test_an_interruption_waits_for_the_line_it_falls_into(ends: Ends) -> None:
    line, other = ends
    read: list[Any] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        line.interrupt(SystemExit(20))

    def interrupt_and_read() -> None:
        first = other.recv(10)  # the sender is in the midst of it: it does not fit into the socket
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        with other.makefile("rb") as stream:
            read.extend([first + stream.readline(), stream.readline()])

    before = signal.signal(signal.SIGUSR1, stop)
    reader = threading.Thread(target=interrupt_and_read)
    reader.start()
    try:
        with pytest.raises(SystemExit):
            line.send({"text": ["x" * 10_000] * 1_000})
        line.send({"next": 1})
    finally:
        signal.signal(signal.SIGUSR1, before)
        line.hang_up()
        reader.join()
    assert len(read[0]) > 10_000_000
    assert read[1] == b'{"next": 1}\n'


def test_an_interruption_between_lines_is_raised_at_once(ends: Ends) -> None:
    with pytest.raises(SystemExit):
        ends[0].interrupt(SystemExit(20))
    ends[0].send({"next": 1})
    assert ends[1].recv(100) == b'{"next": 1}\n'


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b'{"half": {"event"\n', "no JSON: JSONDecodeError"),
        (b"[" * 100_000 + b"\n", "no JSON: RecursionError"),
        (b"\xff\n", "no JSON"),
        (b'"request"\n', "no JSON object: str"),
        (b'{"half": ', ""),
    ],
)
def test_what_is_no_line_ends_the_reading(sent: bytes, told: str, ends: Ends) -> None:
    line, other = ends

    def say() -> None:
        other.sendall(b'{"a": 1}\n' + sent)
        other.close()

    threading.Thread(target=say).start()
    assert list(line.messages()) == [{"a": 1}]
    assert told in line.broken
    assert bool(line.broken) == bool(told)


def test_a_line_without_an_end_is_not_read_for_ever(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 100)
    ends[1].sendall(b"x" * 200)
    assert list(ends[0].messages()) == []
    assert ends[0].broken == "a line of over 100 bytes"
