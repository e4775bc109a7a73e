"""Time in the theatre: it passes only where somebody waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from maestro_cli.core.cancellation import Cancellation


class FakeClock:
    """A fake: time passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class FakeCancellation(Cancellation):
    """A fake whose waits take the fake clock's time."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, seconds: float) -> bool:
        self.clock.sleep(seconds)
        return self.is_set

    @contextmanager
    def child(self) -> Iterator[Cancellation]:
        with self._having(FakeCancellation(self.clock)) as child:
            yield child
