"""What this room needs from outside. Invariant: every method is synchronous and thread-safe."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from maestro_cli.core.facts.metrics import Instant, Series


class Metrics(Protocol):
    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """An instant query. Raises MaestroError."""

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """A range query. Raises MaestroError."""
