"""What a run of a model costs, learnt from the runs.

Invariant: an estimate is never negative and never falls as rows grow. Least squares of seconds = a + b·rows
over the last runs, as BentoML's dispatcher does it (`bentoml/_internal/marshal/dispatcher.py`).
"""

from __future__ import annotations

from collections import deque
from math import inf

_REMEMBERED_RUNS = 50
# A row costs no more than a run of it alone did at its best; what takes longer is the machine's doing, and
# one such run of one row must not make 4,096 rows look like minutes.
_STEEPEST = 4


class CostModel:
    """Seconds of a run of n rows. Until runs of different sizes were seen, seconds grow with the rows.

    `row_seconds` is what one row alone took at its best, 0 when that is not known.
    """

    def __init__(self, row_seconds: float) -> None:
        self._runs: deque[tuple[int, int]] = deque()
        self._rows = self._took = self._rows_squared = self._rows_took = 0
        self._intercept = 0.0
        self._slope = row_seconds
        self._steepest = _STEEPEST * row_seconds or inf

    def note(self, rows: int, seconds: float) -> None:
        """Learn from one run."""
        run = (rows, round(seconds * 1e9))
        self._runs.append(run)
        self._add(run, 1)
        if len(self._runs) > _REMEMBERED_RUNS:
            self._add(self._runs.popleft(), -1)
        count = len(self._runs)
        spread = count * self._rows_squared - self._rows**2
        if spread > 0:
            slope = max(0.0, (count * self._rows_took - self._rows * self._took) / spread / 1e9)
        else:
            slope = self._took / self._rows / 1e9
        self._slope = min(slope, self._steepest)
        self._intercept = max(0.0, (self._took / 1e9 - self._slope * self._rows) / count)

    def _add(self, run: tuple[int, int], sign: int) -> None:
        """The sums of the remembered runs; whole nanoseconds, so that what is added is taken away exactly."""
        rows, took = run
        self._rows += sign * rows
        self._took += sign * took
        self._rows_squared += sign * rows * rows
        self._rows_took += sign * rows * took

    def seconds(self, rows: int) -> float:
        """The expected duration of a run of so many rows."""
        return self._intercept + self._slope * rows
