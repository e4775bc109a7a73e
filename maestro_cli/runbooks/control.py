"""What people do with a run from another process.

Invariant: nothing here runs a step. A run that is worked on is asked to pause or to end, and does so itself:
the step in flight ends first.
"""

from __future__ import annotations

import os

from maestro_cli.core.errors import ExitCode, UsageError
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.history import RunHistory, read_answers
from maestro_cli.runbooks.iterations import Scope
from maestro_cli.runbooks.ledger import Ledger
from maestro_cli.runbooks.model import RunRecord, RunStatus
from maestro_cli.runbooks.parameters import knowing, refuse_secrets
from maestro_cli.runbooks.people import record_answer
from maestro_cli.runbooks.pinned import pinned
from maestro_cli.runbooks.questions import Asking, open_question, read_answer
from maestro_cli.runbooks.session import Session


class RunControl:
    """Answers runs in the name of `actor`; needs the journal and the run's file alone."""

    def __init__(self, journal: Journal, actor: str, redactor: Redactor) -> None:
        self._journal, self._actor = journal, actor
        self._redactor = knowing(redactor, os.environ)
        self._history = RunHistory(journal)

    def answer(self, run_id: str, path: str, said: str) -> RunRecord:
        """Record what a person says to the question that a run waits with; `resume` goes on with it.

        Raises NotFound, UsageError when the run does not ask this or it is no answer, StalePlan when the
        file changed, Busy when somebody works on the run.
        """
        run = self._history.get(run_id)
        runbook = pinned(run)
        with Session(self._journal, run_id, self._actor).held() as session:
            is_known = runbook.step(path) is not None
            ledger = Ledger(session, run)
            values = Scope(runbook, ledger).values(path) if is_known else {}
            asking = Asking(run_id, run.digest, values, self._redactor, ledger.retries(path))
            question = open_question(run, runbook, path, asking, read_answers(self._journal, run_id))
            answer = read_answer(question, said)
            refuse_secrets({"the answer": said}, self._redactor)
            record_answer(session, question, answer)
        return self._history.get(run_id)

    def pause(self, run_id: str) -> RunRecord:
        """Have a run stop after the step in flight; raises NotFound, and UsageError when it does not run."""
        run = self._history.get(run_id)
        if run.status is not RunStatus.RUNNING:
            raise UsageError(f"run {run_id} does not run", why=f"it is {run.status.value}")
        return self._ask(run, "pause")

    def cancel(self, run_id: str) -> RunRecord:
        """Have a run end: the step in flight is stopped, and nothing is undone.

        One that nobody works on ends at once. Raises NotFound, and UsageError when it is over.
        """
        run = self._history.get(run_id)
        if run.status.final or run.status is RunStatus.CANCELLED:
            raise UsageError(f"run {run_id} is over", why=f"it is {run.status.value}")
        if run.status is RunStatus.RUNNING:
            return self._ask(run, "cancel")
        with Session(self._journal, run_id, self._actor).held() as session:
            session.append("run.asked", {"what": "cancel", "incident": run.incident})
            data = {
                "status": RunStatus.CANCELLED,
                "exit_code": int(ExitCode.SIGINT),
                "reason": f"cancelled by {self._actor}",
                "step": run.waiting_for,
                "runbook": run.runbook,
                "incident": run.incident,
            }
            session.append("run.finished", data)
        return self._history.get(run_id)

    def _ask(self, run: RunRecord, what: str) -> RunRecord:
        data = {"what": what, "incident": run.incident}
        self._journal.append("run.asked", f"run/{run.id}", self._actor, data)
        return self._history.get(run.id)
