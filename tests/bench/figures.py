"""What a measurement is. Invariant: a figure keeps every sample, and its median is what is judged."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Action = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing; `limit` is its budget in `unit` (None: reported only), met from below.

    The value judged is the median of the samples; an exact count has one sample.
    """

    name: str
    unit: str
    samples: tuple[float, ...]
    limit: float | None = None
    at_most: bool = False  # the budget is `≤`, else `<`
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return statistics.median(self.samples)

    @property
    def met(self) -> bool:
        """True also for a figure that has no budget."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.at_most else self.value < self.limit

    def budget(self) -> str:
        if self.limit is None:
            return "-"
        return f"{'≤' if self.at_most else '<'} {spell(self.limit, self.unit)}"

    def line(self) -> str:
        """A row for people: value, minimum and maximum, budget, verdict."""
        word = "" if self.limit is None else "  met" if self.met else "  MISSED"
        spread = f"{spell(min(self.samples), self.unit)} … {spell(max(self.samples), self.unit)}"
        own = f"{spell(self.value, self.unit):>12}  ({spread}, n={len(self.samples)})"
        return f"  {self.name:<58}{own:<48}{self.budget():>12}{word}"

    def data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.value,
            "min": min(self.samples),
            "max": max(self.samples),
            "samples": list(self.samples),
            "limit": self.limit,
            "at_most": self.at_most,
            "met": self.met,
            "notes": dict(self.notes),
        }


def spell(value: float, unit: str) -> str:
    """A number with its unit, with as many digits as mean something."""
    digits = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{digits} {unit}"


def seconds_of(action: Action) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def interleaved(actions: Mapping[str, Action], rounds: int, warm: int = 2) -> dict[str, list[float]]:
    """Wall seconds of each action, one of each a round, so that a busy moment hits them all alike.

    `warm` rounds come first and are not kept: they fill the page cache and write the bytecode.
    """
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(warm + rounds):
        for name, action in actions.items():
            seconds = seconds_of(action)
            if number >= warm:
                taken[name].append(seconds)
    return taken


def scaled(samples: Sequence[float], factor: float) -> tuple[float, ...]:
    return tuple(sample * factor for sample in samples)


def ratio(name: str, samples: Sequence[float], peer: Sequence[float], limit: float, peer_name: str) -> Figure:
    """How many times the peer's median each sample took; the budget is `≤ limit`."""
    base = statistics.median(peer)
    notes = {
        "peer": peer_name,
        "peer_ms": summary(peer),
        "own_ms": summary(samples),
        "ratio_of_minima": min(samples) / min(peer),
    }
    return Figure(name, "×", scaled(samples, 1 / base), limit, True, notes)


def summary(samples: Sequence[float]) -> dict[str, float]:
    """Minimum, median and maximum in milliseconds."""
    middle = statistics.median(samples)
    return {
        "min": round(min(samples) * 1e3, 3),
        "median": round(middle * 1e3, 3),
        "max": round(max(samples) * 1e3, 3),
    }
