"""A step that a person does and confirms. Invariant: nobody to ask is waiting, never yes."""

from __future__ import annotations

from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.model import Question, State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work


class ManualStep:
    def check(self, step: Step, file: str) -> None:
        if not step.body.strip():
            raise InvalidFile("says nothing to do", file=file, line=step.line, key=step.path)

    def variables(self, step: Step) -> set[str]:
        return set()

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Ask; yes is done, no is a failure, nobody is waiting."""
        text = work.redactor.clean(step.body.strip())
        question = Question(
            work.run_id, step.path, "manual", step.name, text, digest([work.key, text, dict(work.values)])
        )
        answer = work.confirm(question)
        if answer is None:
            return StepOutcome(State.WAITING, f"{step.name}: a person must do this and confirm it")
        if not answer:
            return StepOutcome(State.FAILED, "the person said it was not done")
        return StepOutcome(State.OK, "confirmed by a person")
