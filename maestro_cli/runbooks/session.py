"""One process's hold on one run.

Invariant: at most one process works on a run. On one machine a file lock says so; it ends with the
process at once, and child processes inherit it, so that a run whose step outlived a killed maestro
cannot be resumed before that step has ended. Between machines a journal lease says so. Every event is
written under the lease: a process that lost it writes nothing more. What was deferred is written before
anything else is. Several threads may work on the run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from maestro_cli.config.locations import make_private
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import ActionFailed, Busy, MaestroError
from maestro_cli.journal.model import Event, Lease
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.runbooks.history import lease_name

LEASE_SECONDS = 20.0
RENEW_SECONDS = 5.0
LOOK_SECONDS = 0.5  # how soon a process learns that its run shall be cancelled, and writes what it deferred
T = TypeVar("T")
Told = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class _Deferred:
    """An event that waits for the next transaction."""

    kind: str
    data: Mapping[str, Any]
    place: str


class Session:
    """Holds the lock file and the leases of a run while its context is open."""

    def __init__(
        self,
        journal: Journal,
        run_id: str,
        actor: str,
        lock: str = "",
        told: Told | None = None,
        shared: frozenset[str] = frozenset(),
    ) -> None:
        """`told` hears of each event once it is durable; `shared` are locks that a run holds for this one."""
        self.run_id = run_id
        self._journal = journal
        self._actor = actor
        self._lock_name = lock
        self._held = set(shared)
        self._told = told
        self._fresh: list[Event] = []  # of the transaction that is open
        self._deferred: list[_Deferred] = []
        self._writing = threading.RLock()
        self._turns: dict[str, threading.Lock] = {}
        self._leases: list[Lease] = []
        self._closing = threading.Event()
        self._path = journal.path.parent / "runs" / f"{run_id}.lock"
        self.descriptor = -1
        self.cancellation: Cancellation | None = None  # of the work on the run, while there is some

    @contextmanager
    def held(self) -> Iterator[Session]:
        """Take the run; raises Busy when somebody else has it, or its lock."""
        self.descriptor = _lock_file(self._path, self.run_id)
        keeper = threading.Thread(target=self._keep, name="run-lease", daemon=True)
        try:
            self._acquire(lease_name(self.run_id), platform.node() or "this machine")
            if self._lock_name and self._lock_name not in self._held:
                self._acquire(f"lock/{self._lock_name}", f"run {self.run_id}")
                self._held.add(self._lock_name)
            keeper.start()
            yield self
        finally:
            self._closing.set()
            if keeper.is_alive():
                keeper.join()
            for lease in reversed(self._leases):
                self._journal.release_lease(lease)
            os.close(self.descriptor)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold one more lock; raises Busy when another run has it. The run's own lock is held already.

        Steps of this run that run at the same time take turns.
        """
        if not name:
            yield
            return
        self.flush()  # a turn, and the journal, may be waited for
        with self._turns.setdefault(name, threading.Lock()):
            if name in self._held:
                yield
                return
            lease = self._acquire(f"lock/{name}", f"run {self.run_id}")
            self._held.add(name)
            try:
                yield
            finally:
                self._held.discard(name)
                self._leases.remove(lease)
                self._journal.release_lease(lease)

    @property
    def locks(self) -> frozenset[str]:
        """The names that this run, or one that it is a step of, holds now."""
        return frozenset(self._held)

    def forget(self) -> None:
        """Remove the lock file of a run that can never be resumed."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _acquire(self, name: str, holder: str) -> Lease:
        lease = self._journal.acquire_lease(name, holder, LEASE_SECONDS)
        self._leases.append(lease)
        return lease

    def asked(self) -> str:
        """What people want of the run: `pause`, `cancel`, or nothing."""
        rows = self._journal.query("SELECT asked FROM runs WHERE id = ?", (self.run_id,))
        return str(rows[0]["asked"]) if rows else ""

    def _keep(self) -> None:
        looks = 0
        while not self._closing.wait(LOOK_SECONDS):
            looks += 1
            try:
                self.flush()
                if self.cancellation is not None and self.asked() == "cancel":
                    self.cancellation.cancel()
                if looks % int(RENEW_SECONDS / LOOK_SECONDS):
                    continue
                for lease in tuple(self._leases):
                    self._journal.renew_lease(lease, LEASE_SECONDS)
            except MaestroError:
                return  # lost, or the journal cannot be written: the next write says so
            except OSError:
                continue  # who hears of the events is gone: the run meets that at its next event

    def append(self, kind: str, data: Mapping[str, Any], *, place: str = "") -> Event:
        """Write one event durably; raises Busy when the run was lost to another process."""
        return self.write(lambda transaction: self.put(transaction, kind, data), f"{kind}{place}")

    def defer(self, kind: str, data: Mapping[str, Any], *, place: str) -> None:
        """Write one event with the next one, and within half a second; only for what may be done again.

        Its data says when it happened (`at`)."""
        data = {**data, "at": to_rfc3339(self._journal.clock.now())}
        with self._writing:
            self._deferred.append(_Deferred(kind, data, f"{kind}{place}"))

    def flush(self) -> None:
        """Make durable what was deferred."""
        with self._writing:
            if self._deferred:
                self.write(lambda transaction: None, "")

    def put(self, transaction: Transaction, kind: str, data: Mapping[str, Any]) -> Event:
        """Add one event of this run inside `write`."""
        event = transaction.append(kind, f"run/{self.run_id}", self._actor, data)
        self._fresh.append(event)
        return event

    def write(self, act: Callable[[Transaction], T], place: str) -> T:
        """One transaction under the leases, what was deferred first; with a place to crash before and after
        each event."""
        with self._writing:
            deferred = tuple(self._deferred)
            places = [*(one.place for one in deferred), *([place] if place else [])]
            for name in places:
                crash_point(f"run.before:{name}")
            self._fresh = []
            with self._journal.transaction() as transaction:
                for lease in tuple(self._leases):
                    transaction.require_lease(lease)
                for one in deferred:
                    self.put(transaction, one.kind, one.data)
                result = act(transaction)
            for name in places:
                crash_point(f"run.after:{name}")
            self._deferred.clear()
            if self._told is not None:
                for event in self._fresh:
                    self._told(event)
        return result


def _lock_file(path: Path, run_id: str) -> int:
    make_private(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise Busy(
            f"run {run_id} is held by another process",
            why=f"maestro {holder} works on it, or was killed and a step it started still runs",
            fix=f"wait for it, or look at: fuser {path}",
        ) from error
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError as error:
        os.close(descriptor)
        raise ActionFailed(
            f"the lock of run {run_id} cannot be written",
            why=f"{path}: {error.strerror}",
            fix="free disk space or check permissions",
        ) from error
    return descriptor
