"""Looks for work again and again, and does a few pieces of it at a time.

Invariant: looking never waits for work, a piece of work is done by one thread at a time, and nothing of
either is left running when `stop` returns.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import MaestroError, defect
from maestro_cli.core.progress import Progress
from maestro_cli.incidents.ports import DutyPort

LOOK_SECONDS = 5.0


class Lookout(ABC):
    """One thread that looks, and up to `workers` more; `complaint` says what an error keeps it from."""

    def __init__(
        self, name: str, complaint: str, workers: int, *, cancellation: Cancellation, progress: Progress
    ) -> None:
        self._complaint, self._workers = complaint, workers
        self._cancellation, self._progress = cancellation, progress
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Thread] = {}  # by what it works on
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def look(self) -> None:
        """Find what is to be done, and `begin` it. What it raises is told, and it is called again."""

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look now: something may have happened."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing more, and wait for what is at work; it ends once the cancellation is set."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            at_work = list(self._at_work.values())
        for thread in at_work:
            thread.join()

    def is_at_work(self, on: str) -> bool:
        with self._lock:
            return on in self._at_work

    def begin(
        self, on: str, name: str, work: Callable[[], None], put_off: Callable[[MaestroError], None]
    ) -> None:
        """Do this on a thread of its own, unless it is being done or there are enough; then look again.

        `put_off` hears of what the work raised, be it a defect: that must not end the watch.
        """

        def whole() -> None:
            try:
                work()
            except MaestroError as error:
                put_off(error)
            except Exception as error:  # noqa: BLE001 - told, and tried again
                put_off(MaestroError(defect(error)))
            finally:
                with self._lock:
                    del self._at_work[on]
                self._wake.set()

        thread = threading.Thread(target=whole, name=name, daemon=True)
        with self._lock:
            if on in self._at_work or len(self._at_work) >= self._workers:
                return
            self._at_work[on] = thread
        thread.start()

    def _run(self) -> None:
        while not self._stopping and not self._cancellation.is_set:
            try:
                self.look()
            except MaestroError as error:
                self._progress.note(f"{self._complaint}: {error.what}")
            except Exception as error:  # noqa: BLE001 - told, and looked again
                self._progress.note(f"{self._complaint}: {defect(error)}")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()


class Lookouts:
    """Several as one. Satisfies incidents.ports.DutyPort."""

    def __init__(self, *lookouts: DutyPort) -> None:
        self._lookouts = lookouts

    def start(self) -> None:
        for one in self._lookouts:
            one.start()

    def wake(self) -> None:
        for one in self._lookouts:
            one.wake()

    def stop(self) -> None:
        for one in self._lookouts:
            one.stop()
