"""A work queue of object keys.

Invariant: a key is in work once at a time, and a key added while in work is worked again; a failure
comes back later, each time after twice the pause.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.api import ApiError

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 10.0

Sync = Callable[[str], Awaitable[None]]


class WorkQueue:
    """Keys to reconcile; `run` works them with a few concurrent workers."""

    def __init__(self, name: str, sync: Sync) -> None:
        self.name = name
        self._sync = sync
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: set[str] = set()
        self._in_work: set[str] = set()
        self._again: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}

    def add(self, key: str) -> None:
        """Have the key reconciled soon; adding it twice is adding it once."""
        if key in self._in_work:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Have the key reconciled in that many seconds, or earlier if an earlier timer is set."""
        loop = asyncio.get_running_loop()
        at = loop.time() + max(seconds, 0.0)
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= at:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(at, self._fire, key)

    def _fire(self, key: str) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def run(self, workers: int = 4) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            self._waiting.discard(key)
            self._in_work.add(key)
            try:
                await self._sync(key)
                self._failures.pop(key, None)
            except MaestroError as refused:
                expected = isinstance(refused, ApiError) and refused.is_conflict
                if not expected:
                    _LOG.warning("%s %s: %s", self.name, key, refused.what)
                self._retry(key)
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
                # one malformed object must not stop the loop for all others
                _LOG.exception("%s %s", self.name, key)
                self._retry(key)
            finally:
                self._in_work.discard(key)
            if key in self._again:
                self._again.discard(key)
                self.add(key)

    def _retry(self, key: str) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(_FIRST_PAUSE_SECONDS * 2 ** min(failures, 20), _LONGEST_PAUSE_SECONDS))
