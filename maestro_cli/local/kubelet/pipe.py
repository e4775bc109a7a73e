"""What a process prints, read through a pipe.

Invariant: everything written before the end is kept (in a log) or its beginning (of a command); a
process that prints without end is slowed down, not the kubelet.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

from maestro_cli.local.kubelet.logs import LogWriter

_LONGEST_ANSWER_BYTES = 10 * 1024
_BURST_BYTES = 1024 * 1024
_BYTES_PER_SECOND = 4 * 1024 * 1024  # as they are kept, of one container


class Sink(Protocol):
    """Takes what was printed."""

    def write(self, chunk: bytes) -> int:
        """Keep it; how many bytes that made."""

    def close(self) -> None:
        """No more comes."""


class Head:
    """Keeps the first 10 KiB, as much as a probe's answer may have."""

    def __init__(self) -> None:
        self.kept = b""

    def write(self, chunk: bytes) -> int:
        self.kept += chunk[: _LONGEST_ANSWER_BYTES - len(self.kept)]
        return len(chunk)

    def close(self) -> None:
        return


class _Drain(asyncio.Protocol):
    """Reads from the pipe into the sink, in the long run no faster than the limit."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.ReadTransport | None = None
        self._since, self._taken = 0.0, 0
        self._in_a_hurry = False
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        if now >= self._since + self._taken / _BYTES_PER_SECOND:
            self._since, self._taken = now, 0
        self._taken += self._sink.write(data)
        if self._taken > _BURST_BYTES and self._transport is not None and not self._in_a_hurry:
            self._transport.pause_reading()
            self._loop.call_at(self._since + self._taken / _BYTES_PER_SECOND, self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def hurry(self) -> None:
        """The writer is gone: read the little that is left without a pause."""
        self._in_a_hurry = True
        self._go_on()

    def _go_on(self) -> None:
        if self._transport is not None and not self.closed.done():
            self._transport.resume_reading()


class OutputPipe:
    """Give `descriptor` to a process; what it writes lands in the sink."""

    def __init__(self, sink: Sink) -> None:
        self._readable, self.descriptor = os.pipe()
        self._sink = sink
        self._drain: _Drain | None = None
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Begin to read."""
        drain = self._drain = _Drain(self._sink)
        file = os.fdopen(self._readable, "rb", buffering=0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: drain, file)

    def started(self) -> None:
        """The process has its own copy of the descriptor (or never will): close ours."""
        os.close(self.descriptor)

    async def finish(self, seconds: float = 1.0) -> None:
        """Read what is left, at most that long (a stray may hold the pipe open), and close the sink."""
        if self._drain is not None and self._transport is not None:
            self._drain.hurry()
            await asyncio.wait([self._drain.closed], timeout=seconds)
            self._transport.close()
        self._sink.close()


class LogPipe(OutputPipe):
    """Into a log file."""

    def __init__(self, path: Path, cap_bytes: int) -> None:
        super().__init__(LogWriter(path, cap_bytes))


class CapturePipe(OutputPipe):
    """Into memory, for the answer of a command."""

    def __init__(self) -> None:
        self._head = Head()
        super().__init__(self._head)

    def text(self) -> str:
        """What was printed, without the space around it."""
        return self._head.kept.decode("utf-8", "replace").strip()
