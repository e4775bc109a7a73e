"""A process that takes what a fault says, and ends when its time is over. Run as a file, not imported.

`burden.py cpu LOAD SECONDS`: compute for that share (0 to 1) of each tenth of a second
`burden.py memory BYTES SECONDS`: hold that much memory, every page of it touched
"""

from __future__ import annotations

import sys
import time

_SLICE_SECONDS = 0.1
_PAGE = 4096


def main(kind: str, amount: float, seconds: float) -> None:
    until = time.monotonic() + seconds
    if kind == "memory":
        held = bytearray(int(amount))
        for place in range(0, len(held), _PAGE):
            held[place] = 1
        time.sleep(max(0.0, until - time.monotonic()))
        return
    while (now := time.monotonic()) < until:
        busy_until = now + amount * _SLICE_SECONDS
        while time.monotonic() < busy_until:
            pass
        time.sleep((1.0 - amount) * _SLICE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
