"""Targets that are no longer scraped: taken out of service, or there and cut off from who looks.

Invariant: a target whose scrapes fail is still one that may serve; one that Prometheus no longer tries to
scrape is gone. What fails for a few minutes before it is gone is a process that ends in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import re2

from maestro_cli.slo.measuring.asking import Wanted, stepped
from maestro_cli.slo.measuring.coverage import Coverage
from maestro_cli.slo.measuring.pieces import TARGET_LABELS, Piece, gap_limit, merged
from maestro_cli.slo.measuring.selectors import Match, Selector
from maestro_cli.slo.measuring.window import MINUTE, Span
from maestro_cli.slo.ports import RawMetrics, RawSeries

ORDERLY_SECONDS = 300  # so long scrapes may fail of a target that is about to be gone
_TOO_LATE_SECONDS = 150.0  # so long before the end no two minutes of failed scrapes show
_LOOKED_BACK = "2m"  # not as far as `up` alone does: who is gone without a mark of it fails five minutes more
_ALIGNED = 300
_PLACE = ("namespace", "pod")
Downs = dict[str, list[tuple[float, float]]]


def ended_targets(pieces: Sequence[Piece], span: Span) -> dict[str, float]:
    """The last sample of each target that a scrape names and that had none to the end of the span."""
    last: dict[str, float] = {}
    limits: dict[str, float] = {}
    for piece in pieces:
        for part in piece.series:
            last[part.target] = max(last.get(part.target, 0.0), part.last[0])
            limits[part.target] = max(limits.get(part.target, 0.0), gap_limit(part.step_seconds))
    end = span.end.timestamp()
    return {
        target: at for target, at in sorted(last.items()) if at + limits[target] < end and is_scraped(target)
    }


def wanted_downs(metrics: RawMetrics, ended: Mapping[str, float]) -> Wanted:
    """When scrapes of the jobs of these targets failed, minute by minute."""
    jobs = "|".join(re2.escape(job) for job in sorted({named(target)["job"] for target in ended}))
    selector = Selector(frozenset({Match("__name__", "=", "up"), Match("job", "=~", jobs)}))
    return stepped(
        metrics, f"max_over_time({selector}[{_LOOKED_BACK}]) == 0", MINUTE, _piece, "failed scrapes"
    )


def span_after(ended: Mapping[str, float], span: Span) -> Span:
    """The part of the span since the first of them ended."""
    first = min(ended.values())
    start = datetime.fromtimestamp(first - first % _ALIGNED, UTC)
    return Span(max(start, span.start - timedelta(seconds=_ALIGNED)), span.end)


def downs_of(pieces: Sequence[Piece], ended: Mapping[str, float], end: float) -> Downs:
    """When each of the targets was not scraped although it was tried, after its last sample, to the `end`.

    Of one that was seen until just now nobody can tell yet whether it is gone.
    """
    found: Downs = {target: [(at, end)] for target, at in ended.items() if end - at <= _TOO_LATE_SECONDS}
    for one, stretches in same_scrapes(pieces, ended):
        last = ended[one]
        found.setdefault(one, []).extend((max(low, last), high) for low, high in stretches if high > last)
    return {
        target: [
            (ended[target] if low < ended[target] + ORDERLY_SECONDS else low, high)
            for low, high in merged(own)
            if high > ended[target] + ORDERLY_SECONDS or high > end - MINUTE
        ]
        for target, own in found.items()
    }


def uncover(coverage: Coverage, downs: Downs) -> None:
    """Take out of the coverage the minutes in which a target was there and not seen."""
    for target, stretches in downs.items():
        for start, end in stretches:
            low = max(int((start - coverage.start) // MINUTE) + 1, 0)
            high = min(int((end - coverage.start) // MINUTE), len(coverage.covered))
            if low < high:
                coverage.covered[low:high] = bytes(high - low)
                coverage.gaps.setdefault(target, []).append((low, high, end - start))


def _piece(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
    """The minutes in which a scrape failed, by target, as what is covered; nobody's where there was none."""
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    found: Downs = {"": [(float(begin), float(begin + minutes * MINUTE))]}
    for one in series:
        target = "\x00".join(one.labels.get(name, "") for name in TARGET_LABELS)
        minute = [(at - MINUTE, at) for at in one.times if begin < at <= begin + minutes * MINUTE]
        if minute:
            found[target] = merged([*found.get(target, []), *minute])
    return Piece(begin, minutes, b"", b"", [], dict(sorted(found.items())), False)


def named(target: str) -> dict[str, str]:
    """The labels of a target."""
    return dict(zip(TARGET_LABELS, target.split("\x00"), strict=False))


def is_scraped(target: str) -> bool:
    """Whether it has the labels that Prometheus gives to what it scrapes."""
    return bool(named(target).get("job") and named(target).get("instance"))


def same_scrapes(
    pieces: Sequence[Piece], wanted: Iterable[str]
) -> Iterator[tuple[str, Sequence[tuple[float, float]]]]:
    """The stretches of each target that is one of those wanted, with that one.

    A series is of a scrape by job and instance, and by namespace and pod where both name one.
    """
    known: dict[tuple[str, str], list[str]] = {}
    for target in wanted:
        labels = named(target)
        known.setdefault((labels["job"], labels["instance"]), []).append(target)
    for piece in pieces:
        for scraped, stretches in piece.covered.items():
            other = {"job": "", "instance": "", **named(scraped)}
            for target in known.get((other["job"], other["instance"]), ()):
                own = named(target)
                if all(own[name] == other[name] or not (own[name] and other[name]) for name in _PLACE):
                    yield target, stretches
