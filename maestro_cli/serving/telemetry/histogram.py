"""Histograms that cost a request little: counts in lists, made into series when the page is asked for.

Invariant: what is collected is what prometheus-client's own histogram would tell of the same observations.
Use one from one thread: it has no lock.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]
Bucket = tuple[str, float] | tuple[str, float, Exemplar]


class Distribution:
    """What was observed under one set of labels."""

    __slots__ = ("_bounds", "counts", "exemplars", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.exemplars: dict[int, Exemplar] = {}
        self.total = 0.0

    def observe(self, value: float, exemplar: Mapping[str, str] | None = None) -> None:
        """Count it in the first bucket whose bound it does not exceed; `exemplar` then is that bucket's."""
        place = bisect_left(self._bounds, value)
        self.counts[place] += 1
        self.total += value
        if exemplar is not None:
            self.exemplars[place] = Exemplar(dict(exemplar), value, time.time())


class Histogram(Collector):
    """Distributions by their labels."""

    def __init__(self, name: str, text: str, labels: Labels, bounds: Sequence[float]) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._bounds = tuple(bounds)
        self._words = [_word(bound) for bound in (*bounds, float("inf"))]
        self._children: dict[Labels, Distribution] = {}

    def of(self, *values: str) -> Distribution:
        """The distribution under these label values, made when it is first asked for."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = Distribution(self._bounds)
        return child

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, child in self._children.items():
            family.add_metric(values, self._buckets(child), child.total)
        yield family

    def _buckets(self, child: Distribution) -> list[Bucket]:
        """Counts up to each bound, with the bucket's exemplar where it has one."""
        told: list[Bucket] = []
        for place, (word, count) in enumerate(zip(self._words, accumulate(child.counts), strict=True)):
            exemplar = child.exemplars.get(place)
            told.append((word, count) if exemplar is None else (word, count, exemplar))
        return told


def _word(bound: float) -> str:
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]
