"""Runbook steps ask for changes through the one pipeline.

Invariant: the consent a run brings is for exactly the plan that was just made; the gate still decides.
"""

from __future__ import annotations

from maestro_cli.changes.history import find_by_key
from maestro_cli.changes.model import Change, Consent, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import NotFound
from maestro_cli.core.progress import Progress
from maestro_cli.runbooks.ports import ChangeOutcome, ChangeRequest, ChangeState


class RunChanges:
    """Satisfies runbooks.ports.ChangePort."""

    def __init__(self, pipeline: ChangePipeline) -> None:
        self._pipeline = pipeline

    def execute(
        self,
        request: ChangeRequest,
        *,
        key: str,
        incident: str | None,
        progress: Progress,
        cancellation: Cancellation,
    ) -> ChangeOutcome:
        if find_by_key(self._pipeline.journal, key) is not None:
            return _outcome(self._pipeline.recover(key, progress=progress, cancellation=cancellation))
        plan = self._pipeline.plan(request.kind, request.target, dict(request.options))
        progress.update(plan.summary)
        change = self._pipeline.execute(
            plan,
            Consent(given=True, digest=plan.digest),
            key=key,
            cause=f"incident/{incident}" if incident else key.rpartition("/")[0],
            progress=progress,
            cancellation=cancellation,
        )
        return _outcome(change)

    def recover(self, key: str) -> ChangeOutcome:
        try:
            return _outcome(self._pipeline.recover(key))
        except NotFound:
            return ChangeOutcome(ChangeState.ABSENT, "", "it was never begun")

    def undo(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        change = find_by_key(self._pipeline.journal, key)
        if change is None or change.nothing_done:
            return ChangeOutcome(ChangeState.DONE, "", "there is nothing to undo")
        undo = change.plan.undo
        if undo is None:
            return ChangeOutcome(ChangeState.ABSENT, change.id, "this change has no undo")
        plan = self._pipeline.plan(undo.kind, change.ref, undo.parameters)
        undone = self._pipeline.execute(
            plan,
            Consent(given=True, digest=plan.digest),
            key=f"{key}/undo",
            cause=change.cause,
            progress=progress,
            cancellation=cancellation,
        )
        return _outcome(undone)


def _outcome(change: Change) -> ChangeOutcome:
    if change.state is State.VERIFIED:
        return ChangeOutcome(ChangeState.DONE, change.id, change.plan.summary)
    if change.nothing_done:
        return ChangeOutcome(ChangeState.ABSENT, change.id, f"{change.plan.summary}: {change.state.value}")
    return ChangeOutcome(ChangeState.UNKNOWN, change.id, f"{change.plan.summary}: {change.state.value}")
