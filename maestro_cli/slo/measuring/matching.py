"""Counters that took no series, or series that are no counters: nothing of them may be stated.

Invariant: that nothing failed is believed where a failure would have been counted: where the metric and the
labels that tell a failure exist. What cannot be told from a slip of the pen is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.slo.measuring.pieces import COUNTED, TARGET_LABELS, Piece
from maestro_cli.slo.measuring.quoted import parse_quoted
from maestro_cli.slo.measuring.selectors import Match, Selector
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.ports import RawMetrics

_NAME = "__name__"
_UNTOLD = timedelta(days=30)  # looked back where nobody tells how long samples are kept
_DIGITS = 3  # of codes such as 503: so many are tried
_SHOWN = 3
_SHOWN_CHARACTERS = 60  # of a value: who is scraped chooses how long it is


@dataclass(frozen=True, slots=True)
class Found:
    """Why nothing may be stated, and what else has to be known; both may be empty."""

    why: str = ""
    note: str = ""


def read_matching(
    pieces: Sequence[Piece],
    total: Selector,
    counted: Selector,
    is_bad: bool,
    span: Span,
    metrics: RawMetrics,
    now: datetime,
) -> Found:
    """Asks for the values of labels only where nothing was counted. Raises what the port raises."""
    unreadable = sorted({key for piece in pieces for key in piece.unreadable})
    if unreadable:
        return Found(
            f"{_shown(unreadable[0])} has values that no counter has: negative, NaN, or 2^53 and more"
            + (f"; so have {len(unreadable) - 1} more" if len(unreadable) > 1 else "")
        )
    is_counted = any(part.role & COUNTED for piece in pieces for part in piece.series)
    if is_counted or not any(piece.series for piece in pieces):
        return Found()
    apart = contradiction(total, counted)
    if apart:
        return Found(f"the selectors contradict each other, {apart}: nothing tells what is {_kind(is_bad)}")
    return read_uncounted(counted, is_bad, span, metrics, now)


def read_uncounted(counted: Selector, is_bad: bool, span: Span, metrics: RawMetrics, now: datetime) -> Found:
    """Why it is that a selector counted nothing in the span, as long as samples are kept."""
    return _why_none(counted, _kind(is_bad), metrics, _looked_back(span, metrics, now), now)


def read_unlabelled(text: str, is_bad: bool, span: Span, metrics: RawMetrics, now: datetime) -> Found:
    """The same of a selector with names in quotes: whether series have each label that it asks for, and
    whether a target is named that there is.
    """
    try:
        counted = parse_quoted(text)
    except ValueError:  # it names no metric
        return Found()
    start = _looked_back(span, metrics, now)
    name = Match(_NAME, "=", counted.name or "")
    for match in asking(counted):
        is_target = match.label in TARGET_LABELS
        has = match if is_target else Match(match.label, "!=", "")
        if not metrics.label_values(_NAME, str(Selector(frozenset({name, has}))), start, now):
            what = f"has {match}" if is_target else f"has the label {match.label}"
            return Found(f"no series of {counted.name} {what}: nothing tells what is {_kind(is_bad)}")
    return Found()


def _looked_back(span: Span, metrics: RawMetrics, now: datetime) -> datetime:
    kept = metrics.retention_seconds()
    back = _UNTOLD if kept is None else timedelta(seconds=kept)
    return min(span.start, (now - min(back, now - span.start + _UNTOLD)).replace(second=0, microsecond=0))


def _kind(is_bad: bool) -> str:
    return "bad" if is_bad else "good"


def contradiction(total: Selector, counted: Selector) -> str:
    """The label of one metric that the total has with one value and what is counted never with that."""
    if total.name is None or total.name != counted.name:
        return ""  # another metric may be of another job
    pinned = {match.label: match for match in sorted(total.matches) if match.sign == "="}
    for match in sorted(counted.matches):
        one = pinned.get(match.label)
        if one is not None and not match.holds({one.label: one.value}):
            return f"{one} and {match}"
    return ""


def _why_none(counted: Selector, kind: str, metrics: RawMetrics, start: datetime, now: datetime) -> Found:
    """By each matcher that asks for a label: is the label there, and might it have such a value?"""
    named = Selector(frozenset(match for match in counted.matches if match.label == _NAME))
    if not named.matches:
        return Found(note=f"no series was counted as {kind}: {counted}")
    metric = named.name or str(named)
    if not metrics.label_values(_NAME, str(named), start, now):
        return Found(f"{metric} has no series as long as samples are kept: nothing tells what is {kind}")
    never = []
    for match in asking(counted):
        values = metrics.label_values(match.label, str(named), start, now)
        if not values:
            return Found(f"no series of {metric} has the label {match.label}: nothing tells what is {kind}")
        if any(match.holds({match.label: value}) for value in values):
            continue
        shown = ", ".join(map(_cut, values[:_SHOWN]))
        if match.label in TARGET_LABELS or not _may_hold(match, values):
            return Found(
                f"no {match.label} such as {shown} is taken by {match}: nothing tells what is {kind}"
            )
        never.append(f"{match} (there is {shown})")
    if not never:
        return Found()
    return Found(
        note=f"no series was ever counted as {kind}, as long as samples are kept: {'; '.join(never)}"
    )


def asking(counted: Selector) -> Iterator[Match]:
    """Matchers that do not hold where the label is missing."""
    return (match for match in sorted(counted.matches) if match.label != _NAME and not match.holds({}))


def _may_hold(match: Match, values: Sequence[str]) -> bool:
    """Whether a value of the same form may still come; only codes of digits have a form that shows."""
    lengths = {len(value) for value in values}
    if not all(value.isascii() and value.isdigit() for value in values) or max(lengths) > _DIGITS:
        return True
    return any(
        match.holds({match.label: f"{number:0{length}d}"})
        for length in lengths
        for number in range(10**length)
    )


def _cut(value: str) -> str:
    return value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"


def _shown(key: str) -> str:
    """A series as PromQL writes it."""
    labels = dict(label.split("\x01", 1) for label in key.split("\x00"))
    return str(Selector(frozenset(Match(name, "=", value) for name, value in labels.items())))[:200]
