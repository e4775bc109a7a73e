"""Collectors that run together, all with one deadline.

Invariant: a collector that fails or hangs leaves an outcome that says so, and nobody waits for it: not a
later round, and not the process at its end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Self, TypeVar

from maestro_cli.core.clock import Clock
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import MaestroError

T = TypeVar("T")

# What a source may raise, or what its answer may make of our reading of it when it is malformed.
_FAILURES = (
    MaestroError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, sqlite3.Error,
)  # fmt: skip


@dataclass(frozen=True)  # no slots: Python 3.11 cannot call a subscripted slotted generic
class Outcome(Generic[T]):
    """What a collector brought, or why it did not."""

    value: T | None
    error: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a round may take, and what is said of what was not answered by then."""

    seconds: float
    late: str


class Rounds:
    """Rounds that follow one another: each has `each_seconds`, and all together `whole_seconds` from now."""

    def __init__(self, clock: Clock, threads: int, *, each_seconds: float, whole_seconds: float) -> None:
        self._clock, self._threads = clock, threads
        self._each_seconds, self._whole_seconds = each_seconds, whole_seconds
        self._ends = clock.monotonic() + whole_seconds

    def next(self) -> Round:
        left = max(self._ends - self._clock.monotonic(), 0.0)
        if left < self._each_seconds:
            late = f"no answer within the {self._whole_seconds:g} s that triage may take"
            return Round(self._threads, self._clock, Patience(left, late))
        late = f"no answer in {self._each_seconds:g} s"
        return Round(self._threads, self._clock, Patience(self._each_seconds, late))


class Round:
    """Collectors that run together, so many at once; what is added when no time is left is not asked.

    Used with `with`: whatever ends it, no thread is left that waits for more.
    """

    def __init__(self, threads: int, clock: Clock, patience: Patience) -> None:
        self._pool = DaemonPool(threads, "triage")
        self._clock = clock
        self._patience = patience
        self._futures: dict[str, Future[Outcome[Any]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def add(self, name: str, collector: Callable[[], T]) -> None:
        if self._patience.seconds:
            self._futures[name] = self._pool.submit(partial(self._run, collector))
        else:
            self._futures[name] = Future()

    def _run(self, collector: Callable[[], T]) -> Outcome[T]:
        started = self._clock.monotonic()
        try:
            return Outcome(collector(), "", self._clock.monotonic() - started)
        except MaestroError as error:
            text = f"{error.what}: {error.why}" if error.why else error.what
            return Outcome(None, text, self._clock.monotonic() - started)
        except _FAILURES as error:
            text = f"the answer could not be read ({type(error).__name__}: {error})"
            return Outcome(None, text, self._clock.monotonic() - started)

    def finish(self) -> Mapping[str, Outcome[Any]]:
        """What each left by the deadline; what has not begun by then is not begun any more."""
        done, _ = wait(self._futures.values(), timeout=self._patience.seconds)
        self._pool.close()  # what has not begun is cancelled before anybody reads what is done
        late = Outcome[Any](None, self._patience.late, self._patience.seconds)
        return {name: future.result() if future in done else late for name, future in self._futures.items()}
