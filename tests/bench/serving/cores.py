"""Which core runs what. Invariant: a block leaves this process where it found it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.terminal import Failed


def server_and_load() -> tuple[int, int]:
    """The core of the servers and that of the load; raises Failed where there are not two to have."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Failed("a server and its load need a core each, and there is one")
    return cores[0], cores[1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Have this process, and the children that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
