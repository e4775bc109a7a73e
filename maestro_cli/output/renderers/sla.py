"""SLA reports: as a view, and their pictures; and what verifying a bundle found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli import __version__
from maestro_cli.core.canonical import plain
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.heatmap import Heatmap, Row, heatmap_svg
from maestro_cli.output.plots import Plot, svg
from maestro_cli.output.views import Column, Fields, Listing, Report
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.shapes import budget_curve, days
from maestro_cli.slo.report.text import (
    bounds_text,
    credit_text,
    has_pictures,
    picture_name,
    ratio_text,
)

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.model import Measured
    from maestro_cli.slo.report.bundle import Problem, Verification
    from maestro_cli.slo.report.model import Line, SlaReport

TONES = {Verdict.PASS: "good", Verdict.FAIL: "bad", Verdict.INDETERMINATE: "warn"}
_TWO_HOURS = 7200.0


def sla_view(report: SlaReport) -> Report:
    """JSON is the whole report, as in the bundle; CSV a row an objective."""
    inputs = report.inputs
    rows: list[tuple[str, object]] = [
        ("period", str(inputs.span) + ("" if inputs.is_over else ", not over")),
        ("contract", " for ".join(filter(None, (inputs.terms.name, inputs.terms.customer)))),
        ("context", inputs.context),
        ("verdict", report.verdict.value),
    ]
    if report.credit is not None:
        rows.append(("credit", f"{credit_text(report.credit)}: {report.credit.why}"))
    if inputs.exclusions:
        rows.append(("excluded", f"{len(inputs.exclusions)} stretches; as measured and adjusted stand below"))
    if inputs.waiting:
        rows.append(("not excluded", f"{len(inputs.waiting)} stretches that nobody approved"))
    rows += [("incidents", len(inputs.incidents)), ("drills", len(inputs.drills))]
    lines = Listing(
        "sla-objectives/v1", _columns(report), report.lines, document=lambda line: line.objective.name
    )
    return Report("sla-report/v1", report_document(report), (Fields(rows), lines))


def _columns(report: SlaReport) -> tuple[Column[Line], ...]:
    terms = report.inputs.terms

    def counted(line: Line) -> Measured:
        return line.counted(terms)

    return (
        Column("objective", lambda line: line.objective.name),
        Column("promise", lambda line: line.objective.echo, priority=3),
        Column(
            "verdict",
            lambda line: counted(line).judgement.verdict.value,
            tone=lambda line: TONES[counted(line).judgement.verdict],
            priority=1,
        ),
        Column("measured", lambda line: ratio_text(line.measured), right=True, priority=1),
        Column("adjusted", _adjusted, right=True),
        Column("bounds", lambda line: bounds_text(counted(line)), right=True),
        Column("coverage", lambda line: f"{counted(line).coverage:.1%}", right=True),
        Column("budget spent", lambda line: _share(counted(line).budget_consumed), right=True),
        Column("bad minutes", lambda line: counted(line).bad_minutes, right=True, priority=3),
        Column("before", _before, right=True, priority=3),
        Column("credit", lambda line: credit_text(line.credit), right=True, priority=3),
        Column("why", lambda line: counted(line).judgement.reason, priority=3, folds=True),
    )


def _before(line: Line) -> str:
    return ", ".join(f"{ratio_text(one)} {one.judgement.verdict.value}" for one in line.previous)


def pictures_of(report: SlaReport) -> dict[str, str]:
    """SVG by name, as the Markdown names them: the budget over the period, and bad events by hour and day."""
    found: dict[str, str] = {}
    for number, line in enumerate(report.lines, 1):
        if has_pictures(line):
            found[picture_name(number, "budget")] = _budget_picture(line)
            found[picture_name(number, "hours")] = _hours_picture(line)
    return found


def verification_view(path: Path, found: Verification) -> Report:
    """The verdict, the digest, and each problem."""
    report = found.report
    rows: list[tuple[str, object]] = [
        ("verdict", found.verdict.value),
        ("why", _why(found)),
        ("bundle", str(path)),
        ("digest", found.digest),
        ("period", str(report.inputs.span)),
        ("objectives", len(report.lines)),
        ("the report says", report.verdict.value),
        ("made by", f"maestro {report.inputs.maestro}; this is {__version__}"),
    ]
    columns: tuple[Column[Problem], ...] = (
        Column("where", lambda one: one.where),
        Column("problem", lambda one: one.text, tone=lambda _: "bad", priority=1, folds=True),
    )
    document = {
        "verdict": found.verdict.value,
        "digest": found.digest,
        "file": str(path),
        "problems": plain(found.problems),
        "report_verdict": report.verdict.value,
    }
    problems = Listing("sla-problems/v1", columns, found.problems, empty="no problem was found")
    return Report("sla-verification/v1", document, (Fields(rows), problems))


def _adjusted(line: Line) -> str:
    return "" if line.measured.adjusted is None else ratio_text(line.measured.adjusted)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _why(found: Verification) -> str:
    if found.problems:
        return f"{len(found.problems)} things are not as the manifest says, or not what recomputing gives"
    return "every figure is what recomputing it from the bundle gives"


def _budget_picture(line: Line) -> str:
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


def _hours_picture(line: Line) -> str:
    rows = [Row(f"{one.day:%a %d}", one.shares) for one in days(line.measured)]
    title = f"{line.objective.title}: bad events by hour, {line.measured.span.zone}"
    return heatmap_svg(Heatmap(title, rows, line.objective.budget))
