"""Taking back what a run did, last first.

Invariant: what was done and cannot be taken back is named, and then the run is not called rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import Ending, Role, Runbook, RunStatus, State, Step, StepOutcome
from maestro_cli.runbooks.session import Session


@dataclass(frozen=True, slots=True)
class Hands:
    """How a rollback acts: perform a step, ask a step's probe, tell of a cancellation."""

    perform: Callable[[Step], StepOutcome]
    ask_probe: Callable[[Step], StepOutcome]
    cancelled: Callable[[str, StepOutcome], Ending]


def roll_back(
    runbook: Runbook, session: Session, ledger: Ledger, hands: Hands, part: Step, cause: StepOutcome
) -> Ending:
    """Undo every step that altered the world, in reverse order of completion; resumable.

    `part` is what failed. Without anything to undo the run has simply failed.
    """
    reason = f"{part.name}: {cause.reason}"
    done = [step for step in runbook.steps if step.mutates and _altered(step, ledger, hands)]
    if not done:
        return Ending(RunStatus.FAILED, cause.exit_code, reason, part.path)
    done.sort(key=lambda step: _ended(step, ledger), reverse=True)
    if not any(_has_undo_record(step, ledger) for step in done):
        data = {"step": part.path, "reason": reason, "undo": [step.path for step in done]}
        session.append("run.rolling_back", data)
    left = [step.path for step in done if _undo_of(step) is None]
    for step in done:
        undo = _undo_of(step)
        if undo is None:
            continue
        outcome = hands.perform(undo)
        if outcome.state is State.OK:
            continue
        if outcome.state is State.WAITING:
            return Ending(RunStatus.WAITING, ExitCode.WAITING_APPROVAL, outcome.reason, undo.path)
        if outcome.state is State.CANCELLED:
            return hands.cancelled(undo.path, outcome)
        status = RunStatus.UNKNOWN if outcome.state is State.UNKNOWN else RunStatus.ROLLBACK_FAILED
        return Ending(status, ExitCode.UNDO_FAILED, f"{reason}; {undo.path}: {outcome.reason}", undo.path)
    if left:
        names = ", ".join(left)
        return Ending(
            RunStatus.ROLLBACK_FAILED, ExitCode.UNDO_FAILED, f"{reason}; no undo for {names}", part.path
        )
    return Ending(RunStatus.ROLLED_BACK, ExitCode.ROLLED_BACK, reason, part.path)


def _altered(step: Step, ledger: Ledger, hands: Hands) -> bool:
    """Whether there is something of it to take back; a failed step counts unless its probe denies it."""
    state = ledger.state(step.path)
    if state is State.OK:
        return True
    if state not in (State.FAILED, State.TIMED_OUT) or step.kind == "change":
        return False  # never started, or a change, which cleans up after itself
    return _has_undo_record(step, ledger) or hands.ask_probe(step).state is not State.REDO


def _ended(step: Step, ledger: Ledger) -> int:
    last = ledger.last(step.path)
    return last.seq if last is not None else 0


def _has_undo_record(step: Step, ledger: Ledger) -> bool:
    undo = _undo_of(step)
    return undo is not None and ledger.last(undo.path) is not None


def _undo_of(step: Step) -> Step | None:
    """The fence that undoes it; a change without one is undone by the change pipeline."""
    if step.undo is not None or step.kind != "change":
        return step.undo
    return Step(
        path=f"{step.path}/undo",
        role=Role.UNDO,
        kind="change",
        body="",
        line=step.line,
        heading=step.heading,
        title=f"undo {step.name}",
        mutates=True,
    )
