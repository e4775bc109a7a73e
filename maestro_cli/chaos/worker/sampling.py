"""Looks at the steady state while the method runs, in a thread of its own.

chaoslib has such a loop too; it ends with the first exception, and a stop waits for its whole pause.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from chaoslib import hypothesis


class Sampler:
    """Gives each look to `sampled`, until it is stopped; nothing of a look that was under way comes after."""

    def __init__(
        self,
        experiment: Any,
        configuration: Any,
        secrets: Any,
        every_seconds: float,
        sampled: Callable[[dict[str, Any]], None],
    ) -> None:
        # chaoslib writes into what it judges by
        self._asked = copy.deepcopy(experiment), configuration, secrets
        self._every, self._sampled = every_seconds, sampled
        self._over = threading.Event()
        self._giving = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._look, daemon=True, name="steady-state").start()

    def stop(self) -> None:
        self._over.set()

    def _look(self) -> None:
        experiment, configuration, secrets = self._asked
        while not self._over.is_set():
            try:
                state = hypothesis.run_steady_state_hypothesis(
                    experiment, configuration, secrets, dry=None, event_registry=None
                )
            except Exception as error:  # noqa: BLE001 - a look that failed is a look without data
                probe = {
                    "activity": {"name": "the steady state"},
                    "status": "failed",
                    "exception": [str(error)],
                }
                state = {"steady_state_met": False, "probes": [probe]}
            with self._giving:
                if not self._over.is_set():
                    self._sampled(state)
            self._over.wait(self._every)
