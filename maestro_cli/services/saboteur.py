"""The process of the league that breaks things: `python -m maestro_cli.services.saboteur`, orders on stdin.

Invariant: it says nothing but answers, ignores what stops its parent's terminal, and ends when nobody orders.
"""

from __future__ import annotations

import signal
import sys

from maestro_cli.chaos.drills.league.saboteur import Saboteur
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.rehearsing import embedded_ensemble


class _Deaf:
    """Signals are for who gives the orders."""

    def cooperative(self) -> Cancellation:
        return Cancellation()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with Services(GlobalOptions(), _Deaf()) as services:
        Saboteur(lambda: embedded_ensemble(services), services.clock).serve(sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
