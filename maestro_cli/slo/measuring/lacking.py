"""When the bucket of a threshold was not there although its histogram counted.

Invariant: that nothing was counted in a bucket that is there says that nothing was fast enough; that the
bucket is not there says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from maestro_cli.slo.measuring.counts import Counts
from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL, Piece, merged, stretches_of_part
from maestro_cli.slo.measuring.window import MINUTE
from maestro_cli.slo.objectives import Latency

_Stretches = list[tuple[float, float]]


def lacking_minutes(kind: Latency, pieces: Sequence[Piece], counts: Counts) -> list[int]:
    """Minutes of the span with events, in which a series of the histogram has no bucket of the threshold.

    Those in which the bucket ends or comes are among them. Where the events are counted by another metric,
    which may know series that the histogram does not, they are all minutes or none.
    """
    if kind.total:
        is_there = any(part.role & COUNTED for piece in pieces for part in piece.series)
        return [] if is_there else [index for index, many in enumerate(counts.total) if many > 0]
    found: set[int] = set()
    for piece in pieces:
        for low, high in _without_bucket(piece):
            first, last = (int((at - counts.start) // MINUTE) for at in (low, high))
            found.update(range(max(first, 0), min(last + 1, counts.minutes)))
    return sorted(found) if any(counts.total[index] > 0 for index in found) else []


def forget(counts: Counts, minutes: Iterable[int]) -> Counts:
    """The same with what was counted in these minutes as what may have happened."""
    counted, total, covered = counts.counted[:], counts.total[:], bytearray(counts.covered)
    unknown, loose = dict(counts.unknown), dict(counts.loose)
    blind = bytearray(counts.blind or bytes(counts.minutes))
    for index in minutes:
        _, guessed = loose.get(index, (0.0, 0.0))  # is in the unknown already
        loose[index] = 0.0, 0.0
        unknown[index] = unknown.get(index, 0.0) + max(total[index] - guessed, 0.0)
        counted[index] = total[index] = 0.0
        covered[index], blind[index] = 0, 1
    return replace(
        counts, counted=counted, total=total, covered=bytes(covered), unknown=unknown, loose=loose,
        blind=bytes(blind),
    )  # fmt: skip


def _without_bucket(piece: Piece) -> Iterator[tuple[float, float]]:
    """Stretches in which a series of the histogram counts all events and has no bucket."""
    wholes: dict[str, _Stretches] = {}
    buckets: dict[str, _Stretches] = {}
    for part in piece.series:
        for bit, found in ((TOTAL, wholes), (COUNTED, buckets)):
            if part.role & bit:
                found.setdefault(_histogram_of(part.key), []).extend(stretches_of_part(part))
    for one, whole in wholes.items():
        own = buckets.get(one, [])
        if own != whole:
            yield from _less(merged(whole), merged(own))


def _histogram_of(key: str) -> str:
    """The key of a series less what tells a bucket from the count."""
    apart = ("__name__\x01", "le\x01")
    return "\x00".join(label for label in key.split("\x00") if not label.startswith(apart))


def _less(wholes: _Stretches, own: _Stretches) -> Iterator[tuple[float, float]]:
    """The parts of the stretches that are in none of the others; one of a single sample may be whole."""
    for start, end in wholes:
        at, is_met = start, False
        for low, high in own:
            if high >= at and low <= end:
                if low > at:
                    yield at, low
                at, is_met = max(at, high), True
        if at < end or not is_met:
            yield at, end
