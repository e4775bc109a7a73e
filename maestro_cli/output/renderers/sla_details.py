"""What an SLA report tells below its verdicts: its days, how long events took, its incidents and drills.

Invariant: times are UTC, so that everybody reads the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.markdown_parts import at
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.renderers.budget_days import STRIP_LEGEND, burn_down, days_strip
from maestro_cli.output.renderers.durations import durations_blocks
from maestro_cli.output.views import Column, Heading, Lines, Listing
from maestro_cli.slo.measuring.target import days_in
from maestro_cli.slo.report.remarks import spent_in
from maestro_cli.slo.report.text import spent_text

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.distribution import Distribution
    from maestro_cli.slo.report.model import DrillLine, IncidentLine, Line, SlaReport

Block = Heading | Lines | Listing[Any]
_NARROW = 20  # so that a month of days beside it fits into 80 columns


def detail_blocks(report: SlaReport) -> Iterator[Block]:
    """Each with its heading; what there is nothing of is left out, but for incidents."""
    drawn = [line for line in report.lines if line.measured.minutes is not None and line.measured.total]
    if drawn:
        yield Heading("the budget, day by day")
        yield _days(drawn)
        yield Lines(STRIP_LEGEND)
    seen: set[str] = set()
    for line in report.lines:
        found = line.distribution
        if found is None or not found.total or found.queries[0].promql in seen:
            continue
        seen.add(found.queries[0].promql)
        yield from durations_blocks(found, line.objective.name, _promised(found, report))
    yield Heading("incidents")
    yield _incidents(report)
    if report.inputs.drills:
        yield Heading("drills")
        yield _drills(report)


def _days(lines: list[Line]) -> Listing[Line]:
    columns: tuple[Column[Line], ...] = (
        Column("objective", lambda line: line.objective.name),
        Column("burn-down", lambda line: burn_down(line.measured, _NARROW), priority=2, keeps_end=True),
        Column("what each day spent", lambda line: f"[{days_strip(days_in(line.measured))}]", priority=1),
    )
    return Listing("sla-days/v1", columns, lines, document=lambda line: line.objective.name)


def _promised(found: Distribution, report: SlaReport) -> Mapping[float, Sequence[str]]:
    """Who promises which threshold of the same histogram."""
    promised: dict[float, list[str]] = {}
    for line in report.lines:
        own = line.distribution
        if own is not None and own.queries[0].promql == found.queries[0].promql:
            promised.setdefault(own.threshold_seconds, []).append(line.objective.name)
    return promised


def _incidents(report: SlaReport) -> Listing[IncidentLine]:
    columns: tuple[Column[IncidentLine], ...] = (
        Column("incident", lambda one: one.id),
        Column("severity", lambda one: one.severity, priority=1),
        Column("what", lambda one: one.title, folds=True, priority=2),
        Column("began", lambda one: at(one.started_at), priority=2),
        Column("lasted", lambda one: _seconds(one.seconds, "not known"), right=True, priority=1),
        Column("budgets spent meanwhile", lambda one: spent_text(spent_in(report, one)), priority=1),
    )
    return Listing(
        "sla-incidents/v1", columns, report.inputs.incidents, document=plain, empty="none is on record"
    )


def _drills(report: SlaReport) -> Listing[DrillLine]:
    columns: tuple[Column[DrillLine], ...] = (
        Column("drill", lambda one: one.name),
        Column("verdict", lambda one: one.verdict.value, priority=1),
        Column("when", lambda one: at(one.at), priority=2),
        Column("measured RTO", lambda one: _seconds(one.rto_seconds), right=True, priority=1),
        Column("measured RPO", lambda one: _seconds(one.rpo_seconds), right=True, priority=1),
    )
    return Listing("sla-drills/v1", columns, report.inputs.drills, document=plain)


def _seconds(seconds: float | None, unknown: str = "not measured") -> str:
    return unknown if seconds is None else format_duration(seconds)
