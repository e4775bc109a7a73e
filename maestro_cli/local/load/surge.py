"""A surge of the load: for a while, so many times the usual requests. A file says so; the load follows it.

Invariant: a surge ends by itself when its time is over or the process that asked for it is gone; no file,
or one that cannot be read as a surge, is the usual rate. The file is for its owner alone, as its folder is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from maestro_cli.core.clock import Clock, from_rfc3339, to_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.files import write_atomically

MAX_FACTOR = 10.0
MAX_SECONDS = 900.0
_LOOK_SECONDS = 0.25
_MAX_BYTES = 4096


class Surge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`factor` times the usual rate until `ends`, while the process `pid` lives."""

    schema: Literal["maestro.surge/1"]
    factor: Annotated[float, msgspec.Meta(gt=1, le=MAX_FACTOR)]
    ends: str
    pid: Annotated[int, msgspec.Meta(ge=1)]

    def is_on(self, now: datetime) -> bool:
        """Raises ValueError where `ends` is no time."""
        left = from_rfc3339(self.ends) - now
        return timedelta(0) < left <= timedelta(seconds=MAX_SECONDS) and _lives(self.pid)


def surge_file(state: Path, part: str = "load") -> Path:
    """Where that load of the platform in that state folder looks."""
    return state / "run" / ("surge.json" if part == "load" else f"surge-{part}.json")


def begin_surge(state: Path, factor: float, seconds: float, now: datetime, part: str = "load") -> None:
    """Have that load send that many times as much from now on, for this process. Raises ValueError."""
    if not 1 < factor <= MAX_FACTOR or not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"a surge is at most {MAX_FACTOR:g} times the usual, for {MAX_SECONDS:g} s")
    surge = Surge("maestro.surge/1", factor, to_rfc3339(now + timedelta(seconds=seconds)), os.getpid())
    write_atomically(surge_file(state, part), msgspec.json.encode(surge).decode(), mode=0o600)


def end_surge(state: Path, part: str = "load") -> bool:
    """Back to the usual; False when there was no surge."""
    try:
        surge_file(state, part).unlink()
    except FileNotFoundError:
        return False
    return True


class SurgeFollower:
    """Says how many times the usual rate is to be sent now; looks at the file four times a second at most."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._looked_at = float("-inf")
        self._factor = 1.0

    def __call__(self) -> float:
        now = self._clock.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._factor = self._read()
        return self._factor

    def _read(self) -> float:
        try:
            with self._file.open("rb") as stream:
                surge = msgspec.json.decode(stream.read(_MAX_BYTES), type=ready(Surge))
            return surge.factor if surge.is_on(self._clock.now()) else 1.0
        except (OSError, msgspec.MsgspecError, ValueError):
            return 1.0


Factor = Callable[[], float]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
