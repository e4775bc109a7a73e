"""The person who is asked, if there is one: at the terminal, or in the console.

Invariant: no is the default, and silence is no. Whoever carries out work asks through this and never writes
to the terminal itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from maestro_cli.output.views import View
    from maestro_cli.runbooks.model import Answer, Question


class Person(Protocol):
    """Somebody who sees what happens and can stop it."""

    def show(self, view: View) -> None:
        """What the next question is about."""

    def confirm(self, question: str) -> bool:
        """True for yes, False for anything else."""

    def ask_text(self, question: str) -> str:
        """One line of answer; empty for none."""

    def ask_question(self, question: Question, is_cancelled: Callable[[], bool]) -> Answer | None:
        """The answer to a step of a runbook; None for none, and once it is cancelled."""


class TerminalPerson:
    """Whoever sits at the terminal."""

    def show(self, view: View) -> None:
        from maestro_cli.output.prompt import show

        show(view)

    def confirm(self, question: str) -> bool:
        from maestro_cli.output.prompt import confirm

        return confirm(question)

    def ask_text(self, question: str) -> str:
        from maestro_cli.output.prompt import ask_text

        return ask_text(question)

    def ask_question(self, question: Question, is_cancelled: Callable[[], bool]) -> Answer | None:
        from maestro_cli.output.prompt import ask_question

        return ask_question(question, is_cancelled)


def person_at_terminal() -> Person | None:
    """Somebody, where both what is asked and what is answered are a terminal's."""
    return TerminalPerson() if sys.stdin.isatty() and sys.stderr.isatty() else None
