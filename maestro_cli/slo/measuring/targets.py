"""What has to be asked of targets besides their samples: who was cut off, and whose process is how old.

Invariant: nothing is asked of targets that were seen all the time, but for the names of those that were
there in the week before: a look into the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from maestro_cli.slo.measuring.asking import ask_pieces
from maestro_cli.slo.measuring.births import Starts
from maestro_cli.slo.measuring.downtime import (
    ORDERLY_SECONDS,
    Downs,
    downs_of,
    ended_targets,
    is_scraped,
    named,
    span_after,
    wanted_downs,
)
from maestro_cli.slo.measuring.keeping import Store
from maestro_cli.slo.measuring.model import Asked
from maestro_cli.slo.measuring.pieces import TARGET_LABELS, Piece, merged
from maestro_cli.slo.measuring.restarts import Latest, gaps_of, latest_of, wanted_latest
from maestro_cli.slo.measuring.starts import appeared, hours_of, starts_of, wanted_starts
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.ports import RawMetrics

LOOKED_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Targets:
    """When targets were there and not seen, when their processes began, and what was asked for that.

    `latest` is known of those that were not seen for a time.
    """

    downs: Downs
    starts: Starts
    latest: Latest
    asked: tuple[Asked, ...] = ()


def ask_targets(
    pieces: Sequence[Piece], selector: str, span: Span, metrics: RawMetrics, store: Store, now: datetime
) -> Targets:
    """Of the targets of these pieces, and of those that `selector` took before the span."""
    ended, new = ended_targets(pieces, span), appeared(pieces, span)
    before = _before(pieces, new, selector, span, metrics)
    downs: Downs = {}
    starts: Starts = {}
    asked: list[Asked] = []
    if missed := ended | before:
        wanted = wanted_downs(metrics, missed)
        found, asked = ask_pieces(wanted, span_after(missed, span), metrics, store, now)
        downs = _both(downs_of(found, ended, span.end.timestamp()), _until_seen(found, before, new, span))
    if new:
        found, more = ask_pieces(
            wanted_starts(metrics, new), hours_of(new.values(), span), metrics, store, now
        )
        asked, starts = [*asked, *more], starts_of(found, new)
    latest: Latest = {}
    if gaps := gaps_of(pieces, span):
        hours = hours_of(chain.from_iterable(gaps.values()), span)
        found, more = ask_pieces(wanted_latest(metrics, gaps), hours, metrics, store, now)
        asked, latest = [*asked, *more], latest_of(found, gaps)
    return Targets(downs, starts, latest, tuple(asked))


def _until_seen(
    pieces: Sequence[Piece], before: dict[str, float], new: dict[str, float], span: Span
) -> Downs:
    """When those that were there before the span were not scraped, up to their first sample in it."""
    firsts: dict[tuple[str, str], float] = {}
    for target, at in new.items():
        firsts[_scrape(target)] = min(at, firsts.get(_scrape(target), at))
    found: Downs = {}
    for target, own in downs_of(pieces, before, span.end.timestamp()).items():
        until = firsts.get(_scrape(target), span.end.timestamp())
        found[target] = [(low, min(high, until)) for low, high in own if low < until]
    return found


def _scrape(target: str) -> tuple[str, str]:
    """Job and instance: the index of names tells no pod."""
    labels = named(target)
    return labels["job"], labels["instance"]


def _both(first: Downs, second: Downs) -> Downs:
    return {one: merged([*first.get(one, ()), *second.get(one, ())]) for one in sorted({*first, *second})}


def _before(
    pieces: Sequence[Piece], new: dict[str, float], selector: str, span: Span, metrics: RawMetrics
) -> dict[str, float]:
    """Targets that were there in the week before the span, and were not seen when it began.

    They may be down since. Of one that comes back, only while it was not seen.
    """
    scraped = {part.target for piece in pieces for part in piece.series if is_scraped(part.target)}
    if not scraped:
        return {}
    seen = {named(target)["instance"] for target in scraped if target not in new}
    jobs = sorted({named(target)["job"] for target in scraped})
    known = metrics.label_values("instance", selector, span.start - LOOKED_BACK, span.start)
    at = span.start.timestamp() - ORDERLY_SECONDS - 1
    return {
        "\x00".join({"job": job, "instance": one}.get(name, "") for name in TARGET_LABELS): at
        for one in known
        if one not in seen
        for job in jobs
    }
