"""One attempt at a step. Invariant: it ends in an outcome, whatever is raised, and no reason has a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maestro_cli.config.secrets import Secrets
from maestro_cli.core.errors import ExitCode, Interrupted, MaestroError, WaitingForApproval
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.steps.registry import kind_of

# Errors whose exit code says more than "a step failed".
_TELLING = {
    ExitCode.UNREACHABLE,
    ExitCode.REFUSED,
    ExitCode.CONDITION_NOT_MET,
    ExitCode.GATE_NOT_MET,
    ExitCode.UNDO_FAILED,
    ExitCode.ROLLED_BACK,
    ExitCode.POLICY_REFUSED,
    ExitCode.TIMEOUT,
}


def attempt(
    step: Step,
    file: str,
    redactor: Redactor,
    secrets: Secrets,
    surroundings: Callable[[Mapping[str, str], Redactor], Work],
) -> StepOutcome:
    """Do a step once, with its secrets read anew; `surroundings` are for their values."""
    try:
        values = {name: secrets.resolve(where, file=file, key=step.path) for name, where in step.secrets}
        redactor = redactor.with_secrets(values.values())
        return kind_of(step.kind).run(step, surroundings(values, redactor))
    except Interrupted:
        return StepOutcome(State.UNKNOWN if step.mutates else State.CANCELLED, "ended by cancellation")
    except WaitingForApproval as error:
        return StepOutcome(State.WAITING, error.what)
    except MaestroError as error:
        return failure_of(error, redactor)


def failure_of(error: MaestroError, redactor: Redactor) -> StepOutcome:
    """The outcome for an error, in its words."""
    reason = f"{error.what}: {error.why}" if error.why else error.what
    code = error.exit_code if error.exit_code in _TELLING else ExitCode.ACTION_FAILED
    return StepOutcome(State.FAILED, redactor.clean(reason), exit_code=code)
