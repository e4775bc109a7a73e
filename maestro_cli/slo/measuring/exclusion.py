"""What a contract takes out of a span. Invariant: a minute of which any part is excluded is out."""

from __future__ import annotations

import math
from collections.abc import Iterable

from maestro_cli.slo.measuring.model import Excluded
from maestro_cli.slo.measuring.window import MINUTE, Span


def excluded_in(span: Span, excluded: Iterable[Excluded]) -> tuple[Excluded, ...]:
    """The stretches that touch the span, cut to it, in order."""
    return tuple(
        sorted(
            (
                Excluded(max(one.start, span.start), min(one.end, span.end), one.id)
                for one in excluded
                if one.start < span.end and one.end > span.start and one.start < one.end
            ),
            key=lambda one: (one.start, one.end, one.id),
        )
    )


def kept_minutes(span: Span, excluded: Iterable[Excluded]) -> bytes:
    """A byte a minute: 1 for those that count, 0 for those of which any part is excluded."""
    kept = bytearray(b"\x01" * span.minutes)
    for one in excluded_in(span, excluded):
        first = int((one.start - span.start).total_seconds() // MINUTE)
        end = min(math.ceil((one.end - span.start).total_seconds() / MINUTE), span.minutes)
        kept[first:end] = bytes(end - first)
    return bytes(kept)
