"""From inputs and what was measured to a report. Pure but for what `outside` asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from maestro_cli.core.errors import MaestroError, NoData, UsageError
from maestro_cli.core.verdict import Judgement, Verdict, combine
from maestro_cli.slo.measuring.distribution import Distribution, distribution_of
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.model import Excluded, Measured
from maestro_cli.slo.measuring.window import Span, previous_span
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.report.credits import credit_of, dearest
from maestro_cli.slo.report.model import Inputs, Line, SlaReport, Unmeasured

Measuring = Callable[[Callable[[Objective], Line], Iterable[Objective]], Iterable[Line]]
_Missing = dict[tuple[str, datetime], str]


def build_report(inputs: Inputs, outside: Outside, measuring: Measuring = map) -> SlaReport:
    """Measure every objective over the period and those before it; raises what measuring raises.

    The inputs of the report say what could not be measured, so that it is not asked for again. `measuring`
    calls for each objective, in order or beside one another, and gives the lines in order.
    """
    missing = {(one.objective, one.start): one.why for one in inputs.unmeasured}
    unknown = {(one.objective, one.start): one.why for one in inputs.undistributed}

    def line(objective: Objective) -> Line:
        found = _line(objective, inputs, outside, missing)
        return replace(found, distribution=_distribution(found, inputs, outside, missing, unknown))

    lines = tuple(measuring(line, inputs.objectives))
    verdict = combine(one.counted(inputs.terms).judgement for one in lines)
    if verdict is Verdict.PASS and not inputs.is_over:
        verdict = Verdict.INDETERMINATE
    credit = dearest(one.credit for one in lines)
    told = replace(inputs, unmeasured=_told(missing), undistributed=_told(unknown))
    return SlaReport(told, lines, verdict, credit)


def _told(missing: _Missing) -> tuple[Unmeasured, ...]:
    return tuple(Unmeasured(name, start, why) for (name, start), why in sorted(missing.items()))


def spans_of(inputs: Inputs, objective: Objective) -> Iterator[Span]:
    """The period of the objective, and those before it, the latest first."""
    span = inputs.span_of(objective)
    yield span
    for _ in range(inputs.previous):
        span = previous_span(span, inputs.unit)
        yield span


def _line(objective: Objective, inputs: Inputs, outside: Outside, missing: _Missing) -> Line:
    first, *others = (
        _measured(objective, span, inputs, outside, missing) for span in spans_of(inputs, objective)
    )
    before = [replace(one, minutes=None) for one in others]  # nothing is drawn of them
    line = Line(first, tuple(before), None)
    return replace(line, credit=credit_of(line.counted(inputs.terms), inputs.terms))


def _measured(
    objective: Objective,
    span: Span,
    inputs: Inputs,
    outside: Outside,
    missing: _Missing,
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
            missing[key] = _why(error)
    return _unmeasured(objective, span, span.until(outside.now), missing[key])


def _distribution(
    line: Line, inputs: Inputs, outside: Outside, missing: _Missing, unknown: _Missing
) -> Distribution | None:
    """Of this period; what cannot be asked for is put into `unknown`."""
    key = line.objective.name, line.measured.span.start
    if key in missing or key in unknown:
        return None
    try:
        return distribution_of(line.objective, line.measured.span, outside)
    except (UsageError, NoData) as error:
        unknown[key] = _why(error)
        return None


def _why(error: MaestroError) -> str:
    return ": ".join(filter(None, (error.what, error.why)))


def _unmeasured(objective: Objective, span: Span, over: Span, why: str) -> Measured:
    return Measured(
        objective, span, over,
        good=None, total=None, ratio=None, bounds=None, coverage=0.0,
        judgement=Judgement(Verdict.INDETERMINATE, 0.0, why),
        budget_consumed=None, budget_projected=None, budget_left=None, bad_minutes=None, exact=False,
    )  # fmt: skip
