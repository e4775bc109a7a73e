"""Latency by the buckets of a classic histogram.

Invariant: what is said of a boundary that is no bucket lies between the buckets beside it; a quantile in the
last bucket is at least its lower end, never a number inside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maestro_cli.slo.measuring.selectors import Match, Selector, parse_selector
from maestro_cli.slo.objectives import Counters, Latency

_BUCKET = "_bucket"


@dataclass(frozen=True, slots=True)
class Bracket:
    """The counters of the buckets beside a boundary that is none; `high`: None above the last finite one."""

    low: Counters | None
    high: Counters | None
    low_seconds: float | None
    high_seconds: float | None

    @property
    def is_exact(self) -> bool:
        """Whether there is a bucket that ends at the threshold itself."""
        return self.low_seconds is not None and self.low_seconds == self.high_seconds

    def note(self, threshold_seconds: float) -> str:
        below = "0" if self.low_seconds is None else f"{self.low_seconds:g}"
        above = "the end" if self.high_seconds is None else f"{self.high_seconds:g} s"
        return (
            f"no bucket ends at {threshold_seconds:g} s: the share is between those at {below} s and "
            f"{above}; add a bucket at {threshold_seconds:g}"
        )


def bracket_of(kind: Latency, boundaries: Iterable[str]) -> Bracket | None:
    """The buckets beside the threshold among the values of `le`; None when there is no bucket at all."""
    known: dict[float, list[str]] = {}
    for text in boundaries:
        at = _number(text)
        if at is not None:
            known.setdefault(at, []).append(text)
    if not known:
        return None
    finite = sorted(at for at in known if math.isfinite(at))
    below = max((at for at in finite if at <= kind.threshold_seconds), default=None)
    above = min((at for at in finite if at >= kind.threshold_seconds), default=None)
    return Bracket(
        None if below is None else _counters(kind, known[below]),
        None if above is None else _counters(kind, known[above]),
        below,
        above,
    )


def takes_all_spellings(counters: Counters, boundaries: Iterable[str], threshold_seconds: float) -> bool:
    """Whether the bucket that the counters take is every way in which the threshold is written."""
    taken = [match for match in parse_selector(counters.good or "").matches if match.label == "le"]
    written = [{"le": text} for text in boundaries if _number(text) == threshold_seconds]
    return all(match.holds(labels) for match in taken for labels in written)


def quantile(cumulative: Mapping[float, float], share: float) -> tuple[float, bool] | None:
    """The value below which `share` of the events are, by buckets (upper end to events up to it).

    Also whether it is only a lower bound: the rank is in the last bucket, which has no end. None without
    events or without that bucket.
    """
    bounds = sorted(cumulative)
    if not bounds or bounds[-1] != math.inf or not cumulative[math.inf] > 0:
        return None
    rank = share * cumulative[math.inf]
    low = before = 0.0
    for bound in bounds:
        events = max(cumulative[bound], before)  # what is read while it changes may go down
        if bound == math.inf:
            return low, True
        if events >= rank and events > before:
            start = min(low, bound) if low else 0.0
            return start + (bound - start) * (rank - before) / (events - before), False
        low, before = bound, events
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None  # no boundary


def _counters(kind: Latency, texts: Iterable[str]) -> Counters:
    """The bucket by every way its boundary is written: `1` and `1.0` are one."""
    buckets = parse_selector(kind.buckets)
    value = "|".join(text.replace(".", "[.]").replace("+", "[+]") for text in sorted(texts))
    good = Selector(buckets.matches | {Match("le", "=~", value)})
    total = kind.total or str(_count(buckets))
    return Counters(total=total, good=str(good))


def _count(buckets: Selector) -> Selector:
    name = (buckets.name or "").removesuffix(_BUCKET)
    rest = {match for match in buckets.matches if match.label != "__name__"}
    return Selector(frozenset({*rest, Match("__name__", "=", f"{name}_count")}))
