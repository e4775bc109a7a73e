"""One direction between the balancer and a pod.

Invariant: what is carried arrives once and in order, its end last; without a shape it arrives at once. What a
shape held back arrives as soon as it is over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf

from maestro_cli.local.balancer.shapes import Shapes

_MOST_BYTES = 262_144  # held; whoever sends more is not read from meanwhile


class Wire:
    """Carries to one address, or from it; `pause` and `resume` are told when it holds too much."""

    def __init__(
        self,
        shapes: Shapes,
        address: str,
        *,
        to_pod: bool,
        pause: Callable[[], None] = lambda: None,
        resume: Callable[[], None] = lambda: None,
    ) -> None:
        self._shapes, self._address, self._to_pod = shapes, address, to_pod
        self._pause, self._resume = pause, resume
        self._held: deque[tuple[float, int, Callable[[], None]]] = deque()
        self._bytes = 0
        self._is_paused = False
        self._is_dropped = False
        self._timer: asyncio.TimerHandle | None = None

    def carry(self, size: int, arrive: Callable[[], None]) -> None:
        """Have `arrive` called when that many bytes are through."""
        shape = self._shapes.of(self._address)
        if self._is_dropped or (shape is None and not self._held):
            arrive()
            return
        now, due = asyncio.get_running_loop().time(), 0.0
        if shape is not None and shape.partition:
            due = inf
        elif shape is not None:
            through = self._shapes.carried_at(self._address, shape, size, now, to_pod=self._to_pod)
            due = through + shape.lateness(self._shapes.random, to_pod=self._to_pod)
        if not self._held:
            self._shapes.waits(self._address, self)
        self._held.append((due, size, arrive))
        self._bytes += size
        if self._bytes > _MOST_BYTES and not self._is_paused:
            self._is_paused = True
            self._pause()
        self._wait()

    def reconsider(self) -> None:
        """The shape is another, or gone: what a partition held need not be held, or is held now."""
        shape = self._shapes.of(self._address)
        if shape is None or not shape.partition:
            self._held = deque(
                (0.0 if shape is None or due == inf else due, size, arrive)
                for due, size, arrive in self._held
            )
        self._wait()

    def drop(self) -> None:
        """Nobody is there any more for what is held, nor for what comes: that it ended is told at once."""
        self._is_dropped = True
        self._held.clear()
        self._emptied()

    def _wait(self) -> None:
        """Until the first that is held is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        shape = self._shapes.of(self._address)
        if not self._held or (shape is not None and shape.partition):
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(self._held[0][0], loop.time()), self._hand_over)

    def _hand_over(self) -> None:
        self._timer = None
        shape, now = self._shapes.of(self._address), asyncio.get_running_loop().time()
        if shape is not None and shape.partition:
            return
        while self._held and (shape is None or self._held[0][0] <= now):
            _, size, arrive = self._held.popleft()
            self._bytes -= size
            arrive()
        if self._is_paused and self._bytes <= _MOST_BYTES // 2:
            self._is_paused = False
            self._resume()
        if self._held:
            self._wait()
        else:
            self._emptied()

    def _emptied(self) -> None:
        self._bytes = 0
        self._shapes.waits_no_more(self._address, self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
