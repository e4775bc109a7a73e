"""What has to be asked of targets besides their samples: who was cut off, and whose process is how old.

Invariant: nothing is asked of targets that were there all the time, but for the names of those that were
there in the week before: a look into the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from maestro_cli.slo.measuring.samples import TARGET_LABELS, Piece
from maestro_cli.slo.measuring.starts import appeared, hours_of, starts_of, wanted_starts
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.ports import RawMetrics

LOOKED_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Targets:
    """When targets were there and not seen, when their processes began, and what was asked for that."""

    downs: Downs
    starts: Starts
    asked: tuple[Asked, ...] = ()


def ask_targets(
    pieces: Sequence[Piece], selector: str, span: Span, metrics: RawMetrics, store: Store, now: datetime
) -> Targets:
    """Of the targets of these pieces, and of those that `selector` took before the span."""
    ended, new = ended_targets(pieces, span), appeared(pieces, span)
    ended |= _before(pieces, new, selector, span, metrics)
    downs: Downs = {}
    starts: Starts = {}
    asked: list[Asked] = []
    if ended:
        wanted = wanted_downs(metrics, ended)
        found, more = ask_pieces(wanted, span_after(ended, span), metrics, store, now)
        asked, downs = more, downs_of(found, ended, span.end.timestamp())
    if new:
        found, more = ask_pieces(wanted_starts(metrics, new), hours_of(new, span), metrics, store, now)
        asked, starts = [*asked, *more], starts_of(found, new)
    return Targets(downs, starts, tuple(asked))


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
