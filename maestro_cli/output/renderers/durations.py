"""How long events took, for a terminal: a row a bucket. For a look, never for a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.histogram import percentage
from maestro_cli.output.strips import bar
from maestro_cli.output.views import Column, Heading, Listing
from maestro_cli.slo.report.document import QUANTILES

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.distribution import Distribution

_WIDTH = 30


def durations_blocks(
    found: Distribution, name: str, promised: Mapping[float, Sequence[str]]
) -> Iterator[Heading | Listing[Any]]:
    """Of the events of an objective; `promised` are the names of those that promise each threshold."""
    told = ", ".join(quantile_words(found, share) for share in QUANTILES)
    yield Heading(f"how long events of {name} took: {told}")
    most, total = max(found.events), found.total
    columns: tuple[Column[tuple[float, float]], ...] = (
        Column("within", lambda row: boundary_words(row[0]), right=True),
        Column("share", lambda row: percentage(row[1] / total), right=True, priority=1),
        Column("events", lambda row: bar(row[1] / most, _WIDTH), priority=1),
        Column("promised", lambda row: ", ".join(promised.get(row[0], ())), priority=1),
    )
    yield Listing("sla-durations/v1", columns, list(zip(found.ends, found.events, strict=True)))


def durations_document(found: Distribution | None) -> dict[str, Any] | None:
    """Events by bucket, as PromQL extrapolates them; the last bucket has no end."""
    if found is None:
        return None
    return {
        "query": found.queries[0].promql,
        "buckets": [
            {"within_seconds": None if math.isinf(end) else end, "events": events}
            for end, events in zip(found.ends, found.events, strict=True)
        ],
    }


def boundary_words(end: float) -> str:
    """The upper end of a bucket for people."""
    return "more" if math.isinf(end) else limit_text(end)


def limit_text(seconds: float) -> str:
    """`100 ms`, `2.5 s`, `2m00s`."""
    if seconds < 1:
        return f"{1000 * seconds:g} ms"
    return f"{seconds:g} s" if seconds < 60 else format_duration(seconds)


def quantile_words(found: Distribution, share: float) -> str:
    """`95 % within 87 ms`, or that it is more than the last bucket that ends."""
    at = found.quantile(share)
    if at is None:
        return f"{share:.0%}: not known"
    seconds, is_at_least = at
    return f"{share:.0%} {'over' if is_at_least else 'within'} {limit_text(float(f'{seconds:.3g}'))}"
