"""The person at the console, whom work in the background asks.

Invariant: satisfies `services.person.Person`; each question is a dialog, no is the default, and a question
that cannot be shown any more has no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from maestro_cli.output.views import Lines, Report
from maestro_cli.tui.acting.question_dialogs import LineDialog, QuestionDialog, SeeDialog

if TYPE_CHECKING:
    from maestro_cli.output.views import View
    from maestro_cli.runbooks.model import Answer, Question
    from maestro_cli.tui.acting.asking import DialogAsker


class ConsolePerson:
    """Answers from dialogs; the thread that asks waits."""

    def __init__(self, asker: DialogAsker, context: str) -> None:
        self._asker, self._context = asker, context
        self._shown: View = Report("nothing/v1", {}, (Lines(""),))

    def show(self, view: View) -> None:
        self._shown = view

    def confirm(self, question: str) -> bool:
        shown, title = self._shown, f"{self._context}: {question}"
        return self._asker.ask(title, lambda: SeeDialog(title, shown, "Yes", site=self._context)) is not None

    def ask_text(self, question: str) -> str:
        words, site = f"{self._context}: {question}", self._context
        return cast(str, self._asker.ask(question, lambda: LineDialog(words, site)) or "")

    def ask_question(self, question: Question, is_cancelled: Callable[[], bool]) -> Answer | None:
        if is_cancelled():
            return None
        return cast(
            "Answer | None", self._asker.ask(question.title, lambda: QuestionDialog(question, self._context))
        )
