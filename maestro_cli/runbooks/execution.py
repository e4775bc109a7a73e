"""One run, from where its record stands to its end.

Invariant: a step runs after everything it waits for, and only once; what waits for a person holds up what
waits for it and nothing else. The record alone decides, so a resumed run does what an uninterrupted one would
have done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from maestro_cli.core.errors import ExitCode, MaestroError, UsageError
from maestro_cli.runbooks.attempts import failure_of
from maestro_cli.runbooks.attributes import UNPLANNED
from maestro_cli.runbooks.beside import beside
from maestro_cli.runbooks.condition import Facts
from maestro_cli.runbooks.iterations import Scope
from maestro_cli.runbooks.ledger import RETRY, Ledger
from maestro_cli.runbooks.model import (
    FAILURES,
    Answer,
    Cause,
    Ending,
    OnFail,
    Runbook,
    RunStatus,
    State,
    Step,
    StepOutcome,
    parted,
)
from maestro_cli.runbooks.people import People
from maestro_cli.runbooks.performing import Performer, waiting_at
from maestro_cli.runbooks.questions import AFTER_FAILURE
from maestro_cli.runbooks.rollback import Hands, roll_back
from maestro_cli.runbooks.session import Session
from maestro_cli.runbooks.substitution import into_name
from maestro_cli.runbooks.surroundings import Surroundings

MAX_BESIDE = 8  # steps of one group at the same time
_OPEN = (State.UNKNOWN, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of a step, or of one of its iterations, that did not end well."""

    step: Step
    part: Step
    outcome: StepOutcome


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
        cause: Cause | None = None,
    ) -> None:
        """`cause` is why the run was being rolled back when it was left."""
        self.session, self.ledger, self.runbook, self.around = session, ledger, runbook, around
        self._cause = cause
        self._scope = Scope(runbook, ledger)
        self._people = People(session, runbook, around, self._scope, answers)
        self._performer = Performer(session, ledger, runbook, around, self._people, incident=incident)
        self._ended: dict[str, str] = {}  # how steps ended, as conditions name it

    def run(self) -> Ending:
        """Each stage in the file's order, until one ends the run or nothing can go on without a person."""
        if self._cause is not None:
            return self._roll_back(self._cause)
        waiting: dict[str, Ending] = {}
        for stage in self._scope.graph.stages:
            ready = [step for step in stage if not self._scope.graph.is_held(step, waiting)]
            if not ready:
                continue
            asked = self.session.asked()
            if self.around.cancellation.is_set or asked == "cancel":
                return self.cancelled(ready[0].path)
            if asked == "pause":
                where = ready[0].path
                return Ending(RunStatus.PAUSED, ExitCode.BUSY, f"paused before {where}", where)
            endings = self._stage(ready)
            final = [one for one in endings.values() if one.status is not RunStatus.WAITING or self._cause]
            if final:
                return final[0]
            waiting.update(endings)
        if waiting:
            first = next(iter(waiting.values()))
            return replace(first, waiting=tuple(ending.step for ending in waiting.values()))
        return Ending(RunStatus.SUCCEEDED, ExitCode.OK)

    def _stage(self, steps: Sequence[Step]) -> dict[str, Ending]:
        """Steps that run at the same time; how the run ends with them, by step. Failures are seen to when all
        have ended."""
        is_alone = len(steps) == 1
        if not is_alone:
            names = ", ".join(step.path for step in steps)
            self.around.progress.phase(names, f"{len(steps)} steps at the same time")
        at_most = 1 if self.around.stand_in is not None else MAX_BESIDE
        found = beside([partial(self._step, step, is_alone) for step in steps], at_most, lambda _: False)
        troubles = [
            (step.path, trouble) for step, all_of in zip(steps, found, strict=True) for trouble in all_of
        ]
        # What is unknown comes first: nothing final may follow before it is known.
        troubles.sort(key=lambda pair: pair[1].outcome.state not in _OPEN)
        endings: dict[str, Ending] = {}
        for path, trouble in troubles:
            ending = self._failed(trouble) if path not in endings else None
            if ending is not None and (self._cause or ending.status is not RunStatus.WAITING):
                return {path: ending}
            if ending is not None:
                endings[path] = ending
        return endings

    def _step(self, step: Step, is_alone: bool) -> list[Trouble]:
        """Do a step, unless there is an excuse; what of it did not end well."""
        if self.ledger.state(step.path) is State.SKIPPED:
            self._ended[step.path] = "skipped"
            return []
        try:
            excuse = self._excuse(step)
            iterations = [] if excuse else self._scope.iterations(step)
        except (ValueError, UsageError) as error:
            self._ended[step.path] = "failed"
            return [_undecided(step, error)]
        if excuse:
            self.around.progress.note(f"{step.name}: skipped, {excuse}")
            self.ledger.skip(step, excuse)
            self._ended[step.path] = "skipped"
            return []
        if is_alone:
            self.around.progress.phase(step.path, step.name)
        try:
            refused = self._refusal(step) or self._approval(step)
            troubles = [refused] if refused is not None else self._each(step, iterations)
        finally:
            if not is_alone:
                self.session.flush()  # the others may take long
        self._ended[step.path] = "failed" if troubles else "ok"
        return troubles

    def _excuse(self, step: Step) -> str:
        """Why a step that has not started will not; empty when it shall. Raises ValueError."""
        if self._scope.started(step):
            return ""
        missing = [need for need in step.needs if self._ended.get(need) != "ok"]
        if missing:
            return f"it needs {', '.join(missing)}"
        if step.when is None or step.when.holds(Facts(self._scope.values(step.path), self._ended)):
            return ""
        return f"it is only for when {step.when.text}"

    def _refusal(self, step: Step) -> Trouble | None:
        """What the context has against a step that alters the world and is no change: those have a gate."""
        if not step.mutates or step.kind not in UNPLANNED or self._scope.started(step):
            return None
        if self.around.stand_in is not None:
            return None
        try:
            self.around.changes.admit(step.name)
        except MaestroError as error:
            return Trouble(step, step, failure_of(error, self.around.redactor))
        return None

    def _approval(self, step: Step) -> Trouble | None:
        """Why a step must not start; once it has started, nothing is asked again."""
        if not step.approve or self._scope.started(step):
            return None
        answer = self._people.ask(self._people.asking(step.path).approval(step))
        if answer is None:
            waits = StepOutcome(State.WAITING, f"{step.name}: {step.approve} must agree")
            return Trouble(step, step, waits)
        if answer is True:
            return None
        outcome = StepOutcome(State.FAILED, "not approved", exit_code=ExitCode.GATE_NOT_MET)
        return Trouble(step, step, outcome)

    def _each(self, step: Step, iterations: Sequence[Step]) -> list[Trouble]:
        """A step, or each of its iterations: none starts any more once one ended badly."""
        at_most = 1 if self.around.stand_in is not None else step.concurrency
        jobs = [partial(self._whole, one, at_most > 1) for one in iterations]
        return [found for found in beside(jobs, at_most, self._is_over) if found is not None]

    def _is_over(self, trouble: Trouble | None) -> bool:
        if trouble is None:
            return False
        if trouble.outcome.state not in FAILURES:
            return True
        return trouble.step.on_fail is not OnFail.CONTINUE and self._after(trouble) != "continue"

    def _whole(self, step: Step, is_beside: bool) -> Trouble | None:
        """Its checks before, itself and its checks after, under its lock; what did not end well."""
        try:
            lock = into_name(step.lock, self._scope.values(step.path)) if step.lock else ""
        except UsageError as error:
            return _undecided(step, error)
        has_started = self.ledger.last(step.path) is not None
        try:
            with self.session.lock(lock):
                for part in (*(() if has_started else step.pre), step, *step.verify):
                    trouble = Trouble(step, part, self._performer.perform(part))
                    while not trouble.outcome.ok and self._is_tried_again(trouble):
                        trouble = Trouble(step, part, self._performer.perform(part))
                    if not trouble.outcome.ok:
                        return trouble
        finally:
            if is_beside:
                self.session.flush()  # the others may take long
        return None

    def _after(self, trouble: Trouble) -> Answer | None:
        """What a person says about a part that failed; None when nobody says anything, or nothing failed."""
        last = self.ledger.last(trouble.part.path)
        if trouble.outcome.state is State.WAITING:
            return None
        if trouble.step.on_fail is not OnFail.ASK or last is None or last.state not in FAILURES:
            return None
        return self._people.ask(self._people.asking(last.path).failure(trouble.step, last))

    def _is_tried_again(self, trouble: Trouble) -> bool:
        """Whether a person wants a part that failed to be tried once more."""
        last = self.ledger.last(trouble.part.path)
        if last is None or self._after(trouble) != "retry":
            return False
        self.ledger.settle(last, StepOutcome(State.REDO, RETRY), "person")
        return True

    def _failed(self, trouble: Trouble) -> Ending | None:
        """What follows from a part of a step that did not end well; None means go on."""
        step, part, outcome = trouble.step, trouble.part, trouble.outcome
        reason = f"{part.name}: {outcome.reason}"
        if outcome.state is State.WAITING:
            return waiting_at(part.path, outcome)
        if self.around.cancellation.is_set and outcome.state in (State.CANCELLED, State.UNKNOWN):
            return self.cancelled(part.path, outcome)
        if outcome.state is State.UNKNOWN:
            return Ending(RunStatus.UNKNOWN, ExitCode.UNDO_FAILED, reason, part.path)
        on_fail = step.on_fail
        if on_fail is OnFail.ASK and self.ledger.state(part.path) in FAILURES:
            said = self._after(trouble)
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
            return self._roll_back(Cause(part.path, reason, outcome.exit_code))
        return Ending(RunStatus.FAILED, outcome.exit_code, reason, part.path)

    def _roll_back(self, cause: Cause) -> Ending:
        self._cause = cause
        hands = Hands(self._performer.perform, self._performer.ask_probe, self.cancelled)
        return roll_back(self._scope, self.session, self.ledger, hands, cause)

    def _go_to(self, step: Step, reason: str) -> None:
        """Skip every step between this one and the one it leads to."""
        self.around.progress.note(f"{reason} (on to {step.goto})")
        paths = [one.path for one in self.runbook.steps]
        first = paths.index(parted(step.path)[0]) + 1
        for between in self.runbook.steps[first : paths.index(step.goto)]:
            if self.ledger.last(between.path) is None and not self._scope.started(between):
                self.ledger.skip(between, f"{step.path} failed: on to {step.goto}")

    def cancelled(self, path: str, outcome: StepOutcome | None = None) -> Ending:
        """The run was told to stop; the step in flight has ended."""
        code = ExitCode.SIGTERM if self.around.cancellation.terminated else ExitCode.SIGINT
        reason = f"cancelled at {path}"
        if outcome is not None and outcome.state is State.UNKNOWN:
            reason += "; how far that step came is not known"
        return Ending(RunStatus.CANCELLED, code, reason, path)


def _undecided(step: Step, error: Exception) -> Trouble:
    return Trouble(step, step, StepOutcome(State.FAILED, f"it cannot be decided: {error}"))
