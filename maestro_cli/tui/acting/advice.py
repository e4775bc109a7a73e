"""What mends a refusal, as it is done in the console: for an option of a command, a field or a key.

Invariant: pure; what has no other way here stays the command that it is. An action is named as in the menu
`Actions`, whatever key that is on.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maestro_cli.changes.model import GateDecision

_HERE = tuple(
    (re.compile(words), here)
    for words, here in (
        (r"name one with --to-revision( N)?", "name one in the field `to revision`"),
        (r"maestro rollback plan (\S+)", r":revisions \1"),
        (
            r"maestro rollback (\S+) --to-revision ([0-9]+)",
            r"Actions › Roll back, \2 in the field `to revision`",
        ),
        (r"maestro change undo ([^\s;]+)", r"Actions › Take back, on :change \1"),
        (r"--to-revision( N)?", "the field `to revision`"),
        (r"add --yes", "say yes in the dialog"),
        (r"; --yes does not do it", ""),
        (r"(delete it past the budget:) (--without-eviction.*)", r"\1 in a shell, maestro pod delete \2"),
        (r"maestro approve list", ":changes"),
        (r"maestro approve (\S+?)(;|$)", r"Actions › Approve, on :change \1\2"),
        (r"maestro change resume (\S+)", r"Actions › Carry out, on :change \1"),
        (r"maestro change show (\S+)", r":change \1"),
        (r"maestro change list", ":changes"),
        (r"maestro silence list", ":silences"),
    )
)


def advice_here(fix: str) -> str:
    """The fix of an error or of the gate, in the words of the console."""
    for words, here in _HERE:
        fix = words.sub(here, fix)
    return fix


def decision_here(decision: GateDecision) -> GateDecision:
    """What the gate says, with what mends it here."""
    reasons = tuple(replace(one, fix=advice_here(one.fix)) for one in decision.reasons)
    return replace(decision, reasons=reasons, warnings=tuple(map(advice_here, decision.warnings)))
