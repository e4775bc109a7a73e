"""The services of each context that the console looks at or acts in.

Invariant: a context has one of each kind, whichever threads ask; those of a context that was left a while ago
are closed, with their clients and their watches, and built anew when it is looked at again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from maestro_cli.core.clock import Clock
from maestro_cli.services.root import Services

LEFT_SECONDS = 60.0  # going back and forth builds nothing anew

Kind = tuple[str, bool]  # a context, and whether its services are read-only whatever else is set


class Contexts:
    """`build` makes the services of a context; `is_reading` are those that no change gets past."""

    def __init__(self, build: Callable[[str, bool], Services], clock: Clock) -> None:
        self._build, self._clock = build, clock
        self._lock = threading.Lock()
        self._known: dict[Kind, Services] = {}
        self._used_at: dict[str, float] = {}

    def services(self, context: str, *, is_reading: bool) -> Services:
        kind = context, is_reading
        with self._lock:
            self._used_at[context] = self._clock.monotonic()
            if kind not in self._known:
                self._known[kind] = self._build(context, is_reading)
            return self._known[kind]

    def left(self, in_use: frozenset[str]) -> tuple[Services, ...]:
        """Those of contexts that nobody has used for a while: forgotten, and for the caller to close."""
        now = self._clock.monotonic()
        with self._lock:
            self._used_at.update(dict.fromkeys(in_use & self._used_at.keys(), now))
            over = {name for name, at in self._used_at.items() if now - at >= LEFT_SECONDS}
            for name in over:
                del self._used_at[name]
            return tuple(self._known.pop(kind) for kind in list(self._known) if kind[0] in over)

    def close(self) -> None:
        with self._lock:
            closing = tuple(self._known.values())
            self._known.clear()
        for services in closing:
            services.close()
