"""Hours cut into what is asked at once, and series laid out by the hour.

Invariant: a bin is an hour, or the part of the last hour that is over; every bin is asked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from maestro_cli.core.errors import UsageError
from maestro_cli.cost.metering.model import HOUR, Hours, Matrix, hour_of
from maestro_cli.cost.metering.queries import LOOK_SECONDS
from maestro_cli.slo.ports import RawSeries

if TYPE_CHECKING:
    from collections.abc import Hashable

HOUR_SECONDS = 3600
MOST_HOURS = 24 * 400
Key = TypeVar("Key", bound="Hashable")


@dataclass(frozen=True, slots=True)
class Chunk:
    """`count` bins from `start` on, the first of them the hour `first` of the window."""

    start: datetime
    first: int
    count: int
    bin_seconds: int = HOUR_SECONDS

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.count * self.bin_seconds)

    @property
    def bin_hours(self) -> float:
        return self.bin_seconds / HOUR_SECONDS

    @property
    def looks(self) -> int:
        """How often a bin is looked at."""
        return self.bin_seconds // LOOK_SECONDS

    def halves(self) -> tuple[Chunk, Chunk] | None:
        """Two that are asked instead; None for a single bin."""
        if self.count < 2:
            return None
        half = self.count // 2
        middle = self.start + timedelta(seconds=half * self.bin_seconds)
        return (
            Chunk(self.start, self.first, half, self.bin_seconds),
            Chunk(middle, self.first + half, self.count - half, self.bin_seconds),
        )


def hours_until(end: datetime, count: int) -> Hours:
    """The last `count` hours of UTC, the one that `end` is in among them once it was looked at.

    Raises UsageError for none or too many.
    """
    if not 1 <= count <= MOST_HOURS:
        raise UsageError(
            f"a window of {count} hours", why=f"it is 1 to {MOST_HOURS} hours", fix="--window 7d"
        )
    whole = hour_of(end)
    last = whole if end - whole < timedelta(seconds=LOOK_SECONDS) else whole + HOUR
    return Hours(last - count * HOUR, count)


def chunks(hours: Hours, now: datetime, at_once: int) -> Iterator[Chunk]:
    """At most `at_once` hours each, and the part of the last hour that is over; nothing of the future."""
    over = min(hours.count, max(0, int((now - hours.start) / HOUR)))
    for first in range(0, over, at_once):
        yield Chunk(hours.beginning(first), first, min(at_once, over - first))
    if over < hours.count:
        looks = int((now - hours.beginning(over)).total_seconds()) // LOOK_SECONDS
        if looks > 0:
            yield Chunk(hours.beginning(over), over, 1, looks * LOOK_SECONDS)


def elapsed(hours: Hours, now: datetime) -> Matrix:
    """The share of each hour that is over, by whole looks; an hour that has not begun has 0."""
    import numpy as np

    found = np.zeros(hours.count)
    for chunk in chunks(hours, now, hours.count):
        found[chunk.first : chunk.first + chunk.count] = chunk.bin_hours
    return found


@dataclass(slots=True)
class Grid(Generic[Key]):
    """One row a key, one column an hour, NaN where nothing was told."""

    hours: int
    rows: dict[Key, Matrix] = field(default_factory=dict)

    def put(self, key: Key, chunk: Chunk, series: RawSeries, factor: float, *, largest: bool = False) -> None:
        """The figures of a series times a factor; of two series of one key the sum, or the largest."""
        import numpy as np

        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = np.full(self.hours, np.nan)
        times = np.asarray(series.times, dtype=np.float64)
        steps = np.rint((times - chunk.start.timestamp()) / chunk.bin_seconds).astype(np.intp) - 1
        fits = (steps >= 0) & (steps < chunk.count)
        columns = chunk.first + steps[fits]
        values = np.asarray(series.values, dtype=np.float64)[fits] * factor
        values[~np.isfinite(values)] = np.nan
        held = row[columns]
        both = np.fmax(held, values) if largest else held + np.nan_to_num(values)
        row[columns] = np.where(np.isnan(held), values, both)

    def matrix(self, keys: Iterable[Key]) -> Matrix:
        """The rows of these keys in their order."""
        import numpy as np

        nothing = np.full(self.hours, np.nan)
        rows = [self.rows.get(key, nothing) for key in keys]
        return np.vstack(rows) if rows else np.zeros((0, self.hours))
