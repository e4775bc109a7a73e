"""The pictures of an SLA report. Invariant: made of the report alone, so that two people draw the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from maestro_cli.output.density import Density, density_svg
from maestro_cli.output.heatmap import Heatmap, Row, heatmap_svg
from maestro_cli.output.histogram import Bar, Histogram, histogram_svg
from maestro_cli.output.plots import Plot, svg
from maestro_cli.output.renderers.durations import boundary_words, limit_text
from maestro_cli.output.whiskers import Period, Whiskers, whiskers_svg
from maestro_cli.slo.measuring.verdict import percent
from maestro_cli.slo.objectives import Latency, Method
from maestro_cli.slo.report import pictures as named
from maestro_cli.slo.report.shapes import budget_curve, days
from maestro_cli.slo.report.text import ratio_text, spent_text_of

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.model import Measured
    from maestro_cli.slo.report.model import Line, SlaReport

_TWO_HOURS = 7200.0


def pictures_of(report: SlaReport) -> dict[str, str]:
    """SVG by name, as the Markdown names them."""
    return {
        named.picture_name(number, kind): _DRAWN[kind](line)
        for number, line in enumerate(report.lines, 1)
        for kind, _ in named.pictures_in(line)
    }


def _budget(line: Line) -> str:
    measured = line.measured
    return svg(
        Plot(
            title=f"{line.objective.title}: budget left",
            unit="%",
            points=[(at.timestamp(), 100 * left) for at, left in budget_curve(measured)],
            start=measured.span.start.timestamp(),
            end=measured.span.end.timestamp(),
            gap_seconds=_TWO_HOURS,
        )
    )


def _hours(line: Line) -> str:
    rows = [Row(f"{one.day:%a %d}", one.shares, one.seen) for one in days(line.measured)]
    kind, method = line.objective.indicator, line.objective.method
    what = f"bad {method.counted}"
    if isinstance(kind, Latency) and method is Method.OCCURRENCES:
        what = f"slower than {limit_text(kind.threshold_seconds)}"
    title = f"{line.objective.title}: {what} by hour, {line.measured.span.zone}"
    return heatmap_svg(Heatmap(title, rows, line.objective.budget))


def _periods(line: Line) -> str:
    title = f"{line.objective.title}: budget spent, as measured"
    found = [_period(one) for one in (line.measured, *line.previous)]
    return whiskers_svg(Whiskers(title, found, "the whole budget"))


def _period(measured: Measured) -> Period:
    bounds, budget = measured.bounds, measured.objective.budget
    spent = measured.budget_consumed
    low, high = (None, None)
    if bounds is not None and budget > 0:
        low, high = (1 - bounds.high) / budget, (1 - bounds.low) / budget
    share = "not known" if spent is None else f"{spent_text_of(measured)} spent"
    label = measured.span.label or f"{measured.span.start:%Y-%m-%d}"
    return Period(label, spent, low, high, f"{measured.judgement.verdict.value}, {share}")


def _distribution(line: Line) -> str:
    found = line.distribution
    if found is None:
        return ""
    bars = [
        Bar(boundary_words(end), events, end > found.threshold_seconds)
        for end, events in zip(found.ends, found.events, strict=True)
    ]
    return histogram_svg(Histogram(f"{line.objective.title}: how long events took", bars, _promised(line)))


def _density(line: Line) -> str:
    found = line.distribution
    if found is None:
        return ""
    return density_svg(
        Density(
            title=f"{line.objective.title}: how long events took, day by day",
            rows=[boundary_words(end) for end in found.ends],
            columns=[(f"{day:%a %d}", _shares(counts)) for day, counts in found.days(line.measured.span)],
            within=sum(end <= found.threshold_seconds for end in found.ends),
            boundary=f"promised: {_promised(line)}",
        )
    )


def _shares(counts: tuple[float, ...] | None) -> tuple[float, ...] | None:
    total = math.fsum(counts or ())
    return tuple(events / total for events in counts) if counts is not None and total > 0 else None


def _promised(line: Line) -> str:
    found = line.distribution
    limit = limit_text(0.0 if found is None else found.threshold_seconds)
    return f"{percent(line.objective.target)} within {limit}; {ratio_text(line.measured)} were"


_DRAWN: dict[str, Callable[[Line], str]] = {
    named.BUDGET: _budget,
    named.PERIODS: _periods,
    named.HOURS: _hours,
    named.DISTRIBUTION: _distribution,
    named.DENSITY: _density,
}
