"""Questions to the person at the terminal, on stderr. Invariant: no is the default, and silence is no."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible, visible_block
from maestro_cli.output.views import View
from maestro_cli.output.writer import OutputOptions, emit

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import Answer, Question

_LOOK_SECONDS = 0.2  # how soon a question ends once it is cancelled


def show(view: View) -> None:
    """What is asked about, on stderr."""
    emit(view, OutputOptions(), sys.stderr)


def ask_text(question: str) -> str:
    """One line of answer; empty at the end of input."""
    sys.stdout.flush()
    sys.stderr.write(f"{visible(question)}: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def confirm(question: str) -> bool:
    """True for `y` or `yes`, False for anything else."""
    return ask_text(f"{question} [y/N]").lower() in ("y", "yes")


def _typed(is_cancelled: Callable[[], bool]) -> str:
    """The next line that is typed; empty at the end of input, and once it is cancelled."""
    while sys.stdin.isatty():
        if is_cancelled():
            return ""
        if select.select([sys.stdin], [], [], _LOOK_SECONDS)[0]:
            break
    return sys.stdin.readline()


def ask_question(question: Question, is_cancelled: Callable[[], bool] = lambda: False) -> Answer | None:
    """Show a step and ask what it wants to know; None at the end of input, and once it is cancelled.

    Whether it may go on, or is done: anything but yes is no. A typed answer is asked for until it is one.
    """
    from maestro_cli.runbooks.questions import read_answer

    sys.stderr.write(f"{visible(question.title)}\n{visible_block(question.text)}\n")
    words = {"manual": "done? [y/N]", "approve": "go on? [y/N]"}
    while True:
        sys.stderr.write(f"{words.get(question.kind, visible(question.form))}: ")
        sys.stderr.flush()
        line = _typed(is_cancelled)
        if not line:
            sys.stderr.write("\n")
            return None
        if question.kind in words:
            return line.strip().lower() in ("y", "yes")
        try:
            return read_answer(question, line)
        except UsageError as error:
            sys.stderr.write(f"{visible(error.fix)}\n")
