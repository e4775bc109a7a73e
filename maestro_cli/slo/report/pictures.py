"""Which pictures a report has of an objective, and what they are called. Who draws them is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.slo.report.model import Line

PICTURES = "pictures"  # the folder beside a Markdown document
BUDGET, PERIODS, HOURS, DISTRIBUTION, DENSITY = "budget", "periods", "hours", "latency", "latency-days"


def pictures_in(line: Line) -> Iterator[tuple[str, str]]:
    """The kinds of pictures of an objective in their order, each with the words for who sees none."""
    measured = line.measured
    has_events = measured.minutes is not None and bool(measured.total)
    if has_events:
        yield BUDGET, "The budget over the period"
    if line.previous and any(one.budget_consumed is not None for one in (measured, *line.previous)):
        yield PERIODS, "The budget spent in this period and in those before"
    if has_events:
        yield HOURS, f"Bad {line.objective.method.counted} by hour and day"
    if line.distribution is not None and line.distribution.total > 0:
        yield DISTRIBUTION, "How long events took"
        yield DENSITY, "How long events took, day by day"


def picture_name(number: int, kind: str) -> str:
    """Of the objective with that number, from 1 on."""
    return f"{number}-{kind}.svg"
