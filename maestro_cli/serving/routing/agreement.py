"""How far a shadow's answers are from the ones that were given.

Invariant: fewer questions than FEWEST_QUESTIONS are INDETERMINATE; a shadow that failed where the user got an
answer disagrees; the verdict may be asked for at any time, as often as one likes: the chance that it is ever
wrong stays within ALPHA.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from maestro_cli.core import sequential
from maestro_cli.core.verdict import Verdict
from maestro_cli.serving.protocol.tensors import Array

ALPHA = 0.01  # the chance that a verdict is ever wrong, over all the times it is asked for
FEWEST_QUESTIONS = 30  # of fewer nobody should decide
_BINS = 10
_REFERENCE_ROWS = 500
_SMALLEST_SHARE = 1e-4  # of a bin that nothing fell into, as is usual for the population stability index


def rows_that_agree(given: Mapping[str, Array], shadow: Mapping[str, Array], tolerance: float) -> list[bool]:
    """For each row whether all outputs agree: numbers within tolerance × max(1, |given|), others exactly.

    An output that has not one value a row agrees, or not, for all of them.
    """
    found: list[Array] = []
    for name, wanted in given.items():
        got = shadow.get(name)
        rows = wanted.shape[0] if wanted.ndim else 1
        if got is None or got.shape != wanted.shape:
            same = np.zeros(rows, dtype=np.bool_)
        elif wanted.dtype.kind == "f" and got.dtype.kind == "f":
            near = np.abs(got - wanted) <= tolerance * np.maximum(1.0, np.abs(wanted))
            same = near.reshape(rows, -1).all(axis=1)
        else:
            same = (got == wanted).reshape(rows, -1).all(axis=1)
        found.append(same)
    count = max(map(len, found), default=0)
    agree = np.ones(count, dtype=np.bool_)
    for same in found:
        agree &= same if len(same) == count else same.all()
    return [bool(one) for one in agree]


@dataclass(slots=True)
class Drift:
    """Population stability index of one number: 0 alike, over 0.2 another distribution, by convention."""

    edges: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)
    given: list[int] = field(default_factory=lambda: [0] * _BINS)
    shadow: list[int] = field(default_factory=lambda: [0] * _BINS)

    def note(self, given: Array, shadow: Array) -> None:
        """Count a batch; the bins are the deciles of the first answers."""
        if not self.edges:
            self.reference += [float(value) for value in given.ravel()]
            if len(self.reference) < _REFERENCE_ROWS:
                return
            self.edges = [
                float(edge) for edge in np.quantile(self.reference, np.linspace(0, 1, _BINS + 1)[1:-1])
            ]
        for counts, values in ((self.given, given), (self.shadow, shadow)):
            places = np.searchsorted(self.edges, values.ravel(), side="right")
            for place, count in zip(*np.unique(places, return_counts=True), strict=True):
                counts[place] += int(count)

    @property
    def index(self) -> float | None:
        """None until enough was seen."""
        if min(sum(self.given), sum(self.shadow)) < _REFERENCE_ROWS:
            return None
        p = [max(count / sum(self.given), _SMALLEST_SHARE) for count in self.given]
        q = [max(count / sum(self.shadow), _SMALLEST_SHARE) for count in self.shadow]
        return sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


@dataclass(slots=True)
class Agreement:
    """Counts of one shadow: rows, and questions that never came to a comparison.

    Invariant: a question counts once, with the share of its rows that disagree, however many rows it has:
    rows of one request agree or disagree together more than rows of different ones.
    """

    most_disagreement: float
    tolerance: float
    rows: int = 0
    disagreed: int = 0
    questions: int = 0
    shares: float = 0.0  # the sum, over the questions, of the share of rows that disagree
    failed: int = 0
    dropped: int = 0
    given_seconds: float = 0.0
    shadow_seconds: float = 0.0
    drift: Drift = field(default_factory=Drift)

    def compare(self, given: Mapping[str, Array], shadow: Mapping[str, Array]) -> int:
        """Count one question that both answered; how many rows disagree."""
        agree = rows_that_agree(given, shadow, self.tolerance)
        self._count(len(agree), agree.count(False))
        score = next((name for name, array in given.items() if array.dtype.kind == "f"), None)
        if score is not None and score in shadow and shadow[score].shape == given[score].shape:
            self.drift.note(given[score], shadow[score])
        return agree.count(False)

    def fail(self, rows: int) -> None:
        """Count a question that the shadow could not answer."""
        self.failed += 1
        self._count(rows, rows)

    def _count(self, rows: int, disagreed: int) -> None:
        if not rows:
            return  # nothing to compare
        self.questions += 1
        self.rows += rows
        self.disagreed += disagreed
        self.shares += disagreed / rows

    @property
    def bounds(self) -> tuple[float, float]:
        """Of the mean share of a question's rows that disagree; with 1 - ALPHA they hold at every look."""
        return sequential.bounds(min(self.shares, self.questions), self.questions, ALPHA)

    @property
    def coverage(self) -> float:
        """The share of the questions offered that were asked."""
        offered = self.questions + self.dropped
        return self.questions / offered if offered else 0.0

    @property
    def verdict(self) -> Verdict:
        low, high = self.bounds
        if self.questions < FEWEST_QUESTIONS:
            return Verdict.INDETERMINATE
        if high <= self.most_disagreement:
            return Verdict.PASS
        return Verdict.FAIL if low > self.most_disagreement else Verdict.INDETERMINATE

    def told(self) -> dict[str, object]:
        """As plain data, with the bounds the verdict was made of."""
        low, high = self.bounds
        ratio = (
            self.shadow_seconds / self.given_seconds if self.given_seconds and self.shadow_seconds else None
        )
        return {
            "verdict": self.verdict.value,
            "coverage": self.coverage,
            "rows": self.rows,
            "disagreement": {
                "share": self.shares / self.questions if self.questions else None,
                "low": low,
                "high": high,
                "most": self.most_disagreement,
            },
            "questions": {"asked": self.questions, "failed": self.failed, "dropped": self.dropped},
            "drift": self.drift.index,
            "latency_ratio": ratio,
        }
