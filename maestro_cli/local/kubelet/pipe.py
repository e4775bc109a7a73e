"""A container's output pipe into its log. Invariant: everything written before the end is kept."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from maestro_cli.local.kubelet.logs import LogWriter


class _Drain(asyncio.Protocol):
    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._writer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class LogPipe:
    """Give `descriptor` to a process; what it writes lands in the file."""

    def __init__(self, path: Path, cap_bytes: int) -> None:
        self._readable, self.descriptor = os.pipe()
        self._writer = LogWriter(path, cap_bytes)
        self._drain = _Drain(self._writer)
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Begin to read."""
        file = os.fdopen(self._readable, "rb", buffering=0)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: self._drain, file)

    def started(self) -> None:
        """The process has its own copy of the descriptor (or never will): close ours."""
        os.close(self.descriptor)

    async def finish(self, seconds: float = 1.0) -> None:
        """Read what is left, at most that long (a stray may hold the pipe open), and close the file."""
        await asyncio.wait([self._drain.closed], timeout=seconds)
        if self._transport is not None:
            self._transport.close()
        self._writer.close()
