"""Targets that are no longer scraped: taken out of service, or there and cut off from who looks.

Invariant: a target whose scrapes fail is still one that may serve; one that Prometheus no longer tries to
scrape is gone. What fails for a few minutes before it is gone is a process that ends in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import re2

from maestro_cli.slo.measuring.asking import Wanted, stepped
from maestro_cli.slo.measuring.binning import gap_limit
from maestro_cli.slo.measuring.coverage import Coverage
from maestro_cli.slo.measuring.samples import TARGET_LABELS, Piece, merged
from maestro_cli.slo.measuring.selectors import Match, Selector
from maestro_cli.slo.measuring.window import MINUTE, Span
from maestro_cli.slo.ports import RawMetrics, RawSeries

ORDERLY_SECONDS = 300  # so long scrapes may fail of a target that is about to be gone
_LOOKED_BACK = "2m"  # not as far as `up` alone does: who is gone without a mark of it fails five minutes more
_ALIGNED = 300
Downs = dict[str, list[tuple[float, float]]]


def ended_targets(pieces: Sequence[Piece], span: Span) -> dict[str, float]:
    """The last sample of each target that a scrape names and that had none to the end of the span."""
    last: dict[str, float] = {}
    limits: dict[str, float] = {}
    for piece in pieces:
        for part in piece.series:
            last[part.target] = max(last.get(part.target, 0.0), part.last[0])
            limits[part.target] = max(limits.get(part.target, 0.0), gap_limit(part.step_seconds))
    end = span.end.timestamp() - ORDERLY_SECONDS
    return {
        target: at
        for target, at in sorted(last.items())
        if at + limits[target] < end and _named(target).get("job") and _named(target).get("instance")
    }


def wanted_downs(metrics: RawMetrics, ended: Mapping[str, float]) -> Wanted:
    """When scrapes of the jobs of these targets failed, minute by minute."""
    jobs = "|".join(re2.escape(job) for job in sorted({_named(target)["job"] for target in ended}))
    selector = Selector(frozenset({Match("__name__", "=", "up"), Match("job", "=~", jobs)}))
    return stepped(
        metrics, f"max_over_time({selector}[{_LOOKED_BACK}]) == 0", MINUTE, _piece, "failed scrapes"
    )


def span_after(ended: Mapping[str, float], span: Span) -> Span:
    """The part of the span since the first of them ended."""
    first = min(ended.values())
    start = datetime.fromtimestamp(first - first % _ALIGNED, UTC)
    return Span(max(start, span.start - timedelta(seconds=_ALIGNED)), span.end)


def downs_of(pieces: Sequence[Piece], ended: Mapping[str, float]) -> Downs:
    """When each of the targets was not scraped although it was tried, after its last sample."""
    found: Downs = {}
    for piece in pieces:
        for target, stretches in piece.covered.items():
            for one, last in ended.items():
                if _is_same(one, target):
                    own = found.setdefault(one, [])
                    own += [(max(low, last), high) for low, high in stretches if high > last]
    return {
        target: [
            (ended[target] if low < ended[target] + ORDERLY_SECONDS else low, high)
            for low, high in merged(own)
            if high > ended[target] + ORDERLY_SECONDS
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
                coverage.gaps.setdefault(target, []).append((low, high, float(high - low) * MINUTE))


def _piece(series: Sequence[RawSeries], start: datetime, end: datetime) -> Piece:
    """The minutes in which a scrape failed, by target, as what is covered; nobody's where there was none."""
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    found: Downs = {"": []}
    for one in series:
        target = "\x00".join(one.labels.get(name, "") for name in TARGET_LABELS)
        minute = [(at - MINUTE, at) for at in one.times if begin < at <= begin + minutes * MINUTE]
        if minute:
            found[target] = merged([*found.get(target, []), *minute])
    return Piece(begin, minutes, b"", b"", [], dict(sorted(found.items())), False)


def _named(target: str) -> dict[str, str]:
    return dict(zip(TARGET_LABELS, target.split("\x00"), strict=False))


def _is_same(target: str, scraped: str) -> bool:
    """Whether a series is of that scrape: by job and instance, and by the pod where both name one."""
    one, other = _named(target), _named(scraped)
    is_one = all(one.get(name) == other.get(name) for name in ("job", "instance"))
    return is_one and all(
        one.get(name) == other.get(name) or not (one.get(name) and other.get(name))
        for name in ("namespace", "pod")
    )
