"""From inputs and what was measured to a report. Pure but for what `outside` asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.verdict import Judgement, Verdict, combine
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Excluded, Measured
from maestro_cli.slo.measuring.window import Span, previous_span
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.report.credits import credit_of, dearest
from maestro_cli.slo.report.model import Inputs, Line, SlaReport, Unmeasured

Measuring = Callable[[Callable[[Objective], Line], Iterable[Objective]], Iterable[Line]]


def build_report(inputs: Inputs, outside: Outside, measuring: Measuring = map) -> SlaReport:
    """Measure every objective over the period and those before it; raises what measuring raises.

    The inputs of the report say what could not be measured, so that it is not asked for again. `measuring`
    calls for each objective, in order or beside one another, and gives the lines in order.
    """
    missing: dict[tuple[str, datetime], str] = {
        (one.objective, one.start): one.why for one in inputs.unmeasured
    }
    lines = tuple(measuring(lambda objective: _line(objective, inputs, outside, missing), inputs.objectives))
    verdict = combine(line.counted(inputs.terms).judgement for line in lines)
    if verdict is Verdict.PASS and not inputs.is_over:
        verdict = Verdict.INDETERMINATE
    told = tuple(Unmeasured(name, start, why) for (name, start), why in sorted(missing.items()))
    credit = dearest(line.credit for line in lines)
    return SlaReport(replace(inputs, unmeasured=told), lines, verdict, credit)


def spans_of(inputs: Inputs) -> Iterator[Span]:
    """The period, and those before it, the latest first."""
    span = inputs.span
    yield span
    for _ in range(inputs.previous):
        span = previous_span(span, inputs.unit)
        yield span


def _line(
    objective: Objective, inputs: Inputs, outside: Outside, missing: dict[tuple[str, datetime], str]
) -> Line:
    first, *before = (_measured(objective, span, inputs, outside, missing) for span in spans_of(inputs))
    line = Line(first, tuple(before), None)
    return Line(first, tuple(before), credit_of(line.counted(inputs.terms), inputs.terms))


def _measured(
    objective: Objective,
    span: Span,
    inputs: Inputs,
    outside: Outside,
    missing: dict[tuple[str, datetime], str],
) -> Measured:
    """What cannot be asked for is not known, and is put into `missing`; the others can still be measured."""
    key = objective.name, span.start
    excluded = [
        Excluded(one.start, one.end, one.id) for one in inputs.exclusions if one.is_for(objective.name)
    ]
    if key not in missing:
        try:
            return measure(objective, span, outside, excluded)
        except (UsageError, NoData) as error:
            missing[key] = ": ".join(filter(None, (error.what, error.why)))
    return _unmeasured(objective, span, span.until(outside.now), missing[key])


def _unmeasured(objective: Objective, span: Span, over: Span, why: str) -> Measured:
    return Measured(
        objective, span, over,
        good=None, total=None, ratio=None, bounds=None, coverage=0.0,
        judgement=Judgement(Verdict.INDETERMINATE, 0.0, why),
        budget_consumed=None, budget_projected=None, budget_left=None, bad_minutes=None, exact=False,
    )  # fmt: skip
