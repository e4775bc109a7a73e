"""Looking again until something holds.

Invariant: without `within` it is looked at once; what cannot be asked does not hold, and breaks a `for`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from maestro_cli.core.errors import ExitCode, Unreachable
from maestro_cli.core.quantities import format_duration
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work


def until(
    step: Step, work: Work, look: Callable[[], StepOutcome], *, must_answer_first: bool = False
) -> StepOutcome:
    """The first outcome that is OK and was for `for`; the last one when `within` is over.

    Raises Unreachable when the last look was answered by nobody, and with `must_answer_first` when the first
    one was: a backend that never answered is not worth waiting for.
    """
    has_answered = not must_answer_first
    interval = min(max(step.within_seconds / 60, 0.1), 5.0)
    start = work.clock.monotonic()
    held_since: float | None = None
    while True:
        failure: Unreachable | None = None
        try:
            outcome = look()
        except Unreachable as error:
            if not has_answered:
                raise
            failure, outcome = error, StepOutcome(State.NOT_MET, error.what)
        has_answered = True
        now = work.clock.monotonic()
        if outcome.ok:
            held_since = now if held_since is None else held_since
            if now - held_since >= step.for_seconds:
                held = f" for {format_duration(step.for_seconds)}" if step.for_seconds else ""
                return replace(outcome, reason=outcome.reason + held)
        elif outcome.state is not State.NOT_MET:
            return outcome
        else:
            held_since = None
        left = step.within_seconds - (now - start)
        work.progress.update(f"{step.name}: {outcome.reason}")
        if left <= 0 or (held_since is None and left < step.for_seconds):
            break
        if work.cancellation.wait(min(interval, max(left, 0.05))):
            return StepOutcome(State.CANCELLED, "cancelled while waiting")
    if failure is not None:
        raise failure
    return _too_late(step, outcome)


def _too_late(step: Step, outcome: StepOutcome) -> StepOutcome:
    reason = outcome.reason
    if outcome.ok:
        reason = f"{reason}: held, but not for {format_duration(step.for_seconds)}"
    if step.within_seconds:
        reason += f" (within {format_duration(step.within_seconds)})"
    code = ExitCode.CONDITION_NOT_MET
    return replace(outcome, state=State.NOT_MET, reason=reason, captures={}, exit_code=code)
