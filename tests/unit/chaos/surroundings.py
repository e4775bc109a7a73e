"""What is around the workload of the theatre: machines, callers, alarms. All are fakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from maestro_cli.core.errors import MaestroError
from maestro_cli.core.refs import WorkloadRef


class FakeNodes:
    """Fake machines: two run the workload, and one of them can be stopped and closed."""

    def __init__(self) -> None:
        self.hosts: tuple[str, ...] = ("node-b", "node-c")
        self.stopped: set[str] = set()
        self.shut: set[str] = set()
        self.failures: list[MaestroError] = []

    def hosting(self, ref: WorkloadRef) -> tuple[str, ...]:
        return self.hosts

    def stop(self, node: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.stopped.add(node)
        self.shut.add(node)

    def resume(self) -> tuple[str, ...]:
        found, self.stopped = tuple(self.stopped), set()
        return found

    def closed(self) -> tuple[str, ...]:
        return tuple(sorted(self.shut))

    def reopen(self, node: str, drill: str) -> bool:
        was_closed = node in self.shut
        self.shut.discard(node)
        return was_closed


class FakeLoad:
    """Fake callers, who send what they are told to."""

    def __init__(self) -> None:
        self.factor = 1.0

    def surge(self, ref: WorkloadRef, factor: float, seconds: float) -> None:
        self.factor = factor

    def calm(self, ref: WorkloadRef) -> bool:
        was, self.factor = self.factor, 1.0
        return was != 1.0


class FakeAlarms:
    """A fake Alertmanager, and what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[int, float]] = []

    def say(self, alerts: Sequence[Mapping[str, str]], *, since: datetime, for_seconds: float) -> None:
        self.said.append((len(alerts), for_seconds))
