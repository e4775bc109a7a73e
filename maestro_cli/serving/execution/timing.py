"""Where the time of one request went. Invariant: what did not happen took 0 seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields

STAGES = ("features", "queue", "infer", "encode")


@dataclass(slots=True)
class Timing:
    """Seconds a stage; `features` is from the body's bytes to the arrays that the model takes."""

    features: float = 0.0
    queue: float = 0.0
    infer: float = 0.0
    encode: float = 0.0

    def stage(self, name: str) -> Stage:
        """Add what the block takes to a stage, whether it raises or not."""
        return Stage(self, name)


class Stage:
    """A block whose time counts. A class, because every request would pay for four generators."""

    __slots__ = ("_began", "_name", "_timing")

    def __init__(self, timing: Timing, name: str) -> None:
        self._timing = timing
        self._name = name

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *raised: object) -> None:
        took = time.perf_counter() - self._began
        setattr(self._timing, self._name, getattr(self._timing, self._name) + took)


assert tuple(one.name for one in fields(Timing)) == STAGES
