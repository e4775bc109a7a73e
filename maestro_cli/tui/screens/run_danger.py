"""How much a run of a runbook can hurt, and so what is typed before it begins or goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.errors import ExitCode, MaestroError
from maestro_cli.tui.acting.model import Danger

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import Runbook, RunRecord, Step
    from maestro_cli.runbooks.planning import RunPlan


def danger_of_book(book: Runbook) -> Danger:
    """That of the gravest of its steps; what a script alters is written nowhere, nor that it can be taken
    back."""
    graded = (danger_of_step(step) for step in book.steps if step.mutates)
    return max((Danger.REVERSIBLE, *graded), key=list(Danger).index)


def danger_of_step(step: Step) -> Danger:
    from maestro_cli.runbooks.steps.change import asked_kind, reversal_of
    from maestro_cli.tui.screens.changes import danger_of_kind

    if step.kind != "change":
        return Danger.DISRUPTIVE
    unknown = Danger.DISRUPTIVE if reversal_of(step, step.path) else Danger.REVERSIBLE
    return danger_of_kind(asked_kind(step), unknown)


def danger_of_run(run: RunRecord) -> Danger:
    """That of its runbook; one whose file is another now, which is refused anyway, counts as disruptive."""
    from maestro_cli.runbooks.pinned import pinned

    try:
        return danger_of_book(pinned(run))
    except MaestroError:
        return Danger.DISRUPTIVE


def name_to_type(danger: Danger, runbook: str) -> str:
    """The runbook, where what its run does wants more than a button; "" where it does not."""
    return runbook if danger.needs_typing else ""


def why_refused(plan: RunPlan) -> str:
    """Why the gate would refuse its run as things are; "" where it would not."""
    if plan.exit_code not in (ExitCode.GATE_NOT_MET, ExitCode.POLICY_REFUSED):
        return ""
    return next((f"{step.path}: {step.text}" for step in plan.steps if step.state == "refused"), "")
