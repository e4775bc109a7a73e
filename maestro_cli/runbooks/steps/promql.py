"""A PromQL query whose value must be something, perhaps for a while.

Invariant: no data, NaN, more than one series or a warning-only answer never satisfies an expectation
(but `absent`, which an empty answer does); it also breaks a `for` that was holding.
"""

from __future__ import annotations

import math

from maestro_cli.core.errors import ExitCode, InvalidFile, UsageError
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.verdict import Judgement, Verdict, judge
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.steps.waiting import until
from maestro_cli.runbooks.substitution import into_promql, names_in_promql


class PromqlStep:
    def check(self, step: Step, file: str) -> None:
        if not step.body.strip():
            raise InvalidFile("the query is empty", file=file, line=step.line, key=step.path)
        try:
            into_promql(step.body, dict.fromkeys(names_in_promql(step.body), "1"))
        except UsageError as error:
            raise InvalidFile(error.what, file=file, line=step.line, key=step.path, fix=error.fix) from error
        if step.expect is None and not step.capture:
            fix = 'add expect="< 0.01" or capture=NAME'
            raise InvalidFile(
                "nothing is expected of the value", file=file, line=step.line, key=step.path, fix=fix
            )
        if step.expect is None and step.within_seconds:
            what = "waiting for a value needs an expectation"
            raise InvalidFile(what, file=file, line=step.line, key="within", fix='add expect="…"')

    def variables(self, step: Step) -> set[str]:
        return names_in_promql(step.body)

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Ask until the expectation has held for `for`, or `within` is over."""
        query = into_promql(step.body.strip(), work.values)
        return until(
            step,
            work,
            lambda: _outcome(_judge(work.metrics.query(query), step), step),
            must_answer_first=True,
        )


def _judge(answer: Instant, step: Step) -> Judgement:
    expect = step.expect
    if expect is not None and expect.operator in ("absent", "present"):
        there = bool(answer.samples)
        verdict = Verdict.PASS if there == (expect.operator == "present") else Verdict.FAIL
        return Judgement(verdict, 1.0, f"{len(answer.samples)} series")
    if len(answer.samples) != 1:
        why = (
            "no data" if not answer.samples else f"{len(answer.samples)} series, expected one: aggregate them"
        )
        return Judgement(Verdict.INDETERMINATE, 0.0, why)
    value = answer.samples[0].value
    if expect is None:
        known = not math.isnan(value)
        return judge(value, holds=known, coverage=1.0, reason=_number(value) if known else "the value is NaN")
    reason = "the value is NaN" if math.isnan(value) else f"{_number(value)}, expected {expect.text}"
    return judge(value, holds=expect.holds(value), coverage=1.0, reason=reason)


def _outcome(judgement: Judgement, step: Step) -> StepOutcome:
    value = None if judgement.value is None or math.isnan(judgement.value) else judgement.value
    if judgement.passed:
        captures = {step.capture: "" if value is None else _number(value)} if step.capture else {}
        return StepOutcome(State.OK, judgement.reason, value, captures=captures)
    is_known = judgement.verdict is not Verdict.INDETERMINATE
    reason = judgement.reason if is_known else f"INDETERMINATE: {judgement.reason}"
    return StepOutcome(State.NOT_MET, reason, value, exit_code=ExitCode.CONDITION_NOT_MET)


def _number(value: float) -> str:
    return f"{value:.6g}"
