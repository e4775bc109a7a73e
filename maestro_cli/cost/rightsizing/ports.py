"""What right-sizing needs from outside. Invariant: an answer is complete or an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from maestro_cli.core.facts.metrics import Instant
from maestro_cli.slo.ports import RawSeries


class History(Protocol):
    """A Prometheus, asked for what it holds and for what it makes of it."""

    @property
    def days_at_once(self) -> int:
        """How many days of samples are best asked for together, if they are not too much."""

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterable[RawSeries]:
        """Every sample with start <= time < end, as scraped. Raises TooMuch, Unreachable, Refused."""

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        """A query evaluated at start + step, start + 2 steps … end."""

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """A query at one instant."""

    def label_sets(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        """The labels of every series that the selector takes and that has samples about that time."""

    def version(self) -> str:
        """The version that it says it is, or ""."""
