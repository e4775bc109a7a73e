"""One value that a step printed, fetched or was told, and what it must be.

Invariant: what is recorded is one line and holds no secret; what is not as expected is not met, which is no
failure.
"""

from __future__ import annotations

from dataclasses import replace

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.output import HEAD

_SHOWN = 200  # characters of a value in a reason


def with_value(step: Step, outcome: StepOutcome, value: str | None, redactor: Redactor) -> StepOutcome:
    """The outcome of a step that went well, judged by its value and with it as its capture.

    `value` is None when there is none that could be kept.
    """
    if not step.capture and step.expect is None:
        return outcome
    name = step.capture or "expect"
    if value is None or len(value) > HEAD or any(character in value for character in "\0\n\r"):
        return replace(
            outcome, state=State.FAILED, reason=f"{name} needs one line, of at most {HEAD} characters"
        )
    if step.expect is not None and not step.expect.holds_text(value):
        reason = f"{visible(redactor.clean(value), _SHOWN) or 'nothing'}, expected {step.expect.text}"
        return replace(outcome, state=State.NOT_MET, reason=reason, exit_code=ExitCode.CONDITION_NOT_MET)
    if not step.capture:
        return outcome
    if redactor.clean(value) != value:
        reason = f"{step.capture} would hold a secret, and values are recorded"
        return replace(outcome, state=State.FAILED, reason=reason)
    return replace(outcome, captures={step.capture: value})
