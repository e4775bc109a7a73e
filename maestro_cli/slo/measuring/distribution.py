"""How long events took: those of each bucket of a histogram, hour by hour. For pictures, never for a verdict.

Invariant: PromQL evaluates it, so counts are as `increase` extrapolates them; an hour without an answer is
not there, and never an hour in which nothing was slow. Hours are those of UTC that lie wholly in the period.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from maestro_cli.slo.measuring.asking import ask_pieces, stepped
from maestro_cli.slo.measuring.latency import quantile
from maestro_cli.slo.measuring.measure import Outside
from maestro_cli.slo.measuring.model import Asked
from maestro_cli.slo.measuring.pieces import Carried, Piece, SeriesPart, merged
from maestro_cli.slo.measuring.window import MINUTE, Span, zone_named
from maestro_cli.slo.objectives import Latency, Objective
from maestro_cli.slo.ports import RawSeries

HOUR_SECONDS = 3600
_ROLES = "events by bucket and hour"


@dataclass(frozen=True, slots=True)
class Distribution:
    """Events by bucket. `ends` are the upper ends in seconds, ascending, the last of them infinite.

    `hours` has for each hour that was answered how many events ended in each bucket; `start` and `queries`:
    what was asked, from when on.
    """

    ends: tuple[float, ...]
    hours: tuple[tuple[datetime, tuple[float, ...]], ...]
    threshold_seconds: float
    queries: tuple[Asked, ...]

    @property
    def events(self) -> tuple[float, ...]:
        """Of the whole time, by bucket."""
        return _added((counts for _, counts in self.hours), len(self.ends))

    @property
    def total(self) -> float:
        return math.fsum(self.events)

    def quantile(self, share: float) -> tuple[float, bool] | None:
        """As `latency.quantile`: the seconds, and whether it is only a lower bound."""
        cumulative, so_far = {}, 0.0
        for end, events in zip(self.ends, self.events, strict=True):
            so_far += events
            cumulative[end] = so_far
        return quantile(cumulative, share)

    def days(self, span: Span) -> tuple[tuple[date, tuple[float, ...] | None], ...]:
        """The days of the span by its zone, each with its events by bucket; None where nothing is known."""
        zone = zone_named(span.zone)
        found: dict[date, list[tuple[float, ...]]] = {}
        for start, counts in self.hours:
            found.setdefault(start.astimezone(zone).date(), []).append(counts)
        day, last = (
            span.start.astimezone(zone).date(),
            (span.end - timedelta(minutes=1)).astimezone(zone).date(),
        )
        told: list[tuple[date, tuple[float, ...] | None]] = []
        while day <= last:
            told.append((day, _added(found[day], len(self.ends)) if day in found else None))
            day += timedelta(days=1)
        return tuple(told)


def distribution_of(objective: Objective, span: Span, outside: Outside) -> Distribution | None:
    """Of the part of the span that is over; None for what is no latency, and where no bucket answers.

    Native histograms have no buckets that a query could tell apart, and give None. Raises as `measure`.
    """
    kind = objective.indicator
    if not isinstance(kind, Latency) or kind.native:
        return None
    over = span.until(min(outside.at or outside.now, outside.now))
    start, end = (at.timestamp() for at in (over.start, over.end))
    over = replace(
        over,
        start=over.start + timedelta(seconds=-start % HOUR_SECONDS),
        end=over.end - timedelta(seconds=end % HOUR_SECONDS),
    )
    if over.end <= over.start:
        return None
    promql = f"sum by (le) (increase({kind.buckets}[1h]))"
    wanted = stepped(outside.metrics, promql, HOUR_SECONDS, _piece, _ROLES)
    pieces, asked = ask_pieces(wanted, over, outside.metrics, outside.store, outside.now)
    return _distribution(pieces, kind.threshold_seconds, asked)


def _piece(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
    """The hours of each bucket as what its counter went up between two instants."""
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    parts, stretches = [], []
    for one in series:
        le = one.labels.get("le", "")
        hours = [
            Carried(at - HOUR_SECONDS, at, value, False)
            for at, value in zip(one.times, one.values, strict=True)
            if begin < at <= begin + minutes * MINUTE and math.isfinite(value)
        ]
        if not (le and hours):
            continue
        stretches += [(hour.start, hour.end) for hour in hours]
        increase = math.fsum(hour.increase for hour in hours)
        first, last = (hours[0].start, 0.0), (hours[-1].end, increase)
        parts.append(SeriesPart(le, "", 0, first, last, float(HOUR_SECONDS), increase, hours, []))
    parts.sort(key=lambda part: part.key)
    covered = {"": merged(stretches)} if stretches else {}
    return Piece(begin, minutes, b"", b"", parts, covered, False)


def _distribution(
    pieces: Sequence[Piece], threshold_seconds: float, asked: Sequence[Asked]
) -> Distribution | None:
    cumulative: dict[float, dict[float, float]] = {}
    for part in (one for piece in pieces for one in piece.series):
        end = _end_of(part.key)
        if end is not None:
            for hour in part.carried:
                own = cumulative.setdefault(hour.start, {})
                own[end] = own.get(end, 0.0) + hour.increase
    ends = tuple(sorted({end for one in cumulative.values() for end in one}))
    if not ends or ends[-1] != math.inf:
        return None
    hours = tuple(
        (datetime.fromtimestamp(start, UTC), _apart(cumulative[start], ends)) for start in sorted(cumulative)
    )
    return Distribution(ends, hours, threshold_seconds, tuple(asked))


def _end_of(le: str) -> float | None:
    try:
        end = float(le)
    except ValueError:
        return None  # no boundary
    return None if math.isnan(end) else end


def _apart(cumulative: Mapping[float, float], ends: Sequence[float]) -> tuple[float, ...]:
    """Events of each bucket alone; none where what is extrapolated goes down from one to the next."""
    found, before = [], 0.0
    for end in ends:
        events = max(cumulative.get(end, before), before)
        found.append(events - before)
        before = events
    return tuple(found)


def _added(rows: Iterable[Sequence[float]], count: int) -> tuple[float, ...]:
    columns = list(zip(*rows, strict=True))
    return tuple(map(math.fsum, columns)) if columns else (0.0,) * count
