"""What was counted in each minute of a span, and what nobody saw.

Invariant: what the counters went up is counted once, in the minute it was seen or spread over the gap that it
bridges. `unknown` is the most that can have happened unseen, so that the truth is between all of it bad and
all of it good.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from maestro_cli.slo.measuring.births import Starts, count_births
from maestro_cli.slo.measuring.coverage import read_coverage
from maestro_cli.slo.measuring.doubts import Doubt, added
from maestro_cli.slo.measuring.downtime import Downs, uncover
from maestro_cli.slo.measuring.joining import join
from maestro_cli.slo.measuring.pieces import Piece
from maestro_cli.slo.measuring.restarts import Latest
from maestro_cli.slo.measuring.unseen import Bridge, find_unseen
from maestro_cli.slo.measuring.window import MINUTE, Span


@dataclass(frozen=True, slots=True)
class Counts:
    """By minute from `start` (seconds since 1970): all events, the counted ones, and whether it is covered.

    `blind` is 1 for a minute in which no target at all was seen.
    `unknown` is, by minute, how many events may have happened that no counter shows; `loose` is what counters
    went up in minutes that are not known, as (counted, total): part of the sums, not of what is sure.
    `bridges` are what they went up in gaps: sure for who takes all of a gap or nothing of it.
    `doubts` are, by minute, what may have been counted besides.
    """

    start: int
    counted: array[float]
    total: array[float]
    covered: bytes
    unknown: dict[int, float]
    loose: dict[int, tuple[float, float]]
    bridged_minutes: int = 0
    resets: int = 0
    births: int = 0
    doubted_births: int = 0
    is_exact: bool = True
    bridges: tuple[Bridge, ...] = ()
    doubts: dict[int, Doubt] = field(default_factory=dict)
    blind: bytes = b""

    @property
    def minutes(self) -> int:
        return len(self.total)


def counts_of(
    pieces: Sequence[Piece],
    span: Span,
    downs: Downs | None = None,
    starts: Starts | None = None,
    latest: Latest | None = None,
) -> Counts:
    """Put pieces together that follow each other, the first of which may begin before the span.

    `downs` are, by target, when it was there and could not be scraped after its last sample; `starts` when
    its processes began, and `latest` the latest start by hour where it was not seen for a time.
    """
    joining = join(pieces, span)
    coverage = read_coverage(pieces, span)
    uncover(coverage, downs or {})
    births = count_births(joining, coverage, starts)
    unseen = find_unseen(joining, coverage, latest)
    return Counts(
        joining.start,
        joining.counted,
        joining.total,
        bytes(coverage.covered),
        unseen.unknown,
        unseen.loose,
        unseen.bridged_minutes,
        len(joining.resets),
        births.counted,
        births.doubted,
        all(piece.is_counters for piece in pieces),
        unseen.bridges,
        added(births.doubts, unseen.doubts, *(_doubts_of(piece, joining.start) for piece in pieces)),
        coverage.blind,
    )


def _doubts_of(piece: Piece, start: int) -> dict[int, Doubt]:
    """By minute of the span."""
    shift = (piece.start - start) // MINUTE
    return {index + shift: Doubt(*doubt) for index, doubt in piece.doubts.items() if index + shift >= 0}
