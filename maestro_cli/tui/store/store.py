"""The one store. Invariant: thread-safe; whoever listens is woken once for any number of events, and finds
the newest snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from maestro_cli.tui.store.events import Event
from maestro_cli.tui.store.model import Scope, Snapshot
from maestro_cli.tui.store.reducer import State, reduce


class Store:
    """Holds the state; `wake` is called from any thread when there is news that was not taken yet."""

    def __init__(self, scope: Scope, colours: Mapping[str, str] | None = None) -> None:
        first = Snapshot(scope, colours=MappingProxyType({**(colours or {})}))
        self._state = State(first, first.facts)
        self._lock = threading.Lock()
        self._is_awaited = True
        self._wake: Callable[[], None] = lambda: None

    def listen(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    @property
    def snapshot(self) -> Snapshot:
        return self._state.shown

    @property
    def live(self) -> State:
        return self._state

    def dispatch(self, *happened: Event) -> None:
        """Fold events in; from any thread. Nothing that happened wakes nobody."""
        if not happened:
            return
        with self._lock:
            for event in happened:
                self._state = reduce(self._state, event)
            wakes, self._is_awaited = self._is_awaited, False
        if wakes:
            self._wake()

    def take(self) -> Snapshot:
        """The newest snapshot; the next event wakes again."""
        with self._lock:
            self._is_awaited = True
            return self._state.shown
