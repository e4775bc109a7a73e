"""Where the time of one request went. Invariant: what did not happen took 0 seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

STAGES = ("features", "queue", "infer", "encode")


@dataclass(slots=True)
class Timing:
    """Seconds a stage; `features` is from the body's bytes to the arrays that the model takes."""

    features: float = 0.0
    queue: float = 0.0
    infer: float = 0.0
    encode: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what the block takes to a stage, whether it raises or not."""
        began = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + time.perf_counter() - began)


assert tuple(one.name for one in fields(Timing)) == STAGES
