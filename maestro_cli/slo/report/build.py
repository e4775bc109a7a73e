"""From inputs and what was measured to a report. Pure but for what `outside` asks."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.verdict import Judgement, Verdict, combine
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Excluded, Measured
from maestro_cli.slo.measuring.window import Span, previous_span
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.report.credits import credit_of, dearest
from maestro_cli.slo.report.model import Inputs, Line, SlaReport


def build_report(inputs: Inputs, outside: Outside) -> SlaReport:
    """Measure every objective over the period and those before it; raises what measuring raises."""
    lines = tuple(_line(objective, inputs, outside) for objective in inputs.objectives)
    judged = [line.counted(inputs.terms).judgement for line in lines]
    return SlaReport(inputs, lines, combine(judged), dearest(line.credit for line in lines))


def spans_of(inputs: Inputs) -> Iterator[Span]:
    """The period, and those before it, the latest first."""
    span = inputs.span
    yield span
    for _ in range(inputs.previous):
        span = previous_span(span, inputs.unit)
        yield span


def _line(objective: Objective, inputs: Inputs, outside: Outside) -> Line:
    first, *before = (_measured(objective, span, inputs, outside) for span in spans_of(inputs))
    line = Line(first, tuple(before), None)
    return Line(first, tuple(before), credit_of(line.counted(inputs.terms), inputs.terms))


def _measured(objective: Objective, span: Span, inputs: Inputs, outside: Outside) -> Measured:
    excluded = [
        Excluded(one.start, one.end, one.id) for one in inputs.exclusions if one.is_for(objective.name)
    ]
    try:
        return measure(objective, span, outside, excluded)
    except (UsageError, NoData) as error:  # this objective cannot be asked for; the others can
        why = ": ".join(filter(None, (error.what, error.why)))
        return _unmeasured(objective, span, span.until(outside.now), why)


def _unmeasured(objective: Objective, span: Span, over: Span, why: str) -> Measured:
    return Measured(
        objective, span, over,
        good=None, total=None, ratio=None, bounds=None, coverage=0.0,
        judgement=Judgement(Verdict.INDETERMINATE, 0.0, why),
        budget_consumed=None, budget_projected=None, budget_left=None, bad_minutes=None, exact=False,
    )  # fmt: skip
