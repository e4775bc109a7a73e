"""Questions to the person at the terminal, on stderr. Invariant: no is the default, and silence is no."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from maestro_cli.core.untrusted import visible, visible_block
from maestro_cli.output.views import View
from maestro_cli.output.writer import OutputOptions, emit

if TYPE_CHECKING:
    from maestro_cli.runbooks.model import Question


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


def ask_question(question: Question) -> bool | None:
    """Show a step and ask whether it may go on, or is done; None at the end of input."""
    sys.stderr.write(f"{visible(question.title)}\n{visible_block(question.text)}\n")
    word = "done" if question.kind == "manual" else "go on"
    sys.stderr.write(f"{word}? [y/N]: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return None if not line else line.strip().lower() in ("y", "yes")
