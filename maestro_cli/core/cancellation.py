"""How a running use case learns that it should stop. Invariant: set once, never unset."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maestro_cli.core.errors import Interrupted


class Cancellation:
    """Set by a signal handler; long work asks it, and waits on it instead of sleeping.

    Not a threading.Event: its lock is not re-entrant, so a handler that runs while the same thread is
    inside `wait` would hang for ever. SimpleQueue.put is re-entrant by contract.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._children: list[Cancellation] = []
        self.terminated = False
        self.is_patient = False  # whoever stops in bounded time, and must not be cut short, says so
        self.times = 0

    def cancel(self, *, terminated: bool = False) -> None:
        self.terminated = self.terminated or terminated
        self._is_set = True
        self.times += 1
        self._wake.put(None)
        for child in tuple(self._children):
            child.cancel(terminated=terminated)

    @contextmanager
    def child(self) -> Iterator[Cancellation]:
        """One that is set with this one while the context is open, and can be set alone."""
        with self._having(Cancellation()) as child:
            yield child

    @contextmanager
    def calling(self, act: Callable[[], None]) -> Iterator[None]:
        """Have `act` called when this one is set while the context is open, or now when it is set already.

        It runs in the thread that sets it, perhaps in a signal handler and perhaps twice: it must be short,
        raise nothing and wait for no lock but one that is re-entrant.
        """
        with self._having(_Calling(act)):
            yield

    @contextmanager
    def _having(self, child: Cancellation) -> Iterator[Cancellation]:
        self._children.append(child)
        try:
            if self._is_set:
                child.cancel(terminated=self.terminated)
            yield child
        finally:
            self._children.remove(child)

    @property
    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait up to that long; True when cancelled."""
        if not self._is_set:
            try:
                self._wake.get(timeout=max(seconds, 0.0))
            except queue.Empty:
                return self._is_set
            self._wake.put(None)  # the others who wait are woken too
        return self._is_set

    def raise_if_set(self) -> None:
        """Raises Interrupted once cancelled."""
        if self.is_set:
            raise Interrupted(terminated=self.terminated)

    def pause(self, seconds: float) -> None:
        """Wait that long; raises Interrupted at once when cancelled."""
        self.wait(seconds)
        self.raise_if_set()


class _Calling(Cancellation):
    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def cancel(self, *, terminated: bool = False) -> None:
        super().cancel(terminated=terminated)
        self._act()
