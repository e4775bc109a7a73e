"""Which minutes were watched.

Invariant: a minute is covered when every target that lives in it has a sample in it, and one lives. A target
lives from its first sample to its last: what was not born yet and what is gone is not missed; what is there
and cannot be scraped is taken out by downtime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from maestro_cli.slo.measuring.pieces import Piece, gap_limit, merged
from maestro_cli.slo.measuring.window import MINUTE, Span


@dataclass(frozen=True, slots=True)
class Coverage:
    """`covered` is 1 for each minute of the span that was watched; `blind` for each without any sample.

    `gaps` are, by target, its minutes without a sample, and the seconds from the sample before to that after;
    `seen` the stretches of time in which it was scraped, from a sample to a sample.
    """

    start: int
    covered: bytearray
    gaps: dict[str, list[tuple[int, int, float]]]
    seen: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    blind: bytes = b""

    def missed(self, target: str, start: float, end: float) -> list[int]:
        """The minutes of the span that the target had no sample in, between two of its series' samples."""
        first, last = _minute(start, self.start), _minute(end, self.start)
        return [
            index
            for low, high, _ in self.gaps.get(target, ())
            if low < last and high > first
            for index in range(max(low, first + 1, 0), min(high, last))
        ]


def read_coverage(pieces: Sequence[Piece], span: Span) -> Coverage:
    """By the stretches of every target in pieces that follow each other."""
    start, minutes = round(span.start.timestamp()), span.minutes
    end = start + minutes * MINUTE
    limits: dict[str, float] = {}
    stretches: dict[str, list[tuple[float, float]]] = {}
    for piece in pieces:
        for part in piece.series:
            limits[part.target] = max(limits.get(part.target, 0.0), gap_limit(part.step_seconds))
        for target, own in piece.covered.items():
            stretches.setdefault(target, []).extend(own)
    lives, covered = bytearray(minutes), bytearray(b"\x01" * minutes)
    blind = bytearray(covered)
    gaps: dict[str, list[tuple[int, int, float]]] = {}
    seen: dict[str, list[tuple[float, float]]] = {}
    for target, own in stretches.items():
        limit = limits.get(target, float(MINUTE))
        whole = seen[target] = merged(own, limit)
        first, last = whole[0][0], whole[-1][1]
        # seldom scraped, it was there at an end of the span although its sample is a scrape away
        first, last = first - limit * (first - limit <= start), last + limit * (last + limit >= end)
        _mark(lives, _minute(first, start), _minute(last, start) + 1, 1)
        _mark(blind, _minute(first, start), _minute(whole[0][0], start), 0)
        _mark(blind, _minute(whole[-1][1], start), _minute(last, start) + 1, 0)
        for begin, until in whole:
            _mark(blind, _minute(begin, start), _minute(until, start) + 1, 0)
        for (_, before), (after, _) in pairwise(whole):
            low, high = _minute(before, start) + 1, _minute(after, start)
            if low < high:
                gaps.setdefault(target, []).append((low, high, after - before))
                _mark(covered, low, high, 0)
    alone = int.from_bytes(lives, "little") & int.from_bytes(covered, "little")
    return Coverage(start, bytearray(alone.to_bytes(minutes, "little")), gaps, seen, bytes(blind))


def _minute(at: float, start: int) -> int:
    return int((at - start) // MINUTE)


def _mark(minutes: bytearray, low: int, high: int, value: int) -> None:
    low, high = max(low, 0), min(high, len(minutes))
    if low < high:
        minutes[low:high] = bytes([value]) * (high - low)
