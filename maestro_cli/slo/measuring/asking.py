"""Asking Prometheus for a span in pieces: days that are over are kept, and neighbours are asked for at once.

Invariant: pieces follow each other without a gap from before the span to its end, and each is what Prometheus
holds of its time. Whatever was made of an answer is offered to the store, and is measured as it will be read
there, so that the digest of a piece is the same whether it was just made or read from the disk or a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.errors import NoData
from maestro_cli.slo.measuring.keeping import LOOK_BACK_SECONDS, Kept, Key, Store, as_kept, piece_digest
from maestro_cli.slo.measuring.model import Asked
from maestro_cli.slo.measuring.pieces import Piece, Roles, key_of
from maestro_cli.slo.measuring.window import MINUTE, Span
from maestro_cli.slo.ports import RawMetrics, RawSeries, TooMuch

_DAY = timedelta(days=1)
_EVALUATED_DAYS_AT_ONCE = 4

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a stretch of time, and how a piece is made of the answer.

    `ask` gives the series with start <= time < end, or raises TooMuch; `promql` and `roles` name what was
    asked.
    """

    promql: str
    roles: str
    step_seconds: float | None
    ask: Callable[[datetime, datetime], Sequence[RawSeries]]
    make: Callable[[Sequence[RawSeries], datetime, datetime], Piece]


def raw(metrics: RawMetrics, selectors: Sequence[str], roles: Roles, roles_text: str) -> Wanted:
    """Samples as they were scraped, of one selector or of two."""
    from maestro_cli.slo.measuring.samples import in_order, piece_of  # numpy: only who measures waits for it

    def ask(start: datetime, end: datetime) -> Sequence[RawSeries]:
        found: dict[str, RawSeries] = {}
        for selector in selectors:
            for one in metrics.samples(selector, start, end):
                found.setdefault(key_of(one.labels), in_order(one))
        return tuple(found.values())

    def make(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
        return piece_of(series, roles, start, end)

    return Wanted(" | ".join(selectors), roles_text, None, ask, make)


def stepped(
    metrics: RawMetrics,
    promql: str,
    step_seconds: float,
    make: Callable[[Sequence[RawSeries], datetime, datetime], Piece],
    roles_text: str = "",
) -> Wanted:
    """A query evaluated in steps."""

    def ask(start: datetime, end: datetime) -> Sequence[RawSeries]:
        return tuple(metrics.steps(promql, start, end, step_seconds))

    return Wanted(promql, roles_text, float(step_seconds), ask, make)  # 60 and 60.0 are one key


def stretches_of(span: Span, step_seconds: float | None) -> list[Stretch]:
    """The span with the time before it that its first increment needs, cut at every midnight of UTC.

    What is evaluated in steps needs none before; a stretch begins at a whole step of the day.
    """
    start = span.start - timedelta(seconds=LOOK_BACK_SECONDS if step_seconds is None else 0)
    if step_seconds is not None:
        start -= timedelta(seconds=start.timestamp() % step_seconds)
    found: list[Stretch] = []
    while start < span.end:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        found.append((start, min(midnight, span.end)))
        start = midnight
    return found


def ask_pieces(
    wanted: Wanted, span: Span, metrics: RawMetrics, store: Store, now: datetime
) -> tuple[list[Piece], list[Asked]]:
    """The pieces of a span in order, from the disk where they are kept; raises what the port raises."""
    stretches = stretches_of(span, wanted.step_seconds)
    keys = [
        Key(metrics.url, wanted.promql, wanted.roles, wanted.step_seconds, start, end)
        for start, end in stretches
    ]
    found = store.load(keys)
    fresh: dict[int, Kept] = {}
    try:
        missing = [index for index, kept in enumerate(found) if kept is None]
        for group, series in _answers(wanted, stretches, missing, metrics):
            for index in group:
                fresh[index] = Kept(now, as_kept(wanted.make(series, *stretches[index])))
    finally:  # what was answered before an error is worth keeping
        saved = store.save([(keys[index], kept) for index, kept in fresh.items()])
        fresh = dict(zip(fresh, saved, strict=True))
    pieces: list[Piece] = []
    asked: list[Asked] = []
    for index, (key, one) in enumerate(zip(keys, found, strict=True)):
        kept = one or fresh[index]
        pieces.append(kept.piece)
        told = piece_digest(kept.piece)
        asked.append(
            Asked(key.promql, key.start, key.end, key.step_seconds, kept.asked_at, told, index not in fresh)
        )
    return pieces, asked


def _answers(
    wanted: Wanted, stretches: Sequence[Stretch], missing: Sequence[int], metrics: RawMetrics
) -> Iterator[tuple[list[int], Sequence[RawSeries]]]:
    """Those that follow each other, as many at once as are not too much, with what is answered for them."""
    if not missing:
        return
    at_once = metrics.days_at_once if wanted.step_seconds is None else _EVALUATED_DAYS_AT_ONCE
    at = 0
    while at < len(missing):
        group = [
            index for place, index in enumerate(missing[at : at + at_once]) if index == missing[at] + place
        ]
        start, end = stretches[group[0]][0], stretches[group[-1]][1]
        try:
            series = wanted.ask(start, end) if len(group) > 1 else _whole(wanted.ask, start, end)
        except TooMuch:
            at_once = len(group) // 2
            continue
        yield group, series
        at += len(group)


def _whole(
    ask: Callable[[datetime, datetime], Iterable[RawSeries]], start: datetime, end: datetime
) -> tuple[RawSeries, ...]:
    """The answer, in halves where it is too large for one. Raises NoData if a minute is too large."""
    try:
        return tuple(ask(start, end))
    except TooMuch as error:
        minutes = round((end - start).total_seconds()) // MINUTE
        if minutes < 2:
            raise NoData(
                "a minute of the samples is too large an answer",
                why=str(error),
                fix="narrow the selector of the objective",
            ) from error
        middle = start + timedelta(minutes=minutes // 2)
        return _chained(_whole(ask, start, middle), _whole(ask, middle, end))


def _chained(before: Iterable[RawSeries], after: Iterable[RawSeries]) -> tuple[RawSeries, ...]:
    found = {key_of(one.labels): one for one in before}
    for one in after:
        key = key_of(one.labels)
        if key in found:
            first = found[key]
            times, values = [*first.times, *one.times], [*first.values, *one.values]
            one = RawSeries(one.labels, times, values)
        found[key] = one
    return tuple(found.values())
