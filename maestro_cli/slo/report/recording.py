"""What was asked for a report, kept, so that it can be asked again of what was kept.

Invariant: offline every answer is one that was recorded; what was not is an error, never empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.measuring.keeping import Kept, Key, Store
from maestro_cli.slo.ports import RawMetrics, RawSeries
from maestro_cli.slo.report.model import Inputs, LabelValues

T = TypeVar("T")


class RecordingStore:
    """A store that also remembers every piece that went through it, by the name of its key.

    Several threads may measure by it: of one key all of them are given the same piece, which is the one that
    is remembered.
    """

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self._one_at_a_time = Lock()
        self.pieces: dict[str, tuple[Key, Kept]] = {}

    def load(self, keys: Sequence[Key]) -> list[Kept | None]:
        others = [key for key in keys if key.name not in self.pieces]
        for key, kept in zip(others, self._inner.load(others), strict=True):
            if kept is not None:
                self._first(key, kept)
        return [known[1] if (known := self.pieces.get(key.name)) else None for key in keys]

    def save(self, pieces: Sequence[tuple[Key, Kept]]) -> list[Kept]:
        first = [(key, self._first(key, kept)) for key, kept in pieces]
        return self._inner.save(first)

    def _first(self, key: Key, kept: Kept) -> Kept:
        with self._one_at_a_time:
            return self.pieces.setdefault(key.name, (key, kept))[1]


class RecordingMetrics:
    """A Prometheus of which is remembered what it said of labels."""

    def __init__(self, inner: RawMetrics) -> None:
        self._inner = inner
        self.label_answers: list[LabelValues] = []

    @property
    def url(self) -> str:
        return self._inner.url

    @property
    def days_at_once(self) -> int:
        return self._inner.days_at_once

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterable[RawSeries]:
        return self._inner.samples(selector, start, end)

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        return self._inner.steps(promql, start, end, step_seconds)

    def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> Sequence[str]:
        values = tuple(self._inner.label_values(label, selector, start, end))
        self.label_answers.append(LabelValues(label, selector, start, end, values))
        return values

    def retention_seconds(self) -> float | None:
        return self._inner.retention_seconds()


class RecordedStore(Generic[T]):
    """The pieces of a bundle, each unpacked when it is asked for: all of them may not fit into memory.

    `asked` are the names of those that somebody asked for.
    """

    def __init__(self, pieces: Mapping[str, T], unpack: Callable[[T], Kept]) -> None:
        self._pieces, self._unpack = pieces, unpack
        self.asked: set[str] = set()

    def load(self, keys: Sequence[Key]) -> list[Kept | None]:
        """Raises what unpacking raises for a piece that is not packed as it should be."""
        names = [key.name for key in keys]
        self.asked.update(name for name in names if name in self._pieces)
        return [self._unpack(self._pieces[name]) if name in self._pieces else None for name in names]

    def save(self, pieces: Sequence[tuple[Key, Kept]]) -> list[Kept]:
        """Nothing is measured offline that could be kept."""
        return [kept for _, kept in pieces]


class RecordedMetrics:
    """The Prometheus of a bundle: it says what it said then. Raises InvalidFile for what it was not asked."""

    days_at_once = 1

    def __init__(self, inputs: Inputs, file: str) -> None:
        self.url = inputs.url
        self._retention_seconds = inputs.retention_seconds
        self._labels = {
            (one.label, one.selector, one.start, one.end): one.values for one in inputs.label_values
        }
        self._file = file

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterable[RawSeries]:
        raise self._missing(selector, start, end)

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterable[RawSeries]:
        raise self._missing(promql, start, end)

    def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> Sequence[str]:
        found = self._labels.get((label, selector, start, end))
        if found is None:
            raise self._missing(f"the values of {label} of {selector}", start, end)
        return found

    def retention_seconds(self) -> float | None:
        return self._retention_seconds

    def _missing(self, what: str, start: datetime, end: datetime) -> InvalidFile:
        return InvalidFile(
            f"holds no answer to {what[:200]}",
            file=self._file,
            why=f"from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC nothing was recorded",
            fix="ask for the bundle again: what is not in it cannot be recomputed",
        )
