"""A step that a person does and confirms. Invariant: nobody to ask is waiting, never yes."""

from __future__ import annotations

from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.steps.kind import Work


class ManualStep:
    def check(self, step: Step, file: str) -> None:
        if not step.body.strip():
            raise InvalidFile("says nothing to do", file=file, line=step.line, key=step.path)

    def variables(self, step: Step) -> set[str]:
        return set()

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Ask; yes is done, no is a failure, nobody is waiting."""
        answer = work.confirm(work.asking.of_step(step))
        if answer is None:
            return StepOutcome(State.WAITING, f"{step.name}: a person must do this and confirm it")
        if answer is not True:
            return StepOutcome(State.FAILED, "the person said it was not done")
        return StepOutcome(State.OK, "confirmed by a person")
