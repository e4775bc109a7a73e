"""What happens to the process as a whole: CPU burnt beside it, memory held in it.

Invariant: `close` takes everything back; what computes ends with this process, however that ends.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import subprocess
import sys

_STEP_SECONDS = 0.1
_PAGE = 4096
_MEBIBYTE = 2**20
# Looks every few milliseconds whether its parent is still there: a parent that was killed tells nobody.
_BURN = """
import os, sys, time
parent, end = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
while os.getppid() == parent and time.monotonic() < end:
    sum(range(50_000))
"""


class CpuBurn:
    """Processes that compute until closed, or until the time is over; all of them start, or OSError."""

    def __init__(self, processes: int, seconds: float) -> None:
        command = [sys.executable, "-I", "-S", "-c", _BURN, str(os.getpid()), str(seconds)]
        self.children: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(processes):
                self.children.append(
                    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={})
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()


class Balloon:
    """Resident memory that grows at a rate up to a ceiling, and no further."""

    def __init__(self, bytes_per_second: float, ceiling_bytes: int) -> None:
        self._step_bytes = max(_PAGE, int(bytes_per_second * _STEP_SECONDS))
        self._ceiling_bytes = ceiling_bytes
        self._held: list[mmap.mmap] = []
        self.held_bytes = 0
        self._growing = asyncio.get_running_loop().create_task(self._grow())

    @classmethod
    def of_mebibytes(cls, per_second: float, ceiling: float) -> Balloon:
        return cls(per_second * _MEBIBYTE, int(ceiling * _MEBIBYTE))

    async def _grow(self) -> None:
        while (room := self._ceiling_bytes - self.held_bytes) > 0:
            try:
                self._take(min(self._step_bytes, room))
            except OSError:
                return  # the system has no more: that is a ceiling too
            await asyncio.sleep(_STEP_SECONDS)

    def _take(self, size: int) -> None:
        block = mmap.mmap(-1, size)
        for place in range(0, size, _PAGE):
            block[place] = 1  # a page is only taken once it is written to
        self._held.append(block)
        self.held_bytes += size

    def close(self) -> None:
        self._growing.cancel()
        for block in self._held:
            block.close()
        self._held.clear()
        self.held_bytes = 0


Effect = CpuBurn | Balloon
