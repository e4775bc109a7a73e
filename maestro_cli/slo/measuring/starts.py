"""When the processes of new targets began: whether what they counted before they were scraped is of the span.

Invariant: of an hour the earliest start is told, so that a process is never taken as younger than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import re2

from maestro_cli.slo.measuring.asking import Wanted, stepped
from maestro_cli.slo.measuring.births import Starts, new_targets
from maestro_cli.slo.measuring.downtime import is_scraped, named, same_scrapes
from maestro_cli.slo.measuring.pieces import TARGET_LABELS, Piece, merged
from maestro_cli.slo.measuring.selectors import Match, Selector
from maestro_cli.slo.measuring.window import MINUTE, Span
from maestro_cli.slo.ports import RawMetrics, RawSeries

METRIC = "process_start_time_seconds"
HOUR_SECONDS = 3600


def appeared(pieces: Sequence[Piece], span: Span) -> dict[str, float]:
    """When each target that a scrape names was first seen, if that was within the span."""
    told = ((part.target, part.first[0], part.step_seconds) for piece in pieces for part in piece.series)
    new = new_targets(told, span.start.timestamp())
    return {target: at for target, at in new.items() if is_scraped(target)}


def wanted_starts(metrics: RawMetrics, new: Mapping[str, float]) -> Wanted:
    """Of the jobs of these targets, hour by hour."""
    promql = f"min_over_time({processes_of(new)}[1h])"
    return stepped(metrics, promql, HOUR_SECONDS, starts_piece(is_joined=True), "starts of processes")


def processes_of(targets: Iterable[str]) -> Selector:
    """The starts of all processes of their jobs."""
    jobs = "|".join(re2.escape(job) for job in sorted({named(target)["job"] for target in targets}))
    return Selector(frozenset({Match("__name__", "=", METRIC), Match("job", "=~", jobs)}))


def hours_of(times: Iterable[float], span: Span) -> Span:
    """From the hour before the first of them to the one after the last; whole hours, as far as there are."""
    known = sorted(times)
    first, last = (datetime.fromtimestamp(at - at % HOUR_SECONDS, UTC) for at in (known[0], known[-1]))
    over = span.end - timedelta(seconds=span.end.timestamp() % HOUR_SECONDS)
    return Span(first, max(min(last + timedelta(seconds=HOUR_SECONDS), over), first))


def starts_of(pieces: Sequence[Piece], new: Mapping[str, float]) -> Starts:
    """By target, when each of its processes began, and was last seen."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one, stretches in same_scrapes(pieces, new):
        found.setdefault(one, []).extend(stretches)
    return {target: merged(own) for target, own in found.items()}


def starts_piece(is_joined: bool) -> Callable[[Sequence[RawSeries], datetime, datetime], Piece]:
    """Makes, of an answer, what is covered by target: from the start of each process to when it was seen.

    Unless they are joined, each hour tells its own.
    """

    def make(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
        return _piece(series, start, end, is_joined)

    return make


def _piece(series: Sequence[RawSeries], start: datetime, end: datetime, is_joined: bool) -> Piece:
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    found: dict[str, list[tuple[float, float]]] = {"": [(float(begin), float(begin + minutes * MINUTE))]}
    for one in series:
        target = "\x00".join(one.labels.get(name, "") for name in TARGET_LABELS)
        lived = [
            (value, at)
            for at, value in zip(one.times, one.values, strict=True)
            if begin < at <= begin + minutes * MINUTE and 0 < value <= at
        ]
        if lived:
            whole = [*found.get(target, []), *lived]
            found[target] = merged(whole) if is_joined else sorted(whole)
    return Piece(begin, minutes, b"", b"", [], dict(sorted(found.items())), False)
