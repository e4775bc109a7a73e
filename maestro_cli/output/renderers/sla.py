"""SLA reports as a view, and what verifying a bundle found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli import __version__
from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import counted
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.sla_details import detail_blocks
from maestro_cli.output.tones import verdict_tone
from maestro_cli.output.views import Column, Fields, Listing, Report
from maestro_cli.slo.bracketed import at_most
from maestro_cli.slo.measuring.measure import retention_words
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.text import (
    bounds_text,
    credit_text,
    kept_text,
    period_text,
    ratio_text,
    spent_text_of,
    why_text,
)

if TYPE_CHECKING:
    from maestro_cli.slo.measuring.model import Measured
    from maestro_cli.slo.report.bundle import Problem, Verification
    from maestro_cli.slo.report.model import Line, SlaReport


def sla_view(report: SlaReport) -> Report:
    """The verdicts, then why; JSON is the whole report, as in the bundle; CSV a row an objective."""
    inputs = report.inputs
    rows: list[tuple[str, object]] = [
        ("verdict", f"{report.verdict.value}: {kept_text(report)}"),
        ("period", period_text(report)),
    ]
    retention = retention_words(inputs.whole, inputs.retention_seconds, inputs.asked_at)
    if retention:
        rows.append(("retention", retention))
    if inputs.terms.name:
        rows.append(("contract", " for ".join(filter(None, (inputs.terms.name, inputs.terms.customer)))))
    if report.credit is not None:
        rows.append(("credit", f"{credit_text(report.credit)}: {report.credit.why}"))
    if inputs.context:
        rows.append(("context", inputs.context))
    if inputs.exclusions:
        rows.append(("excluded", _stretches(len(inputs.exclusions), ", out of the adjusted figures")))
    if inputs.waiting:
        rows.append(("not excluded", _stretches(len(inputs.waiting), " that nobody approved")))
    lines = Listing(
        "sla-objectives/v1", _columns(report), report.lines, document=lambda line: line.objective.name
    )
    blocks = (Fields(rows), lines, *detail_blocks(report))
    return Report("sla-report/v1", report_document(report), blocks, rows=lines)


def _before(line: Line) -> str:
    return ", ".join(f"{ratio_text(one)} {one.judgement.verdict.value}" for one in line.previous)


def _bad_minutes(measured: Measured) -> int | str | None:
    many = measured.bad_minutes
    return f"{at_most(measured)}{many}" if many and measured.is_bracketed else many


def _stretches(count: int, words: str) -> str:
    return f"{count} stretch{'' if count == 1 else 'es'}{words}"


def _columns(report: SlaReport) -> tuple[Column[Line], ...]:
    terms = report.inputs.terms

    def counted(line: Line) -> Measured:
        return line.counted(terms)

    has_adjusted = any(line.measured.adjusted is not None for line in report.lines)
    adjusted: Column[Line] = Column("adjusted", _adjusted, right=True)
    credit: Column[Line] = Column("credit", lambda line: credit_text(line.credit), right=True, priority=3)
    return (
        Column("objective", lambda line: line.objective.name),
        Column(
            "verdict",
            lambda line: counted(line).judgement.verdict.value,
            tone=lambda line: verdict_tone(counted(line).judgement.verdict.value),
            priority=1,
        ),
        Column("measured", lambda line: ratio_text(line.measured), right=True, priority=1),
        *((adjusted,) if has_adjusted else ()),
        Column("spent", lambda line: spent_text_of(counted(line)), right=True, priority=1),
        Column("why", lambda line: why_text(line, report), priority=2, folds=True),
        Column("bounds", lambda line: bounds_text(counted(line)), right=True),
        Column("seen", lambda line: f"{counted(line).coverage:.1%}", right=True),
        Column("before", _before, right=True, priority=3),
        *((credit,) if terms.tiers else ()),
        Column("promise", lambda line: line.measured.promise, priority=3),
        Column("bad minutes", lambda line: _bad_minutes(counted(line)), right=True, priority=3),
    )


def verification_view(path: Path, found: Verification, *, is_trusted: bool) -> Report:
    """The verdict, who signed it, the digest, and each problem."""
    report = found.report
    rows: list[tuple[str, object]] = [
        ("verdict", found.verdict.value),
        ("why", _why(found)),
        ("bundle", str(path)),
        ("signed by", _signer(found, is_trusted)),
        ("digest", found.digest),
        ("period", period_text(report)),
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
        "signed_by": found.signed_by or None,
        "is_trusted": is_trusted,
        "file": str(path),
        "problems": plain(found.problems),
        "report_verdict": report.verdict.value,
    }
    empty = "no problem was found" if found.verdict is Verdict.PASS else "no file and no figure is another"
    problems = Listing("sla-problems/v1", columns, found.problems, empty=empty)
    return Report("sla-verification/v1", document, (Fields(rows), problems))


def _signer(found: Verification, is_trusted: bool) -> str:
    if not found.signed_by:
        return "nobody: who changes all of it is not noticed, but by another digest"
    return f"{found.signed_by}, {'which is trusted' if is_trusted else 'which nobody here said to trust'}"


def _adjusted(line: Line) -> str:
    return "" if line.measured.adjusted is None else ratio_text(line.measured.adjusted)


def _why(found: Verification) -> str:
    if found.problems:
        return (
            f"{counted(len(found.problems), 'thing')} not as the manifest says, or not what recomputing gives"
        )
    every = "every figure is what recomputing it from the bundle gives"
    return every if found.verdict is Verdict.PASS else f"{every}, and nobody who you trust says so"
