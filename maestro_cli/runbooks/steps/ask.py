"""A question to a person with a typed answer. Invariant: nobody to ask is waiting, never an answer."""

from __future__ import annotations

from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.expected import with_value
from maestro_cli.runbooks.steps.kind import Work


class AskStep:
    def check(self, step: Step, file: str) -> None:
        if not step.body.strip():
            raise InvalidFile("asks nothing", file=file, line=step.line, key=step.path)
        if step.choices and step.pattern:
            what = "cannot stand together with choices"
            raise InvalidFile(what, file=file, line=step.line, key="pattern", fix="write one of them")

    def variables(self, step: Step) -> set[str]:
        return set()

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Any answer that is as expected ends it well: what follows from it, later steps say."""
        answer = work.confirm(work.asking.of_step(step))
        if answer is None:
            return StepOutcome(State.WAITING, f"{step.name}: a person must answer")
        said = ("yes" if answer else "no") if isinstance(answer, bool) else answer
        if work.redactor.clean(said) != said:
            return StepOutcome(State.FAILED, "the answer holds a secret, and answers are recorded")
        return with_value(step, StepOutcome(State.OK, f"answered: {said}"), said, work.redactor)
