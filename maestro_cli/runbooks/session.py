"""One process's hold on one run.

Invariant: at most one process works on a run. On one machine a file lock says so; it ends with the
process at once, and child processes inherit it, so that a run whose step outlived a killed maestro
cannot be resumed before that step has ended. Between machines a journal lease says so. Every event is
written under the lease: a process that lost it writes nothing more, and its work is cancelled. What was
deferred is written before anything else is. Several threads may work on the run; who hears of events, however
slow, holds up neither the leases nor what is written.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import threading
from collections import deque
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
        self._held = set(shared)  # for the whole run, whatever its steps hold
        self._told = told
        self._fresh: list[Event] = []  # of the transaction that is open
        self._untold: deque[Event] = deque()  # durable, in their order
        self._deferred: list[_Deferred] = []
        self._writing = threading.Lock()
        self._telling = threading.Lock()  # never taken under _writing
        self._turns: dict[str, threading.Lock] = {}
        self._step = threading.local()  # `held`: the lock of the step that this thread is at
        self._leases: list[Lease] = []
        self._closing, self._ended = threading.Event(), threading.Event()
        self._path = journal.path.parent / "runs" / f"{run_id}.lock"
        self.descriptor = -1
        self.cancellation: Cancellation | None = None  # of the work on the run, while there is some

    @contextmanager
    def held(self) -> Iterator[Session]:
        """Take the run; raises Busy when somebody else has it, or its lock."""
        self.descriptor = _lock_file(self._path, self.run_id)
        keeper = threading.Thread(target=self._keep, name="run-lease", daemon=True)
        teller = threading.Thread(target=self._tell_on, name="run-events", daemon=True)
        try:
            self._acquire(lease_name(self.run_id), platform.node() or "this machine")
            if self._lock_name and self._lock_name not in self._held:
                self._acquire(f"lock/{self._lock_name}", f"run {self.run_id}")
                self._held.add(self._lock_name)
            keeper.start()
            teller.start()
            yield self
        finally:
            self._closing.set()
            if teller.is_alive():
                teller.join()  # the leases are kept as long as this takes
            self._ended.set()
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
            self._step.held = name
            try:
                yield
            finally:
                self._step.held = ""
                self._leases.remove(lease)
                self._journal.release_lease(lease)

    @property
    def locks(self) -> frozenset[str]:
        """The names held for what the step of this thread does; those of the steps beside it are theirs."""
        own = getattr(self._step, "held", "")
        return frozenset({*self._held, own} if own else self._held)

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
        """Renew the leases and look whether the run shall end; a lease that was lost ends it."""
        looks = 0
        while not self._ended.wait(LOOK_SECONDS):
            looks += 1
            with contextlib.suppress(MaestroError):  # the journal is busy: the next look may find it free
                if self.cancellation is not None and (self.asked() == "cancel" or self._is_lost()):
                    self.cancellation.cancel()
                if looks >= RENEW_SECONDS / LOOK_SECONDS:
                    for lease in tuple(self._leases):
                        self._renew(lease)
                    looks = 0

    def _renew(self, lease: Lease) -> None:
        try:
            self._journal.renew_lease(lease, LEASE_SECONDS)
        except Busy:
            if lease in self._leases and not self._is_lost():
                raise

    def _is_lost(self) -> bool:
        """Whether a lease of the run has expired, or another process took it."""
        for lease in tuple(self._leases):
            now = self._journal.lease(lease.name)
            is_ours = now is not None and (now.holder, now.fence) == (lease.holder, lease.fence)
            if not is_ours and lease in self._leases:  # not one that its step has just given back
                return True
        return False

    def _tell_on(self) -> None:
        """Write what was deferred, and tell of it, within half a second."""
        while not self._closing.wait(LOOK_SECONDS):
            # When it cannot be written, or who hears of it is gone, the run meets that at its next event.
            with contextlib.suppress(MaestroError, OSError):
                self.flush()

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
            self._untold.extend(self._fresh)
        self._tell()
        return result

    def _tell(self) -> None:
        """Tell of what is durable, one event at a time, in their order."""
        with self._telling:
            while self._untold:
                event = self._untold.popleft()
                if self._told is not None:
                    self._told(event)


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
