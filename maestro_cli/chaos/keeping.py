"""The lease of a run or a drill: who has it is at work, and a run whose lease ran out reads `interrupted`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from maestro_cli.changes.holder import acquire
from maestro_cli.chaos.history import LEASE
from maestro_cli.core.errors import MaestroError
from maestro_cli.journal.store import Journal

LEASE_SECONDS = 30.0


class Keeper:
    """Keeps the lease that says that this process is at work, in a thread, until it is released or lost."""

    def __init__(
        self, journal: Journal, subject: str, name: str = LEASE, lost: Callable[[], None] = lambda: None
    ) -> None:
        """`subject` is the work under the lease of that name, and `lost` is called in a thread where somebody
        took it over. Raises Busy where somebody else has it.
        """
        self._lost = lost
        self._journal = journal
        self._lease = acquire(journal, name, subject, LEASE_SECONDS)
        self._over = threading.Event()
        self.is_lost = False
        self._thread = threading.Thread(target=self._keep, daemon=True, name="lease")
        self._thread.start()

    def release(self) -> None:
        self._over.set()
        self._thread.join()  # or it might take what was just given back
        with suppress(MaestroError):
            self._journal.release_lease(self._lease)

    def _keep(self) -> None:
        while not self._over.wait(LEASE_SECONDS / 3):
            with suppress(MaestroError):  # a journal that is busy is asked again
                lease = self._lease
                self._lease = self._journal.acquire_lease(lease.name, lease.holder, LEASE_SECONDS)
                continue
            with suppress(MaestroError):
                held = self._journal.lease(self._lease.name)
                if held is not None and held.holder != self._lease.holder:
                    self.is_lost = True
                    self._lost()
                    return
