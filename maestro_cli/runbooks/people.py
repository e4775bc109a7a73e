"""What a run asks people, and what they said.

Invariant: an answer is durable before anything follows from it; one question is put at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from maestro_cli.runbooks.iterations import Scope
from maestro_cli.runbooks.model import Answer, Question, Runbook
from maestro_cli.runbooks.questions import Asking
from maestro_cli.runbooks.session import Session
from maestro_cli.runbooks.surroundings import Surroundings


class People:
    """Those who answer one run: in this process, or from another one before it."""

    def __init__(
        self,
        session: Session,
        runbook: Runbook,
        around: Surroundings,
        scope: Scope,
        answers: Mapping[str, Answer],
    ) -> None:
        self._session, self._runbook, self._around, self.scope = session, runbook, around, scope
        self._answers = dict(answers)
        self._one = threading.Lock()

    def asking(self, path: str) -> Asking:
        """How the step with this path asks, with the values that it has."""
        values, again = self.scope.values(path), self.scope.ledger.retries(path)
        return Asking(self._session.run_id, self._runbook.digest, values, self._around.redactor, again)

    def ask(self, question: Question) -> Answer | None:
        """The recorded answer, else that of the person who is there, which is recorded first."""
        self._session.flush()  # a person may take long
        with self._one:
            answer = self._answers.get(question.digest)
            if answer is None:
                answer = self._around.confirm(question)
                if answer is not None and self._around.redactor.clean(str(answer)) == str(answer):
                    record_answer(self._session, question, answer)
                    self._answers[question.digest] = answer
        return answer


def record_answer(session: Session, question: Question, answer: Answer) -> None:
    """Write what a person answered, bound to the question."""
    data = {"step": question.path, "question": question.kind, "digest": question.digest, "answer": answer}
    session.append("run.answered", data, place=f":{question.path}")
