"""An SLA report as Markdown. Invariant: pure; a text from outside is escaped; times are UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from maestro_cli.core.markdown_parts import at, table, text
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import markdown_code
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.bracketed import at_least, at_most, ratio_words, spent_words
from maestro_cli.slo.measuring.measure import retention_words
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.verdict import bad_minutes_words, percent
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Method
from maestro_cli.slo.report.document import digest_of
from maestro_cli.slo.report.model import Credit, Exclusion, Line, SlaReport
from maestro_cli.slo.report.pictures import PICTURES, picture_name, pictures_in
from maestro_cli.slo.report.remarks import long_gaps, remark_on, spent_in
from maestro_cli.slo.report.shapes import worst_hours

MOST_NAMES = 5  # of objectives in a sentence


def report_markdown(report: SlaReport, pictures: str = PICTURES) -> str:
    """The whole report; the first picture is `1-budget.svg` in the folder `pictures`."""
    objectives = partial(_objectives, pictures=pictures)
    parts = (_head, _summary, _method, objectives, _excluded, _incidents, _drills)
    return "\n".join(line for part in parts for line in part(report)).rstrip() + "\n"


def _head(report: SlaReport) -> Iterator[str]:
    inputs = report.inputs
    terms = inputs.terms
    yield f"# SLA report {text(inputs.span.label or str(inputs.span), 60)}"
    yield ""
    yield f"**{report.verdict.value}**{_of(terms.name, terms.customer)}: {kept_text(report)}."
    yield ""
    rows = [
        ("period", text(period_text(report), 1000)),
        *([("context", text(inputs.context, 80))] if inputs.context else []),
        ("measured from", text(inputs.url, 200)),
        ("asked at", at(inputs.asked_at)),
        ("figure that counts", "without what is excluded" if terms.judged == "adjusted" else "as measured"),
    ]
    retention = retention_words(inputs.whole, inputs.retention_seconds, inputs.asked_at)
    if retention:
        rows.append(("retention", retention))
    if report.credit is not None:
        rows.append(("credit", f"{credit_text(report.credit)} ({text(report.credit.why)})"))
    yield from table(("", ""), rows)
    yield ""


def period_text(report: SlaReport) -> str:
    """From when to when; where objectives have zones of their own, of which it is in which."""
    names: dict[Span, list[str]] = {}
    for line in report.lines:
        names.setdefault(line.measured.span, []).append(line.objective.name)
    first = report.inputs.span
    spans = [first, *(one for one in names if one != first)] if first in names or not names else list(names)
    told = [f"{span}{'' if span == first else _named(names[span])}" for span in spans]
    return "; ".join(told) + ("" if report.inputs.is_over else ", not over")


def _named(names: Sequence[str]) -> str:
    """` of shop, till and 2 more, whose calendar it is`"""
    more = len(names) - MOST_NAMES
    others = f" and {more} more" if more > 0 else ""
    return f" of {', '.join(names[:MOST_NAMES])}{others}, whose calendar it is"


def kept_text(report: SlaReport) -> str:
    """How many promises were kept, were broken, and are not known."""
    found = [line.counted(report.inputs.terms).judgement.verdict for line in report.lines]
    told = [f"{found.count(Verdict.PASS)} of {len(found)} promises kept"]
    told += [
        f"{found.count(verdict)} {words}"
        for verdict, words in ((Verdict.FAIL, "broken"), (Verdict.INDETERMINATE, "not known"))
        if verdict in found
    ]
    return ", ".join(told)


def _of(name: str, customer: str) -> str:
    words = " for ".join(filter(None, (text(name, 80), text(customer, 80))))
    return f" by the contract {words}" if words else ""


def _summary(report: SlaReport) -> Iterator[str]:
    yield "## Objectives"
    yield ""
    is_adjusted = any(line.measured.adjusted is not None for line in report.lines)
    head = ["objective", "promise", "verdict", "measured", *(["adjusted"] if is_adjusted else [])]
    head += ["bounds", "seen", "spent", "before"]
    if report.inputs.terms.tiers:
        head.append("credit")
    yield from table(head, (_summary_row(line, report, is_adjusted) for line in report.lines))
    if not report.lines:
        yield "No objective is part of it."
    yield ""
    for line in report.lines:
        yield f"- {text(line.objective.title, 60)}: {_why(line, report)}"
    yield ""


def _summary_row(line: Line, report: SlaReport, is_adjusted: bool) -> list[str]:
    counted, raw = line.counted(report.inputs.terms), line.measured
    cells = [
        text(line.objective.title, 60),
        text(line.measured.promise, 60),
        f"**{counted.judgement.verdict.value}**",
        ratio_text(raw),
    ]
    if is_adjusted:
        cells.append("" if raw.adjusted is None else ratio_text(raw.adjusted))
    cells += [
        bounds_text(counted),
        f"{counted.coverage:.1%}",
        spent_text_of(counted),
        ", ".join(map(ratio_text, line.previous)),
    ]
    if report.inputs.terms.tiers:
        cells.append(credit_text(line.credit))
    return cells


def _why(line: Line, report: SlaReport) -> str:
    return f"**{line.counted(report.inputs.terms).judgement.verdict.value}**, {text(why_text(line, report))}"


def why_text(line: Line, report: SlaReport) -> str:
    """Why the verdict of an objective is what it is."""
    counted = line.counted(report.inputs.terms)
    return "; ".join(filter(None, (counted.judgement.reason, long_gaps(counted), remark_on(counted))))


def _method(report: SlaReport) -> Iterator[str]:
    yield "## How it was measured"
    yield ""
    yield report.method
    yield ""
    yield "`maestro sla verify BUNDLE` recomputes every figure from the bundle of this report, offline."
    yield ""


def _objectives(report: SlaReport, pictures: str) -> Iterator[str]:
    for number, line in enumerate(report.lines, 1):
        yield from _objective(number, line, pictures)


def _objective(number: int, line: Line, pictures: str) -> Iterator[str]:
    objective, measured = line.objective, line.measured
    yield f"## {text(objective.title, 100)}"
    yield ""
    yield f"{text(objective.name, 100)}: {text(measured.promise, 100)}, by {objective.method.value.lower()}."
    remark = remark_on(measured)
    if remark:
        yield f"This is {remark}."
    yield ""
    yield from _figures("as measured", measured)
    if measured.adjusted is not None:
        yield from _figures("without what is excluded", measured.adjusted)
    for kind, words in pictures_in(line):
        yield f"![{words}]({pictures}/{picture_name(number, kind)})"
        yield ""
    worst = worst_hours(measured)
    if worst:
        digits = 2 if objective.method is Method.RATIO_TIMESLICES else 0
        rows = (
            (at(hour.start), f"{hour.bad:,.{digits}f}", f"{hour.total:,.0f}", f"{share:.1%}")
            for hour, share in worst
        )
        yield from table(("worst hours", "bad", objective.method.counted, "share of the budget"), rows)
        yield ""
    yield from _asked(measured)


def _figures(title: str, measured: Measured) -> Iterator[str]:
    words = [f"- {title}: **{measured.judgement.verdict.value}**, {text(measured.judgement.reason)}"]
    if measured.good is not None and measured.total is not None:
        bad = bad_minutes_words(measured)
        bad = bad and f", {at_most(measured)}{bad}"
        counts = f"{at_least(measured)}{measured.good:,.0f} of {measured.total:,.0f} good{bad}"
        words.append(f"  - {counts}, seen {measured.coverage:.2%}")
    words += [f"  - {text(note)}" for note in measured.notes]
    yield from words
    yield ""


def _asked(measured: Measured) -> Iterator[str]:
    """The queries, from when to when they were asked, and one digest over all answers."""
    queries = list(dict.fromkeys(one.promql for one in measured.queries))
    if not queries:
        return
    first, last = measured.queries[0], measured.queries[-1]
    instants = sorted({one.at for one in measured.queries})
    yield markdown_code("\n".join(queries))
    yield ""
    when = at(instants[0]) if len(instants) == 1 else f"{at(instants[0])} to {at(instants[-1])}"
    yield f"From {at(first.start)} to {at(last.end)}, asked {when}; SHA-256 `{digest_of(measured.queries)}`."
    yield ""


def _excluded(report: SlaReport) -> Iterator[str]:
    yield from _exclusions("Excluded", report, report.inputs.exclusions)
    yield from _exclusions("Not excluded, since nobody approved it", report, report.inputs.waiting)


def _exclusions(title: str, report: SlaReport, exclusions: Sequence[Exclusion]) -> Iterator[str]:
    """Those of the period; those of the periods before are in the bundle alone."""
    span = report.inputs.whole
    exclusions = [one for one in exclusions if one.start < span.end and one.end > span.start]
    if not exclusions:
        return
    yield f"## {title}"
    yield ""
    rows = (
        (
            text(one.id, 60),
            at(one.start),
            at(one.end),
            text(one.reason),
            text(one.owner, 80),
            text(one.approved_by, 80) or "nobody",
            text(", ".join(one.objectives), 200) or "all",
        )
        for one in exclusions
    )
    yield from table(("what", "from", "to", "why", "owner", "approved by", "objectives"), rows)
    yield ""


def _incidents(report: SlaReport) -> Iterator[str]:
    yield "## Incidents"
    yield ""
    rows = [
        (
            text(one.id, 40),
            text(one.severity, 10),
            text(one.title, 100),
            at(one.started_at),
            "not known" if one.seconds is None else format_duration(one.seconds),
            text(spent_text(spent_in(report, one)), 200),
        )
        for one in report.inputs.incidents
    ]
    if rows:
        yield from table(("incident", "severity", "what", "began", "lasted", "budgets spent meanwhile"), rows)
    else:
        yield "None is on record."
    yield ""


def _drills(report: SlaReport) -> Iterator[str]:
    if not report.inputs.drills:
        return
    yield "## Drills"
    yield ""
    rows = (
        (
            at(one.at),
            text(one.name, 60),
            one.verdict.value,
            _seconds(one.rto_seconds),
            _seconds(one.rpo_seconds),
        )
        for one in report.inputs.drills
    )
    yield from table(("when", "drill", "verdict", "measured RTO", "measured RPO"), rows)
    yield ""


def spent_text(spent: Sequence[tuple[str, float]], most: int = 3) -> str:
    """`62.0% of answers, 3.1% of fast`; what was spent of no budget is said so."""
    return ", ".join(f"{share:.1%} of {name}" for name, share in spent[:most]) or "nothing"


def _seconds(seconds: float | None) -> str:
    return "not measured" if seconds is None else format_duration(seconds)


def ratio_text(measured: Measured) -> str:
    return ratio_words(measured) or "not known"


def spent_text_of(measured: Measured) -> str:
    """What was spent of the budget; "" where it is not known."""
    if measured.budget_consumed is None or measured.is_bracketed:
        return spent_words(measured)
    return f"{measured.budget_consumed:.1%}"


def bounds_text(measured: Measured) -> str:
    bounds = measured.bounds
    if bounds is None:
        return "0 % to 100 %"
    if bounds.low == bounds.high:
        return "exact"
    target = measured.objective.target
    return f"{percent(bounds.low, target)} to {percent(bounds.high, target)}"


def credit_text(credit: Credit | None) -> str:
    if credit is None:
        return ""
    if credit.is_known:
        return f"{credit.low_percent:g} %"
    return f"{credit.low_percent:g} to {credit.high_percent:g} %"
