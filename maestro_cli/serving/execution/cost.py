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
        self._runs: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED_RUNS)
        self._intercept = 0.0
        self._slope = row_seconds
        self._steepest = _STEEPEST * row_seconds or inf

    def note(self, rows: int, seconds: float) -> None:
        """Learn from one run."""
        self._runs.append((rows, seconds))
        count = len(self._runs)
        mean_rows = sum(n for n, _ in self._runs) / count
        mean_seconds = sum(s for _, s in self._runs) / count
        spread = sum((n - mean_rows) ** 2 for n, _ in self._runs)
        if spread > 0:
            together = sum((n - mean_rows) * (s - mean_seconds) for n, s in self._runs)
            slope = max(0.0, together / spread)
        else:
            slope = mean_seconds / mean_rows
        self._slope = min(slope, self._steepest)
        self._intercept = max(0.0, mean_seconds - self._slope * mean_rows)

    def seconds(self, rows: int) -> float:
        """The expected duration of a run of so many rows."""
        return self._intercept + self._slope * rows
