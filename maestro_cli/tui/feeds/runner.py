"""Threads that keep the wanted facts fresh.

Invariant: one thread a fact, and only while somebody wants it. Threads are daemons: one that hangs in a
backend holds up nothing, least of all the end. Every error becomes a stale fact; none ends the console.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.services.root import Services
from maestro_cli.tui.defects import written_down
from maestro_cli.tui.feeds.model import AnyFeed
from maestro_cli.tui.store.events import FactBegun, FactFailed, FactRead, FactsForgotten
from maestro_cli.tui.store.model import FactKey, Told
from maestro_cli.tui.store.store import Store

SLOWEST_SECONDS = 30.0  # between two looks at a backend that does not answer


def told(error: Exception) -> Told:
    """An error as the console tells it."""
    if isinstance(error, MaestroError):
        return Told(error.what, error.why, error.fix)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Told(f"{place}{error.strerror or type(error).__name__}", fix="choose another place")
    return Told(f"internal error: {type(error).__name__}", str(error), written_down(error))


class FeedRunner:
    """Starts and stops threads so that exactly the wanted facts are read."""

    def __init__(
        self,
        store: Store,
        feeds: Mapping[str, AnyFeed],
        services_of: Callable[[str], Services],
        clock: Clock,
    ) -> None:
        self._store, self._feeds, self._services_of, self._clock = store, feeds, services_of, clock
        self._lock = threading.Lock()
        self._running: dict[FactKey, _Reader] = {}
        self._stopped: list[_Reader] = []  # whose threads may be at their last read

    def want(self, keys: frozenset[FactKey]) -> None:
        """Read these from now on, and no others."""
        with self._lock:
            gone = frozenset(self._running) - keys
            self._stopped = [one for one in self._stopped if one.is_alive]
            for key in gone:
                self._stop(self._running.pop(key))
            for key in sorted(keys - frozenset(self._running)):
                self._running[key] = _Reader(key, self._feeds[key.feed], self)
            if gone:
                self._store.dispatch(FactsForgotten(gone))

    def hurry(self) -> None:
        """Look at everything now."""
        with self._lock:
            for reader in self._running.values():
                reader.hurry()

    def tell(self, reader: _Reader, event: FactBegun | FactRead | FactFailed) -> None:
        """What a reader says after it was stopped is dropped: it brings back no forgotten fact."""
        with self._lock:
            if self._running.get(event.key) is reader:
                self._store.dispatch(event)

    @property
    def contexts(self) -> frozenset[str]:
        """Those of which something is read."""
        with self._lock:
            return frozenset(key.context for key in self._running)

    def close(self) -> None:
        """Read nothing more; waits for nothing."""
        with self._lock:
            while self._running:
                self._stop(self._running.popitem()[1])

    def join(self, seconds: float) -> None:
        """Wait for the threads that were stopped, for as long at most."""
        until = self._clock.monotonic() + seconds
        for reader in tuple(self._stopped):
            reader.join(max(until - self._clock.monotonic(), 0.0))

    def _stop(self, reader: _Reader) -> None:
        reader.stop()
        self._stopped.append(reader)


class _Reader:
    """The thread of one fact."""

    def __init__(self, key: FactKey, feed: AnyFeed, runner: FeedRunner) -> None:
        self._key, self._feed, self._runner = key, feed, runner
        self._stopped = Cancellation()
        self._hurry = threading.Event()
        self._last: object = None
        self._failures = 0  # one after another, with nothing read between them
        self._thread = threading.Thread(target=self._run, name=f"feed {key.feed}@{key.context}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def stop(self) -> None:
        self._stopped.cancel()
        self._hurry.set()

    def hurry(self) -> None:
        self._hurry.set()

    def _run(self) -> None:
        while not self._stopped.is_set:
            try:
                self._read_once()
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - the border of the thread: it is told, and tried again
                self._failures += 1
                self.failed(error)
            every, failures = self._feed.every_seconds, self._failures
            self._hurry.wait(min(every * 2 ** min(failures, 6), SLOWEST_SECONDS) if failures else every)
            self._hurry.clear()

    def _read_once(self) -> None:
        services = self._runner._services_of(self._key.context)
        if self._feed.read is not None:
            self.read(self._feed.read(services, self._key.argument))
        elif self._feed.follow is not None:
            self._feed.follow(services, self._key.argument, self, self._stopped)

    def read(self, data: object) -> None:
        """Satisfies Hearer. What is as it was keeps its identity, so that nobody draws it again."""
        if data == self._last:
            data = self._last
        self._last, self._failures = data, 0
        self._runner.tell(self, FactRead(self._key, data, self._runner._clock.now()))

    def begun(self, data: object) -> None:
        self._runner.tell(self, FactBegun(self._key, data))

    def failed(self, error: Exception, heard_at: datetime | None = None) -> None:
        now = self._runner._clock.now()
        self._runner.tell(self, FactFailed(self._key, told(error), now, heard_at))
