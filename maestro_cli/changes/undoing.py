"""Planning to take a change back. Invariant: what the change left is taken back, never what came after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.changes.model import Change, Plan
from maestro_cli.core.errors import GateNotMet

Planner = Callable[[str, Mapping[str, Any]], Plan]


def plan_undo(kind: ChangeKind, change: Change, plan: Planner) -> Plan:
    """The plan that takes this change of that kind back, made by `plan` from a kind and its parameters.

    Raises GateNotMet when the change has no undo or somebody changed since what it wrote, and what planning
    raises.
    """
    undo = change.plan.undo
    if undo is None:
        raise GateNotMet(
            f"change {change.id} cannot be undone",
            why=f"what a {change.kind} does cannot be taken back",
            fix=f"look at {change.ref}, and make another change",
        )
    made = plan(undo.kind, undo.parameters)
    refuse_what_came_after(kind, change, made)
    return made


def refuse_what_came_after(kind: ChangeKind, change: Change, undo: Plan) -> None:
    """Raises GateNotMet when somebody changed since what it wrote: the undo would write over that."""
    if undo.target.uid != change.plan.target.uid or not kind.is_left(change, undo):
        raise GateNotMet(
            f"somebody changed {change.ref} since; it was left as it is",
            why=f"it is no longer what change {change.id} made of it",
            fix="look at it, and make another change",
        )


def refuse_undo(change: Change) -> None:
    """Raises GateNotMet when there is nothing of the change to take back, or not yet."""
    if change.applied_at is None:
        raise GateNotMet(f"change {change.id} has changed nothing", why=f"it is {change.state.value}")
    if not change.finished:
        raise GateNotMet(
            f"change {change.id} is not finished",
            why=f"it is {change.state.value}",
            fix=f"see it through first: maestro change resume {change.id}",
        )
