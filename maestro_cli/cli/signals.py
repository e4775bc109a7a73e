"""What Ctrl-C and SIGTERM do.

Invariant: a command that took the cancellation ends itself in order, and at once when a third signal
comes (one Ctrl-C may arrive twice, by the terminal and by a wrapper), unless it is taking something back
that must not stay; any other ends at once. A terminal that goes away counts as SIGTERM, unless it was asked
not to (`nohup`).
"""

from __future__ import annotations

import signal
from types import FrameType

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted


class Signals:
    """Installs the handlers; `cooperative()` hands out the cancellation and makes them gentle."""

    def __init__(self) -> None:
        self._cancellation: Cancellation | None = None
        self._seen = 0
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._handle)

    def cooperative(self) -> Cancellation:
        if self._cancellation is None:
            self._cancellation = Cancellation()
        return self._cancellation

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        terminated = number != signal.SIGINT
        self._seen += 1
        if self._cancellation is None or (self._seen > 2 and not self._cancellation.is_patient):
            raise Interrupted(terminated=terminated)
        self._cancellation.cancel(terminated=terminated)
