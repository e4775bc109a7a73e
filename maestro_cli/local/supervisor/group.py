"""Several parts that need each other: started in order, restarted when they end, stopped deepest first.

Invariant: a part is started only when everything it needs is known; what is known of a part stays known
while it restarts, so whoever needs it is restarted only if its successor is known by something else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maestro_cli.core.clock import Clock
from maestro_cli.local.instance import PartRecord
from maestro_cli.local.ports import Ports
from maestro_cli.local.supervisor.child import Child
from maestro_cli.local.supervisor.model import Part

EARLY_EXITS_ALLOWED = 4
_LEVEL_STOP_SECONDS = 1.5
_BUSY_SECONDS = 0.04
_IDLE_SECONDS = 5.0


class Group:
    """The children of one supervisor and what they are known by. Set `wake` to end a pause."""

    def __init__(
        self,
        parts: Sequence[Part],
        state: Path,
        environment: Mapping[str, str],
        ports: Ports,
        clock: Clock,
        found_out: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """`found_out` are facts that no part stands for, each with the parts that it takes."""
        self.children = {part.name: Child(part, state, environment, ports, clock) for part in parts}
        self.facts: dict[str, Mapping[str, Any]] = {}
        self.wake = asyncio.Event()
        self._depths = depths(parts, found_out or {})
        self._clock = clock

    async def look(self) -> None:
        """Notice who ended, who became ready, and who must restart because of it."""
        for child in self.children.values():
            child.reap()
            await child.look()
            if child.facts is not None:
                self.facts[child.part.known_as] = child.facts
            if child.outdated(self.facts):
                child.ask_to_stop()

    def start_due(self) -> None:
        """Write configurations and start whatever can be started now."""
        for child in self.children.values():
            child.configure(self.facts)
            if child.is_due(self.facts):
                child.start(self.facts)

    def unready(self) -> list[str]:
        """The parts that are not ready now."""
        return [name for name, child in self.children.items() if child.facts is None]

    def hopeless(self) -> Child | None:
        """A part that ended again and again before it was ever ready."""
        tried = (child for child in self.children.values() if child.early_exits >= EARLY_EXITS_ALLOWED)
        return next(tried, None)

    def record(self, *, stopping: bool) -> tuple[PartRecord, ...]:
        """What to publish of each part."""
        return tuple(child.record(self.facts, stopping=stopping) for child in self.children.values())

    async def pause(self, *, busy: bool) -> None:
        """Until there may be something to do; `busy` looks often in any case."""
        retries = [child.seconds_until_retry() for child in self.children.values()]
        unsettled = any(child.is_running and child.facts is None for child in self.children.values())
        waiting = [seconds for seconds in retries if seconds]
        limit = _BUSY_SECONDS if unsettled or busy else _IDLE_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min([limit, *waiting])):
                await self.wake.wait()
        self.wake.clear()

    async def stop(self) -> None:
        """Stop the parts, deepest first, each level within a bounded time."""
        for depth in sorted(set(self._depths.values()), reverse=True):
            level = [child for name, child in self.children.items() if self._depths[name] == depth]
            for child in level:
                child.ask_to_stop()
            await self._wait_gone(level)

    async def _wait_gone(self, level: list[Child]) -> None:
        deadline = self._clock.monotonic() + _LEVEL_STOP_SECONDS
        while running := [child for child in level if child.is_running]:
            late = self._clock.monotonic() > deadline
            for child in running:
                if late:
                    child.kill()
                child.reap()
            await asyncio.sleep(0.02)


def depths(parts: Sequence[Part], found_out: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """How far each part is from one that needs nothing; the deepest are stopped first."""
    needs = {part.known_as: part.needs for part in parts} | dict(found_out)

    def depth(fact: str) -> int:
        return 1 + max((depth(need) for need in needs[fact]), default=-1)

    return {part.name: depth(part.known_as) for part in parts}
