"""Output pipes: who prints without end is slowed down."""

from __future__ import annotations

import asyncio
import os

from maestro_cli.local.kubelet.pipe import OutputPipe


class Counting:
    """A sink that makes much of little, as short lines with time stamps do."""

    def __init__(self, factor: int) -> None:
        self.taken = 0
        self.factor = factor
        self.closed = False

    def write(self, chunk: bytes) -> int:
        self.taken += len(chunk)
        return len(chunk) * self.factor

    def close(self) -> None:
        self.closed = True


def test_reading_pauses_after_a_burst_and_all_is_read_at_the_end() -> None:
    async def run() -> None:
        sink = Counting(factor=10_000)
        pipe = OutputPipe(sink)
        await pipe.open()
        os.write(pipe.descriptor, b"x" * 20_000)
        while not sink.taken:
            await asyncio.sleep(0)
        os.write(pipe.descriptor, b"y" * 20_000)
        for _ in range(100):
            await asyncio.sleep(0)
        assert sink.taken == 20_000, "200 MB worth of log has been written: a pause of 50 s is due"
        pipe.started()
        await pipe.finish()
        assert sink.taken == 40_000, "what is left in the pipe is not lost"
        assert sink.closed

    asyncio.run(run())


def test_a_quiet_process_is_never_paused() -> None:
    async def run() -> None:
        sink = Counting(factor=1)
        pipe = OutputPipe(sink)
        await pipe.open()
        for count in range(1, 6):
            os.write(pipe.descriptor, b"x" * 1000)
            while sink.taken < count * 1000:
                await asyncio.sleep(0)
        pipe.started()
        await pipe.finish()
        assert sink.taken == 5000

    asyncio.run(run())
