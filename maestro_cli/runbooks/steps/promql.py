"""A PromQL query whose value must be something, perhaps for a while.

Invariant: no data, NaN, more than one series or a warning-only answer never satisfies an expectation
(but `absent`, which an empty answer does); it also breaks a `for` that was holding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from maestro_cli.core.errors import ExitCode, InvalidFile, MaestroError, Unreachable, UsageError
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.verdict import Judgement, Verdict, judge
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work
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
        interval = min(max(step.within_seconds / 60, 0.1), 5.0)
        start = work.clock.monotonic()
        held_since: float | None = None
        error: MaestroError | None = None
        answered = False
        while True:
            judgement, error = self._ask(query, step, work)
            if error is not None and not answered:
                raise error  # a backend that never answered is not worth waiting for
            answered = True
            now = work.clock.monotonic()
            if judgement.passed:
                held_since = now if held_since is None else held_since
                if now - held_since >= step.for_seconds:
                    return _met(judgement, step)
            else:
                held_since = None
            left = step.within_seconds - (now - start)
            work.progress.update(f"{step.name}: {judgement.reason}")
            if left <= 0 or (held_since is None and left < step.for_seconds):
                break
            if work.cancellation.wait(min(interval, max(left, 0.05))):
                return StepOutcome(State.CANCELLED, "cancelled while waiting")
        if error is not None:
            raise error
        return _not_met(judgement, step)

    def _ask(self, query: str, step: Step, work: Work) -> tuple[Judgement, MaestroError | None]:
        """The judgement now; an unreachable backend is no data, and remembered."""
        try:
            answer = work.metrics.query(query)
        except Unreachable as error:
            return Judgement(Verdict.INDETERMINATE, 0.0, error.what), error
        return _judge(answer, step), None


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


def _met(judgement: Judgement, step: Step) -> StepOutcome:
    captures: Mapping[str, str] = {}
    if step.capture:
        captures = {step.capture: _number(judgement.value) if judgement.value is not None else ""}
    held = f" for {format_duration(step.for_seconds)}" if step.for_seconds else ""
    return StepOutcome(State.OK, judgement.reason + held, judgement.value, captures=captures)


def _not_met(judgement: Judgement, step: Step) -> StepOutcome:
    reason = judgement.reason
    if judgement.verdict is Verdict.INDETERMINATE:
        reason = f"INDETERMINATE: {reason}"
    elif judgement.passed:
        reason = f"{reason}: held, but not for {format_duration(step.for_seconds)}"
    if step.within_seconds:
        reason += f" (within {format_duration(step.within_seconds)})"
    value = None if judgement.value is None or math.isnan(judgement.value) else judgement.value
    return StepOutcome(State.NOT_MET, reason, value, exit_code=ExitCode.CONDITION_NOT_MET)


def _number(value: float) -> str:
    return f"{value:.6g}"
