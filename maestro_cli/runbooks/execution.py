"""One run, from where its record stands to its end.

Invariant: a step whose outcome is recorded is not run again; an attempt without a known outcome is
settled first (by the change pipeline, its probe or a person) and, when it cannot be, the run stops and
says so. The record alone decides, so a resumed run does what an uninterrupted one would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.condition import Facts
from maestro_cli.core.errors import ExitCode, MaestroError, UsageError
from maestro_cli.core.progress import Progress
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.attempts import attempt
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import (
    FAILURES,
    Answer,
    Confirm,
    Ending,
    OnFail,
    Question,
    Role,
    Runbook,
    Runs,
    RunStatus,
    State,
    Step,
    StepOutcome,
    StepRecord,
)
from maestro_cli.runbooks.ports import ChangePort, ChangeState, MetricsPort, SystemsPort
from maestro_cli.runbooks.questions import AFTER_FAILURE, Asking
from maestro_cli.runbooks.rollback import Hands, roll_back
from maestro_cli.runbooks.session import Session
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.substitution import into_name

MAX_BACKOFF_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run is given by its front end; `decisions` say `done` or `redo` for steps left unknown."""

    metrics: MetricsPort
    changes: ChangePort
    systems: SystemsPort
    runs: Runs
    clock: Clock
    redactor: Redactor
    environment: Mapping[str, str]
    progress: Progress
    cancellation: Cancellation
    confirm: Confirm
    decisions: Mapping[str, str] = field(default_factory=dict)
    stand_in: Callable[[Step], StepOutcome] | None = None  # in the place of every step: a rehearsal

    def work(
        self,
        file: str,
        *,
        run_id: str,
        key: str,
        values: Mapping[str, str],
        secrets: Mapping[str, str],
        redactor: Redactor,
        confirm: Confirm,
        asking: Asking,
        incident: str | None = None,
        inherited: tuple[int, ...] = (),
    ) -> Work:
        """What one attempt at a step of the runbook in `file` works with."""
        return Work(
            run_id=run_id, key=key, incident=incident, values=values, folder=Path(file).resolve().parent,
            metrics=self.metrics, changes=self.changes, systems=self.systems, runs=self.runs, secrets=secrets,
            clock=self.clock, redactor=redactor, progress=self.progress, cancellation=self.cancellation,
            confirm=confirm, asking=asking, environment=self.environment, inherited=inherited,
        )  # fmt: skip


class Execution:
    def __init__(
        self,
        session: Session,
        ledger: Ledger,
        runbook: Runbook,
        around: Surroundings,
        *,
        incident: str,
        answers: Mapping[str, Answer],
    ) -> None:
        self.session, self.ledger, self.runbook, self.around = session, ledger, runbook, around
        self._incident = incident
        self._answers = dict(answers)
        self._well: set[str] = set()

    def run(self) -> Ending:
        """Each step in the file's order, until one ends the run."""
        for step in self.runbook.steps:
            asked = self.session.asked()
            if self.around.cancellation.is_set or asked == "cancel":
                return self.cancelled(step.path)
            if asked == "pause":
                return Ending(RunStatus.PAUSED, ExitCode.BUSY, f"paused before {step.path}", step.path)
            ending = self._step(step)
            if ending is not None:
                return ending
        return Ending(RunStatus.SUCCEEDED, ExitCode.OK)

    def _step(self, step: Step) -> Ending | None:
        if self.ledger.state(step.path) is State.SKIPPED:
            return None
        try:
            excuse = self._excuse(step)
            lock = into_name(step.lock, self.ledger.values)
        except (ValueError, UsageError) as error:
            return self._failed(step, step, StepOutcome(State.FAILED, f"it cannot be decided: {error}"))
        if excuse:
            self.around.progress.note(f"{step.name}: skipped, {excuse}")
            self.ledger.skip(step, excuse)
            return None
        self.around.progress.phase(step.path, step.name)
        with self.session.lock(lock):
            return self._whole(step)

    def _excuse(self, step: Step) -> str:
        """Why a step that has not started will not; empty when it shall. Raises ValueError."""
        if self.ledger.last(step.path) is not None:
            return ""
        missing = [need for need in step.needs if need not in self._well]
        if missing:
            return f"it needs {', '.join(missing)}"
        if step.when is not None and not step.when.holds(Facts(self.ledger.values, self._told())):
            return f"it is only for when {step.when.text}"
        return ""

    def _told(self) -> dict[str, str]:
        """How the steps so far ended, as conditions name it."""
        states = {step.path: self.ledger.state(step.path) for step in self.runbook.steps}
        ended = {path: "failed" for path, state in states.items() if state is not None}
        skipped = {path: "skipped" for path, state in states.items() if state is State.SKIPPED}
        return {**ended, **skipped, **dict.fromkeys(self._well, "ok")}

    def _whole(self, step: Step) -> Ending | None:
        """Its approval, its checks before, itself and its checks after."""
        if self.ledger.last(step.path) is None:  # once it was intended, nothing is asked again
            ending = self._approval(step)
            if ending is not None:
                return ending
            parts = (*step.pre, step, *step.verify)
        else:
            parts = (step, *step.verify)
        for part in parts:
            outcome = self.perform(part)
            while not outcome.ok and self._again(step, part):
                outcome = self.perform(part)
            if not outcome.ok:
                return self._failed(step, part, outcome)
        self._well.add(step.path)
        return None

    def _approval(self, step: Step) -> Ending | None:
        if not step.approve:
            return None
        answer = self._ask(self._asking().approval(step))
        if answer is None:
            reason = f"{step.name}: {step.approve} must agree"
            return Ending(RunStatus.WAITING, ExitCode.WAITING_APPROVAL, reason, step.path)
        if answer is True:
            return None
        outcome = StepOutcome(State.FAILED, "not approved", exit_code=ExitCode.GATE_NOT_MET)
        return self._failed(step, step, outcome)

    def _after(self, step: Step, part: Step) -> Answer | None:
        """What a person says about a part that failed; None when nobody says anything, or nothing failed."""
        last = self.ledger.last(part.path)
        if step.on_fail is not OnFail.ASK or last is None or last.state not in FAILURES:
            return None
        return self._ask(self._asking().failure(step, last))

    def _again(self, step: Step, part: Step) -> bool:
        """Whether a person wants a part that failed to be tried once more."""
        if self._after(step, part) != "retry":
            return False
        last = self.ledger.last(part.path)
        if last is not None:
            self.ledger.settle(last, StepOutcome(State.REDO, "a person says: retry"), "person")
        return True

    def _ask(self, question: Question) -> Answer | None:
        """The recorded answer, else that of the person who is there, which is recorded first."""
        answer = self._answers.get(question.digest)
        if answer is None:
            self.session.flush()  # a person may take long
            answer = self.around.confirm(question)
            if answer is not None and self.around.redactor.clean(str(answer)) == str(answer):
                record_answer(self.session, question, answer)
                self._answers[question.digest] = answer
        return answer

    def _asking(self) -> Asking:
        values = self.ledger.values
        return Asking(self.session.run_id, self.runbook.digest, values, self.around.redactor)

    def _failed(self, step: Step, part: Step, outcome: StepOutcome) -> Ending | None:
        """What follows from a part of a step that did not end well; None means go on."""
        reason = f"{part.name}: {outcome.reason}"
        if outcome.state is State.WAITING:
            return Ending(RunStatus.WAITING, ExitCode.WAITING_APPROVAL, outcome.reason, part.path)
        if self.around.cancellation.is_set and outcome.state in (State.CANCELLED, State.UNKNOWN):
            return self.cancelled(part.path, outcome)
        if outcome.state is State.UNKNOWN:
            return Ending(RunStatus.UNKNOWN, ExitCode.UNDO_FAILED, reason, part.path)
        on_fail = step.on_fail
        if on_fail is OnFail.ASK and self.ledger.state(part.path) in FAILURES:
            said = self._after(step, part)
            if said is None:
                waits = f"{reason}; a person must say {' or '.join(AFTER_FAILURE)}"
                return Ending(RunStatus.WAITING, ExitCode.WAITING_APPROVAL, waits, part.path)
            on_fail = OnFail(str(said))
        if on_fail is OnFail.CONTINUE:
            self.around.progress.note(f"{reason} (goes on)")
            return None
        if on_fail is OnFail.GOTO:
            self._go_to(step, reason)
            return None
        if on_fail is OnFail.ROLLBACK:
            hands = Hands(self.perform, self._ask_probe, self.cancelled)
            return roll_back(self.runbook, self.session, self.ledger, hands, part, outcome)
        return Ending(RunStatus.FAILED, outcome.exit_code, reason, part.path)

    def _go_to(self, step: Step, reason: str) -> None:
        """Skip every step between this one and the one it leads to."""
        self.around.progress.note(f"{reason} (on to {step.goto})")
        paths = [one.path for one in self.runbook.steps]
        for between in self.runbook.steps[paths.index(step.path) + 1 : paths.index(step.goto)]:
            if self.ledger.last(between.path) is None:
                self.ledger.skip(between, f"{step.path} failed: on to {step.goto}")

    def cancelled(self, path: str, outcome: StepOutcome | None = None) -> Ending:
        """The run was told to stop; the step in flight has ended."""
        code = ExitCode.SIGTERM if self.around.cancellation.terminated else ExitCode.SIGINT
        reason = f"cancelled at {path}"
        if outcome is not None and outcome.state is State.UNKNOWN:
            reason += "; how far that step came is not known"
        return Ending(RunStatus.CANCELLED, code, reason, path)

    # One step

    def perform(self, step: Step) -> StepOutcome:
        """The outcome of a step: the recorded one, the settled one, or that of new attempts."""
        last = self.ledger.last(step.path)
        if last is not None and last.state in (State.INTENDED, State.UNKNOWN):
            last = self._settle(step, last)
        while True:
            if last is not None and last.state in (State.OK, State.UNKNOWN):
                return _outcome_of(last)
            if last is not None and last.state in FAILURES:
                failures = self.ledger.failures(step.path)
                if failures > step.retries or (
                    step.mutates and last.state is State.TIMED_OUT and not self._probed(step)
                ):
                    return _outcome_of(last)
                pause = min(step.backoff_seconds * 2 ** min(failures - 1, 20), MAX_BACKOFF_SECONDS)
                self.around.progress.note(f"{step.name}: {last.reason}; again in {pause:g}s")
                self.around.cancellation.wait(0.0 if self.around.stand_in else pause)
            if self.around.cancellation.is_set:
                return StepOutcome(State.CANCELLED, "cancelled before it started")
            last = self._attempt(step)
            if last.state in (State.WAITING, State.CANCELLED):
                return _outcome_of(last)

    def _probed(self, step: Step) -> bool:
        return self._probe_of(step) is not None

    def _attempt(self, step: Step) -> StepRecord:
        record = self.ledger.intend(step)
        outcome = self._try(step)
        unclear = outcome.state is State.TIMED_OUT or (
            outcome.state is State.UNKNOWN and not self.around.cancellation.is_set
        )
        if unclear and step.mutates and self._probed(step):
            found = self._ask_probe(step)
            if found.state is not State.REDO:
                outcome = found
        return self.ledger.finish(record, outcome)

    def _try(self, step: Step) -> StepOutcome:
        if self.around.stand_in is not None and step.kind not in ("manual", "ask"):
            return self.around.stand_in(step)
        return attempt(step, self.runbook.file, self.around.redactor, partial(self._work, step))

    def _work(self, step: Step, secrets: Mapping[str, str], redactor: Redactor) -> Work:
        return self.around.work(
            self.runbook.file,
            run_id=self.session.run_id,
            key=f"run/{self.session.run_id}/{step.path}",
            values=self.ledger.values,
            secrets=secrets,
            redactor=redactor,
            confirm=self._ask,
            asking=self._asking(),
            incident=self._incident or None,
            inherited=(self.session.descriptor,),
        )

    # What became of an attempt without a known outcome

    def _settle(self, step: Step, last: StepRecord) -> StepRecord:
        decision = self.around.decisions.get(step.path)
        if decision is not None:
            state = State.OK if decision == "done" else State.REDO
            return self.ledger.settle(last, StepOutcome(state, f"a person says: {decision}"), "person")
        if step.kind == "change":
            return self.ledger.settle(last, self._recover(step), "change")
        if not step.mutates:
            return self.ledger.settle(last, StepOutcome(State.REDO, "it alters nothing"), "rule")
        if step.kind == "runbook":
            return self.ledger.settle(last, StepOutcome(State.REDO, "its own run goes on"), "rule")
        return self.ledger.settle(last, self._ask_probe(step), "probe")

    def _recover(self, step: Step) -> StepOutcome:
        try:
            found = self.around.changes.recover(
                f"run/{self.session.run_id}/{step.path}",
                progress=self.around.progress,
                cancellation=self.around.cancellation,
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
            main = self.runbook.step(step.path.split("/")[0])
            return main.probe if main is not None else None
        return step.probe

    def _ask_probe(self, step: Step) -> StepOutcome:
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


def record_answer(session: Session, question: Question, answer: Answer) -> None:
    """Write what a person answered, bound to the question."""
    data = {"step": question.path, "question": question.kind, "digest": question.digest, "answer": answer}
    session.append("run.answered", data, place=f":{question.path}")


def _outcome_of(record: StepRecord) -> StepOutcome:
    return StepOutcome(
        record.state,
        record.reason,
        record.value,
        record.output,
        record.captures,
        ExitCode(record.exit_code),
        change_id=record.change_id,
    )
