"""Changes by which a drill breaks something: what they are about is no evidence for whoever responds to it.

Invariant: their record is as that of any change; that a drill made them is in the cause alone.
"""

from __future__ import annotations

from maestro_cli.changes.model import Change

_DRILL = "drill "


def sealed_cause(drill: str, why: str) -> str:
    """The cause of a change that breaks something for a drill."""
    return f"{_DRILL}{drill}: {why}"


def is_sealed(change: Change) -> bool:
    """Whether a drill made it to break something."""
    return change.cause.startswith(_DRILL)
