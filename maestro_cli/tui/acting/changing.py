"""Actions that are changes of one kind.

Invariant: an action gives its kind's parameters and nothing else; plan, dialog, gate and log are the
dispatcher's. No change has a key by default: it is chosen from the menu of what has the cursor (`x`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from maestro_cli.core.refs import ObjectRef
from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Target

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.services.root import Services

Parameters = Mapping[str, Any]


def change_action(
    action_id: str,
    kind: str,
    title: str,
    tooltip: str,
    danger: Danger,
    ref: Callable[[Target], ObjectRef],
    line: Callable[[Target, Answers], tuple[str, ...]],
    *,
    parameters: Callable[[Target, Answers], Parameters] = lambda target, answers: {},
    asks: tuple[Ask, ...] = (),
    is_bulk: bool = False,
    grade: Callable[[Target], Danger] | None = None,
) -> Action:
    """An action that plans a change of `kind` on what `ref` finds in the target."""

    def plan(services: Services, target: Target, answers: Answers) -> Plan:
        return services.changes.plan(kind, ref(target), parameters(target, answers))

    return Action(
        action_id, title, tooltip, danger, line,
        asks=asks, is_bulk=is_bulk, plans=plan, kind=kind, grade=grade,
    )  # fmt: skip


def whole_number(text: str) -> int:
    """Raises ValueError for what is not 0, 1, 2, …"""
    if not text.isascii() or not text.isdecimal():
        raise ValueError("write a whole number")
    return int(text)
