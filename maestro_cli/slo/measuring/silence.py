"""Queries that give no answer for what is bad (or good), while all events are counted.

Invariant: no answer counts none only of one counter whose metric counts all events too, since then it is the
labels of a failure that are not there. Of any other query it may be that what it asks for is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import fsum

from maestro_cli.core.quantities import format_duration
from maestro_cli.slo.measuring.doubts import Doubt
from maestro_cli.slo.measuring.matching import Found, read_uncounted, read_unlabelled
from maestro_cli.slo.measuring.pieces import Piece, doubles
from maestro_cli.slo.measuring.selectors import SELECTOR, parse_selector, selectors_in
from maestro_cli.slo.measuring.window import MINUTE, Span
from maestro_cli.slo.objectives import Indicator, Latency, Queries
from maestro_cli.slo.ports import RawMetrics

_ONE_COUNTER = re.compile(
    r"(?:sum\s*(?:(?:by|without)\s*\([^()]*\)\s*)?\(\s*)?(?:rate|increase)\s*\(\s*"
    rf"(?P<selector>{SELECTOR})\[[^\]:]+\]\s*\)(?:\s*\))?"
)
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ALL = 1 - 1e-9  # of the events of a step: adding up its minutes rounds


def counts_none(kind: Indicator) -> bool:
    """Whether in a step without an answer of what is counted none of it happened."""
    if not isinstance(kind, Queries):
        return False
    one = counted_alone(kind)
    named = (_NAME.match(text) for text in (one, *selectors_in(kind.total)))
    name, *others = (match and match[0] for match in named)
    return name is not None and name in others


def counted_alone(kind: Queries) -> str:
    """The selector of the one counter that is bad (or good) events; "" where it is another query."""
    one = _ONE_COUNTER.fullmatch((kind.good or kind.bad or "").strip())
    return "" if one is None else one["selector"].strip()


def read_silence(
    kind: Indicator, pieces: Sequence[Piece], step: int, span: Span, metrics: RawMetrics, now: datetime
) -> Found:
    """Whether something could have been counted. Raises what the port raises."""
    if not isinstance(kind, Queries | Latency):
        return Found()
    is_bad = isinstance(kind, Queries) and kind.good is None
    word, silent = "bad" if is_bad else "good", sum(len(list(_silent(piece, step))) for piece in pieces)
    is_counted = any(any(doubles(piece.counted)) for piece in pieces)
    if not is_counted and any(any(doubles(piece.total)) for piece in pieces):
        found = _uncounted(kind, is_bad, span, metrics, now)
        if found.why or not silent:
            return found
        if not any(set(_busy(piece, step)) - set(_silent(piece, step)) for piece in pieces):
            return Found(
                f"the query of what is {word} never answers: that is not known to be none{_fix(kind)}"
            )
    if not silent:
        return Found()
    time = format_duration(silent * step)
    return Found(
        note=f"for {time} the query of what is {word} gave no answer: how much is unknown{_fix(kind)}"
    )


def _uncounted(
    kind: Queries | Latency, is_bad: bool, span: Span, metrics: RawMetrics, now: datetime
) -> Found:
    """By each selector of the query: the first that says why nothing may be stated, else what all say."""
    promql = kind.histogram if isinstance(kind, Latency) else kind.good or kind.bad or ""
    notes: list[str] = []
    for text in [promql] if isinstance(kind, Latency) else dict.fromkeys(selectors_in(promql)):
        try:
            found = read_uncounted(parse_selector(text), is_bad, span, metrics, now)
        except ValueError:  # by a name in quotes
            found = read_unlabelled(text, is_bad, span, metrics, now)
        if found.why:
            return found
        notes += [found.note] if found.note else []
    return Found(note="; ".join(notes))


def _busy(piece: Piece, step: int) -> Iterator[int]:
    """The first minutes of the steps in which something happened."""
    total, length = doubles(piece.total), step // MINUTE
    return (first for first in range(0, piece.minutes, length) if any(total[first : first + length]))


def _silent(piece: Piece, step: int) -> Iterator[int]:
    """The first minutes of the steps of which nothing is known but how many events they had."""
    total, length = doubles(piece.total), step // MINUTE
    for first, doubt in piece.doubts.items():
        events = fsum(total[first : first + length])
        if events > 0 and Doubt(*doubt).more_counted >= events * _ALL:
            yield first


def _fix(kind: Queries | Latency) -> str:
    return ' (where it is, end it with "or vector(0)")' if isinstance(kind, Queries) else ""
