"""One step of a run: its attempts, and what became of one without a known outcome.

Invariant: a step whose outcome is recorded is not run again; an attempt without a known outcome is settled
first (by the change pipeline, its probe or a person) and stays unknown when it cannot be. Whether the world
may be altered is asked before each attempt that may, however long ago the run began.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from maestro_cli.core.errors import ExitCode, MaestroError, UsageError
from maestro_cli.core.progress import Among, Progress
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.attempts import attempt
from maestro_cli.runbooks.command import command_of
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import (
    FAILURES,
    Ending,
    Role,
    Runbook,
    RunStatus,
    State,
    Step,
    StepOutcome,
    StepRecord,
    parted,
)
from maestro_cli.runbooks.people import People
from maestro_cli.runbooks.ports import ChangeState
from maestro_cli.runbooks.session import Session
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.surroundings import Surroundings

MAX_BACKOFF_SECONDS = 300.0


class Performer:
    """Performs the steps of one run; several threads may ask it for different steps."""

    def __init__(
        self,
        session: Session,
        ledger: Ledger,
        runbook: Runbook,
        around: Surroundings,
        people: People,
        *,
        incident: str,
    ) -> None:
        self._session, self._ledger, self._runbook, self._around = session, ledger, runbook, around
        self._people, self._incident = people, incident

    def perform(self, step: Step) -> StepOutcome:
        """The outcome of a step: the recorded one, the settled one, or that of new attempts."""
        last = self._ledger.last(step.path)
        if last is not None and last.state in (State.INTENDED, State.UNKNOWN):
            if (held := self._held(step)) is not None:
                return held
            last = self._settle(step, last)
        while True:
            if last is not None and last.state in (State.OK, State.UNKNOWN):
                return outcome_of(last)
            if last is not None and last.state in FAILURES:
                failures = self._ledger.failures(step.path)
                if failures > step.retries or (
                    step.mutates and last.state is State.TIMED_OUT and not self._probed(step)
                ):
                    return outcome_of(last)
                pause = min(step.backoff_seconds * 2 ** min(failures - 1, 20), MAX_BACKOFF_SECONDS)
                self._around.progress.note(f"{step.name}: {last.reason}; again in {pause:g}s")
                self._around.cancellation.wait(0.0 if self._around.stand_in else pause)
            if self._around.cancellation.is_set:
                return StepOutcome(State.CANCELLED, "cancelled before it started")
            if (held := self._held(step)) is not None:
                return held
            last = self._attempt(step)
            if last.state in (State.WAITING, State.CANCELLED):
                return outcome_of(last)

    def _held(self, step: Step) -> StepOutcome | None:
        """Why an attempt that may alter the world does not begin now; nothing of it is recorded."""
        why = self._around.why_held() if step.mutates else ""
        if not why:
            return None
        return StepOutcome(State.WAITING, f"paused before {step.path}: {why}", exit_code=ExitCode.BUSY)

    def _probed(self, step: Step) -> bool:
        return self._probe_of(step) is not None

    def _attempt(self, step: Step) -> StepRecord:
        record = self._ledger.intend(step, self._command(step))
        outcome = self._try(step)
        unclear = outcome.state is State.TIMED_OUT or (
            outcome.state is State.UNKNOWN and not self._around.cancellation.is_set
        )
        if unclear and step.mutates and self._probed(step):
            found = self.ask_probe(step)
            if found.state is not State.REDO:
                outcome = found
        return self._ledger.finish(record, outcome)

    def _command(self, step: Step) -> str:
        try:
            values = self._people.scope.values(step.path)
        except UsageError:  # the attempt fails for it, and says so
            values = {}
        return command_of(step, values, self._around.redactor)

    def _try(self, step: Step) -> StepOutcome:
        if self._around.stand_in is not None and step.kind not in ("manual", "ask"):
            return self._around.stand_in(step)
        around = self._around
        secrets = around.systems.secrets
        return attempt(step, self._runbook.file, around.redactor, secrets, partial(self._work, step))

    def _progress(self, step: Step) -> Progress:
        """Steps that run at the same time name themselves."""
        main, number = parted(step.path)
        whole = self._runbook.step(main)
        is_beside = whole is not None and (whole.parallel or (number and whole.concurrency > 1))
        return Among(self._around.progress, step.path) if is_beside else self._around.progress

    def _work(self, step: Step, secrets: Mapping[str, str], redactor: Redactor) -> Work:
        return self._around.work(
            self._runbook.file,
            run_id=self._session.run_id,
            key=f"run/{self._session.run_id}/{step.path}",
            values=self._people.scope.values(step.path),
            secrets=secrets,
            redactor=redactor,
            progress=self._progress(step),
            confirm=self._people.ask,
            asking=self._people.asking(step.path),
            incident=self._incident or None,
            inherited=(self._session.descriptor,),
        )

    # What became of an attempt without a known outcome

    def _settle(self, step: Step, last: StepRecord) -> StepRecord:
        decision = self._around.decisions.get(step.path)
        if decision is not None:
            state = State.OK if decision == "done" else State.REDO
            return self._ledger.settle(last, StepOutcome(state, f"a person says: {decision}"), "person")
        if step.kind == "change":
            return self._ledger.settle(last, self._recover(step), "change")
        if not step.mutates:
            return self._ledger.settle(last, StepOutcome(State.REDO, "it alters nothing"), "rule")
        if step.kind == "runbook":
            return self._ledger.settle(last, StepOutcome(State.REDO, "its own run goes on"), "rule")
        return self._ledger.settle(last, self.ask_probe(step), "probe")

    def _recover(self, step: Step) -> StepOutcome:
        try:
            found = self._around.changes.recover(
                f"run/{self._session.run_id}/{step.path}",
                progress=self._around.progress,
                cancellation=self._around.cancellation,
            )
        except MaestroError as error:
            return StepOutcome(State.UNKNOWN, f"not known whether it was done: {error.what}")
        states = {
            ChangeState.DONE: State.OK,
            ChangeState.ABSENT: State.REDO,
            ChangeState.UNKNOWN: State.UNKNOWN,
        }
        return StepOutcome(states[found.state], found.summary, change_id=found.change_id)

    def _probe_of(self, step: Step) -> Step | None:
        """A step's own probe; for an undo, that of the step it takes back."""
        if step.role is Role.UNDO:
            main = self._runbook.step(step.path.split("/")[0])
            return main.probe if main is not None else None
        return step.probe

    def ask_probe(self, step: Step) -> StepOutcome:
        """OK when it was done, REDO when it was not, UNKNOWN when nobody can tell."""
        probe = self._probe_of(step)
        if probe is None:
            reason = "it started, no outcome was recorded, and no probe can tell whether it was done"
            return StepOutcome(State.UNKNOWN, reason)
        found = self._try(probe)
        absent = 0 if step.role is Role.UNDO else 1
        if found.process_exit not in (0, 1):
            return StepOutcome(State.UNKNOWN, f"its probe cannot tell: {found.reason}", output=found.output)
        if found.process_exit == absent:
            return StepOutcome(State.REDO, f"its probe says it was not done ({absent})", output=found.output)
        # What the step would have captured is lost; the probe's line stands for it.
        line = found.output.strip()
        captures = {step.capture: line} if step.capture and "\n" not in line else {}
        reason = f"its probe says it was done ({found.process_exit})"
        return StepOutcome(State.OK, reason, output=found.output, captures=captures)


def waiting_at(path: str, outcome: StepOutcome) -> Ending:
    """How a run stands whose step waits: for a person, or, where it was held, for whoever resumes it."""
    if outcome.exit_code is ExitCode.BUSY:
        return Ending(RunStatus.PAUSED, ExitCode.BUSY, outcome.reason, path)
    return Ending(RunStatus.WAITING, ExitCode.WAITING_APPROVAL, outcome.reason, path)


def outcome_of(record: StepRecord) -> StepOutcome:
    return StepOutcome(
        record.state,
        record.reason,
        record.value,
        record.output,
        record.captures,
        ExitCode(record.exit_code),
        change_id=record.change_id,
    )
