"""The change pipeline as runs call it. Invariant: nothing is decided here; states are translated."""

from __future__ import annotations

from maestro_cli.changes import gate
from maestro_cli.changes.history import find_by_key
from maestro_cli.changes.model import Change, Consent, Gate, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ActionFailed, ExitCode, GateNotMet, MaestroError, NotFound, PolicyRefused
from maestro_cli.core.progress import Progress
from maestro_cli.runbooks.ports import ChangeOutcome, ChangeRequest, ChangeState, Rehearsed


class PipelineChanges:
    """ChangePort over a ChangePipeline; `consent` is what the person, or the policy, agreed to."""

    def __init__(self, pipeline: ChangePipeline, consent: Consent) -> None:
        self._pipeline = pipeline
        self._consent = consent

    def execute(
        self,
        request: ChangeRequest,
        *,
        key: str,
        incident: str | None,
        progress: Progress,
        cancellation: Cancellation,
    ) -> ChangeOutcome:
        cause = f"{request.reason} ({incident})" if incident else request.reason
        change = self._pipeline.perform(
            request.kind,
            request.target,
            request.options,
            self._consent,
            key=key,
            cause=cause,
            progress=progress,
            cancellation=cancellation,
        )
        return _outcome(change)

    def rehearse(self, request: ChangeRequest) -> Rehearsed:
        """A dry run: the cluster checks the write and the gate decides, nothing is changed."""
        plan = self._pipeline.plan(request.kind, request.target, request.options)
        change = self._pipeline.execute(plan, self._consent, cause=request.reason, dry_run=True)
        decision = change.decision
        if decision is None or decision.allowed:
            return Rehearsed(plan.summary)
        why = "; ".join(reason.what for reason in decision.reasons)
        if decision.outcome is Gate.WAITING:
            return Rehearsed(f"{plan.summary}; it waits first: {why}")
        return Rehearsed(plan.summary, why or "refused", decision.reasons[0].exit_code)

    def admit(self, what: str) -> None:
        """Raises PolicyRefused in a read-only or frozen context, GateNotMet without the consent it wants."""
        pipeline = self._pipeline
        reasons = gate.against_step(pipeline.policy, self._consent, pipeline.clock.now())
        if reasons:
            first = reasons[0]
            error = PolicyRefused if first.exit_code is ExitCode.POLICY_REFUSED else GateNotMet
            raise error(f"{what} may not start: {first.what}", why=first.why, fix=first.fix)

    def recover(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        """A change that ended badly, did nothing or waits reads ABSENT: executing its key again tells how."""
        try:
            return _outcome(self._pipeline.recover(key, progress=progress, cancellation=cancellation))
        except NotFound:
            return ChangeOutcome(ChangeState.ABSENT, "", "no such change was begun")
        except MaestroError as error:
            change = find_by_key(self._pipeline.journal, key)
            if change is not None and not change.finished and change.state is not State.WAITING:
                return ChangeOutcome(ChangeState.UNKNOWN, change.id, error.what)
            return ChangeOutcome(ChangeState.ABSENT, change.id if change else "", error.what)

    def undo(self, key: str, *, progress: Progress, cancellation: Cancellation) -> ChangeOutcome:
        pipeline, undo_key = self._pipeline, f"{key}/undo"
        begun = find_by_key(pipeline.journal, undo_key)
        if begun is not None and not begun.nothing_done:
            return _outcome(pipeline.recover(undo_key, progress=progress, cancellation=cancellation))
        change = find_by_key(pipeline.journal, key)
        if change is None:
            raise ActionFailed(f"the change of {key} cannot be undone", why="no such change was begun")
        done = pipeline.execute(
            pipeline.plan_undo(change.id),
            self._consent,
            key=undo_key,
            cause=f"undo of {change.id}",
            progress=progress,
            cancellation=cancellation,
        )
        return _outcome(done)


def _outcome(change: Change) -> ChangeOutcome:
    if change.state is State.VERIFIED:
        state = ChangeState.DONE
    elif change.finished or change.state is State.PLANNED:
        state = ChangeState.ABSENT
    else:
        state = ChangeState.UNKNOWN
    return ChangeOutcome(state, change.id, change.plan.summary)
