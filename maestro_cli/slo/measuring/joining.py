"""Pieces of time put together, series by series.

Invariant: what a series went up between two pieces is counted once; what is before the span is not counted,
but is where the first increment starts from.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL, Carried, Piece, SeriesPart, doubles, gap_limit
from maestro_cli.slo.measuring.window import MINUTE, Span


@dataclass(slots=True)
class Lived:
    """One series so far, while pieces are put together."""

    last: tuple[float, float]
    first: tuple[float, float]
    role: int
    target: str
    step_seconds: float
    increase: float

    @property
    def rate(self) -> float:
        """Events a second from its first sample to its last."""
        lived = self.last[0] - self.first[0]
        return self.increase / lived if lived > 0 else 0.0


@dataclass(slots=True)
class Joining:
    """What is counted in each minute of the span; `carried` and `resets` are by the key of their series."""

    span: Span
    counted: array[float]
    total: array[float]
    series: dict[str, Lived] = field(default_factory=dict)
    carried: list[tuple[str, Carried]] = field(default_factory=list)
    resets: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def start(self) -> int:
        return round(self.span.start.timestamp())

    def minute(self, at: float) -> int:
        return int((at - self.start) // MINUTE)

    def put(self, at: float, role: int, increase: float) -> None:
        """Count in the minute of that time; what is outside of the span is not counted."""
        index = self.minute(at)
        if at < self.start or index >= len(self.total):
            return
        if role & TOTAL:
            self.total[index] += increase
        if role & COUNTED:
            self.counted[index] += increase


def join(pieces: Sequence[Piece], span: Span) -> Joining:
    """Pieces that follow each other, the first of which may begin before the span."""
    joining = Joining(span, array("d", bytes(8 * span.minutes)), array("d", bytes(8 * span.minutes)))
    for piece in pieces:
        _copy(piece, joining)
        for part in piece.series:
            _join(part, joining)
    return joining


def _copy(piece: Piece, joining: Joining) -> None:
    """The minutes of a piece that are in the span."""
    skip = max((joining.start - piece.start) // MINUTE, 0)
    at = max((piece.start - joining.start) // MINUTE, 0)
    many = min(piece.minutes - skip, len(joining.total) - at)
    if many > 0:
        joining.counted[at : at + many] = doubles(piece.counted)[skip : skip + many]
        joining.total[at : at + many] = doubles(piece.total)[skip : skip + many]


def _join(part: SeriesPart, joining: Joining) -> None:
    """What the series went up since the piece before; one that is new is remembered with its first value."""
    known = joining.series.get(part.key)
    for gap in part.carried:
        joining.carried.append((part.key, gap))
    joining.resets += [(part.key, *reset) for reset in part.resets]
    if known is None:
        joining.series[part.key] = Lived(
            part.last, part.first, part.role, part.target, part.step_seconds, part.increase
        )
        return
    (before, low), (at, high) = known.last, part.first
    is_reset = high < low
    increase = high if is_reset else high - low
    step = part.step_seconds or known.step_seconds
    if at - before > gap_limit(step):
        joining.carried.append((part.key, Carried(before, at, increase, is_reset)))
    else:
        joining.put(at, part.role, increase)
        if is_reset:
            joining.resets.append((part.key, before, at))
    known.last, known.step_seconds = part.last, step
    known.increase += part.increase + increase
