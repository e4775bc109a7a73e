"""When it was that not all was seen, from when to when.

Invariant: what is excluded is no gap; the longest are told, however many there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration
from maestro_cli.slo.measuring.window import MINUTE

MOST = 20  # that are kept
LONG_SECONDS = 3600.0
_TOLD = 3  # of them, in a sentence


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of whole minutes; `in_part`: for most of it some target was seen."""

    start: datetime
    end: datetime
    in_part: bool = False

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def __str__(self) -> str:
        end = f"{self.end:%Y-%m-%d %H:%M}" if self.end.date() != self.start.date() else f"{self.end:%H:%M}"
        return f"{self.start:%Y-%m-%d %H:%M} to {end} UTC" + (" in part" if self.in_part else "")


@dataclass(frozen=True, slots=True)
class Gaps:
    """How long not all was seen, in how many stretches, and the longest of those in the order of time."""

    seconds: float = 0.0
    count: int = 0
    longest: tuple[Gap, ...] = ()

    @property
    def is_long(self) -> bool:
        """Whether one is as long as what a report draws of a period: an hour."""
        return any(one.seconds >= LONG_SECONDS for one in self.longest)

    @property
    def words(self) -> str:
        """`not seen for 6d04h: 2026-10-02 00:00 to 2026-10-08 04:00 UTC`; "" where all was."""
        if not self.count:
            return ""
        told = _longest(self.longest, _TOLD)
        more = self.count - len(told)
        also = f", and {more} shorter stretch{'' if more == 1 else 'es'}" if more else ""
        return f"not seen for {format_duration(self.seconds)}: {'; '.join(map(str, told))}{also}"


def find_gaps(
    start: datetime, covered: Sequence[int], blind: Sequence[int] = (), kept: bytes | None = None
) -> Gaps:
    """By minute from `start`: 0 in `covered` is a gap, but where `kept` has 0; in one that is 1 in `blind`
    nothing at all was seen.
    """
    watched = bytes(covered)
    if kept is not None:
        out = kept.translate(bytes([1, 0]) + bytes(254))
        both = int.from_bytes(watched, "little") | int.from_bytes(out, "little")
        watched = both.to_bytes(len(watched), "little")
    dark = bytes(blind) or b"\x01" * len(watched)
    found = list(_runs(watched))
    longest = heapq.nsmallest(MOST, found, key=lambda one: (one[0] - one[1], one[0]))
    return Gaps(
        float(MINUTE * sum(end - first for first, end in found)),
        len(found),
        tuple(
            Gap(_at(start, first), _at(start, end), 2 * sum(dark[first:end]) < end - first)
            for first, end in sorted(longest)
        ),
    )


def gaps_document(gaps: Gaps) -> dict[str, object]:
    """As JSON."""
    return {
        "seconds": gaps.seconds,
        "stretches": gaps.count,
        "longest": [
            {"start": plain(one.start), "end": plain(one.end), "in_part": one.in_part} for one in gaps.longest
        ],
    }


def _runs(watched: bytes) -> Iterator[tuple[int, int]]:
    """First and end of each stretch of 0."""
    first = watched.find(0)
    while first >= 0:
        end = watched.find(1, first)
        end = len(watched) if end < 0 else end
        yield first, end
        first = watched.find(0, end)


def _longest(gaps: Sequence[Gap], most: int) -> list[Gap]:
    found = heapq.nsmallest(most, gaps, key=lambda one: (-one.seconds, one.start))
    return sorted(found, key=lambda one: one.start)


def _at(start: datetime, minute: int) -> datetime:
    return start.astimezone(UTC) + timedelta(seconds=MINUTE * minute)
