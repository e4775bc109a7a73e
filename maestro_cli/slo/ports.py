"""What measuring needs from outside. Invariant: an answer is complete or an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Numbers: TypeAlias = "Sequence[float] | NDArray[np.float64]"


@dataclass(frozen=True, slots=True)
class RawSeries:
    """The samples of one series in the order of time: seconds since 1970, and values."""

    labels: dict[str, str]
    times: Numbers
    values: Numbers


class TooMuch(Exception):
    """The answer would be larger than can be taken at once: ask for a shorter time."""


class RawMetrics(Protocol):
    """A Prometheus asked for what it holds, at any time in the past."""

    @property
    def url(self) -> str:
        """Which one it is; without credentials."""

    @property
    def days_at_once(self) -> int:
        """How many days of samples are best asked for together, if they are not too much."""

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterable[RawSeries]:
        """Every sample with start <= time < end, as scraped.

        Raises TooMuch, Unreachable, Refused, UsageError.
        """

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        """A query evaluated at start + step, start + 2 steps … end; raises what `samples` raises."""

    def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> Sequence[str]:
        """The values a label had in that time among the series that the selector takes."""

    def retention_seconds(self) -> float | None:
        """How long it keeps samples; None where it does not tell."""
