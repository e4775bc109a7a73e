"""What is said of an action: the command that does the same, and how it failed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from maestro_cli.core.errors import WaitingForApproval
from maestro_cli.tui.acting.advice import advice_here
from maestro_cli.tui.acting.model import Action, Answers, Target
from maestro_cli.tui.feeds.runner import told


def pressed(name: str, chosen: Mapping[str, str] | None = None) -> str:
    """`press W`, as the keys are that somebody `chosen`."""
    from maestro_cli.tui.keys.table import first_key

    return f"press {first_key(name, chosen or {})}"


def failure_words(error: Exception) -> str:
    """How it failed, or for what it waits, in one line, with what would mend it here."""
    said, word = told(error), "it waits" if isinstance(error, WaitingForApproval) else "failed"
    return f"{word}: {said.line}" + (f" — {advice_here(said.fix)}" if said.fix else "")


def command_line(action: Action, target: Target, answers: Answers) -> str:
    """The command that does the same, ready to be pasted."""
    return shlex.join(("maestro", "--context", target.context, *action.line(target, answers)))
