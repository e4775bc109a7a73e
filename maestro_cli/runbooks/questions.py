"""What people are asked, and how their answers are read.

Invariant: an answer is bound to a digest over its question; another file, step or value is another
question, and nothing that was answered counts for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.config.strict import suggestion
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import UsageError
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import (
    FAILURES,
    Answer,
    OnFail,
    Question,
    Runbook,
    RunRecord,
    RunStatus,
    Step,
    StepRecord,
)
from maestro_cli.runbooks.substitution import for_reading

MAX_ANSWER = 4096  # characters
AFTER_FAILURE = ("retry", "continue", "stop", "rollback")
_WORDS = {"yes": True, "y": True, "no": False, "n": False}


@dataclass(frozen=True, slots=True)
class Asking:
    """The run that asks: its id, its file's digest, its values now, and what must not be shown.

    `again`: how often a person had the step tried once more, which is another question each time.
    """

    run_id: str
    file_digest: str
    values: Mapping[str, str]
    redactor: Redactor
    again: int = 0

    def approval(self, step: Step) -> Question:
        """Whether the step may start."""
        bound = digest([self.run_id, self.file_digest, step.path, dict(self.values)])
        text = self.redactor.clean(for_reading(step.body.strip(), self.values))
        return Question(self.run_id, step.path, "approve", step.name, text, bound)

    def failure(self, step: Step, record: StepRecord) -> Question:
        """What shall follow an attempt that failed; each failure is another question."""
        bound = digest([self.run_id, self.file_digest, record.path, "failed", record.attempt])
        title = f"{step.name}: {record.path} failed"
        text = self.redactor.clean(f"{record.reason}\n{record.output}".strip())
        return Question(self.run_id, record.path, "failed", title, text, bound, AFTER_FAILURE)

    def of_step(self, step: Step) -> Question:
        """What a step of kind manual or ask wants to know."""
        text = self.redactor.clean(for_reading(step.body.strip(), self.values))
        form = [list(step.choices), step.pattern]
        asked: list[Any] = [self.run_id, self.file_digest, step.path, step.kind, form, dict(self.values)]
        bound = digest([*asked, self.again] if self.again else asked)
        return Question(self.run_id, step.path, step.kind, step.name, text, bound, step.choices, step.pattern)


def open_question(
    run: RunRecord, runbook: Runbook, path: str, asking: Asking, answers: Mapping[str, Answer]
) -> Question:
    """The question that a waiting run asks at this step.

    Raises UsageError when it asks nothing there, or has the answer already.
    """
    step = runbook.step(path)
    if run.status is not RunStatus.WAITING or path not in run.waiting or step is None:
        waits = f"it waits for {', '.join(run.waiting)}"
        waits = waits if run.status is RunStatus.WAITING else run.status.value
        raise UsageError(f"run {run.id} asks nothing at {visible(path, 60)!r}", why=waits)
    main, last = runbook.step(path.split("/")[0]), run.last(path)
    if main is not None and main.on_fail is OnFail.ASK and last is not None and last.state in FAILURES:
        question = asking.failure(main, last)
    elif step.approve and last is None:
        question = asking.approval(step)
    elif step.kind in ("manual", "ask"):
        question = asking.of_step(step)
    else:
        fix = "maestro approve, then: maestro runbook resume " + run.id
        raise UsageError(f"{path} asks nothing itself", why=run.reason, fix=fix)
    if question.digest in answers:
        fix = f"maestro runbook resume {run.id}"
        raise UsageError(f"{path} has its answer", why="an answer is not taken back", fix=fix)
    return question


def read_answer(question: Question, text: str) -> Answer:
    """The answer that a person typed; raises UsageError when it is none to this question."""
    said = text.strip()
    if question.choices:
        if said in question.choices:
            return said
        fix = suggestion(said, list(question.choices))
    elif question.pattern:
        if is_line(said) and line_regex(question.pattern).matches(said):
            return said
        fix = f"it must match {question.pattern}, on one line"
    else:
        if said.lower() in _WORDS:
            return _WORDS[said.lower()]
        fix = "say yes or no"
    raise UsageError(f"{visible(said, 60)!r} is no answer to {question.path}", fix=fix)


def is_line(said: str) -> bool:
    """One line that a process can be given."""
    odd = any(0xD800 <= ord(character) <= 0xDFFF or character in "\0\n\r" for character in said)
    return len(said) <= MAX_ANSWER and not odd
