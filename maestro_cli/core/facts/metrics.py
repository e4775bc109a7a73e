"""What Prometheus answers. Invariant: NaN stays NaN; an empty answer is an empty tuple."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """One series at one instant; label values are untrusted text."""

    labels: Mapping[str, str]
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Instant:
    """The answer to an instant query, with the query and the instant it was asked for."""

    query: str
    at: datetime
    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()

    @property
    def only(self) -> float | None:
        """The value when there is exactly one series, else None."""
        return self.samples[0].value if len(self.samples) == 1 else None


@dataclass(frozen=True, slots=True)
class HeadSeries:
    """Series that a Prometheus holds now; `by_metric` has the largest metrics, whose names are untrusted."""

    total: int
    by_metric: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Series:
    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]
