"""Taking back what a run did, last first.

Invariant: what was done and cannot be taken back is named, and then the run is not called rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.iterations import Scope
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import FAILURES, Cause, Ending, Role, RunStatus, State, Step, StepOutcome
from maestro_cli.runbooks.performing import waiting_at
from maestro_cli.runbooks.session import Session
from maestro_cli.runbooks.substitution import into_name

_BEGUN = (*FAILURES, State.CANCELLED, State.UNKNOWN)  # something of it may be done


@dataclass(frozen=True, slots=True)
class Hands:
    """How a rollback acts: perform a step, ask a step's probe, tell of a cancellation."""

    perform: Callable[[Step], StepOutcome]
    ask_probe: Callable[[Step], StepOutcome]
    cancelled: Callable[[str, StepOutcome], Ending]


def roll_back(scope: Scope, session: Session, ledger: Ledger, hands: Hands, cause: Cause) -> Ending:
    """Undo every step and iteration that altered the world, in reverse order of completion; resumable.

    Without anything to undo the run has simply failed.
    """
    reason, path = cause.reason, cause.path
    begun = [one for step in scope.graph.steps if step.mutates for one in scope.started(step)]
    done = [step for step in begun if _altered(step, ledger, hands)]
    if not done:
        return Ending(RunStatus.FAILED, cause.exit_code, reason, path)
    done.sort(key=lambda step: _ended(step, ledger), reverse=True)
    if not any(_has_undo_record(step, ledger) for step in done):
        undo = [step.path for step in done]
        code = int(cause.exit_code)
        session.append("run.rolling_back", {"step": path, "reason": reason, "undo": undo, "exit_code": code})
    left = [step.path for step in done if _undo_of(step) is None]
    for step in done:
        undo_step = _undo_of(step)
        if undo_step is None:
            continue
        lock = into_name(step.lock, scope.values(step.path)) if step.lock else ""
        with session.lock(lock):
            outcome = hands.perform(undo_step)
        if outcome.state is State.OK:
            continue
        if outcome.state is State.WAITING:
            return waiting_at(undo_step.path, outcome)
        if outcome.state is State.CANCELLED:
            return hands.cancelled(undo_step.path, outcome)
        status = RunStatus.UNKNOWN if outcome.state is State.UNKNOWN else RunStatus.ROLLBACK_FAILED
        why = f"{reason}; {undo_step.path}: {outcome.reason}"
        return Ending(status, ExitCode.UNDO_FAILED, why, undo_step.path)
    if left:
        why = f"{reason}; no undo for {', '.join(left)}"
        return Ending(RunStatus.ROLLBACK_FAILED, ExitCode.UNDO_FAILED, why, path)
    return Ending(RunStatus.ROLLED_BACK, ExitCode.ROLLED_BACK, reason, path)


def _altered(step: Step, ledger: Ledger, hands: Hands) -> bool:
    """Whether there is something of it to take back; other ends count unless the probe denies it."""
    state = ledger.state(step.path)
    if state is State.OK:
        return True
    if state in FAILURES and step.kind == "change":
        return False  # it cleans up after itself
    is_begun = state in _BEGUN or (state is State.WAITING and step.kind == "runbook")
    if not is_begun:
        return False  # it never started
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
