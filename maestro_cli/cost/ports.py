"""What this room needs from outside. Invariant: every method is synchronous and thread-safe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from maestro_cli.core.facts.metrics import Instant, Series
from maestro_cli.slo.ports import RawSeries


class InstantMetrics(Protocol):
    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """An instant query. Raises MaestroError."""


class Metrics(InstantMetrics, Protocol):
    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """A range query. Raises MaestroError."""


class MeterMetrics(Protocol):
    """A Prometheus that is asked for a whole cluster at once."""

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        """A query evaluated at start + step, start + 2 steps … end.

        Raises TooMuch where less has to be asked for at once, and MaestroError.
        """

    def series(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        """The labels of every series that had samples about that time. Raises MaestroError."""

    def retention_seconds(self) -> float | None:
        """How long it keeps samples; None where it does not tell."""
