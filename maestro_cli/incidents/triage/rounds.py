"""Collectors that run together, each with a deadline.

Invariant: a collector that fails or hangs leaves an outcome that says so, and nobody waits for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from maestro_cli.core.clock import Clock
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


class Round:
    """Collectors that run together."""

    def __init__(self, pool: ThreadPoolExecutor, clock: Clock, deadline_seconds: float) -> None:
        self._pool = pool
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._futures: dict[str, Future[Outcome[Any]]] = {}

    def add(self, name: str, collector: Callable[[], T]) -> None:
        self._futures[name] = self._pool.submit(self._run, collector)

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
        done, _ = wait(self._futures.values(), timeout=self._deadline_seconds)
        late = Outcome[Any](None, f"no answer in {self._deadline_seconds:g} s", self._deadline_seconds)
        return {name: future.result() if future in done else late for name, future in self._futures.items()}
