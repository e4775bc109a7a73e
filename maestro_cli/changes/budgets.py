"""How much of an objective's error budget is left, for the rules of a policy.

Invariant: what could not be measured is None with why, never zero and never enough.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.changes.left import Left
from maestro_cli.changes.policy_file import PolicyRules
from maestro_cli.changes.ports import World
from maestro_cli.core.errors import NotFound


def budgets_of(world: World, rules: PolicyRules) -> Mapping[str, Left]:
    """What is left for each objective that a budget rule names."""
    named = {budget.objective for budget in rules.content.budgets}
    if not named:
        return {}
    try:
        known = world.objectives
    except NotFound as error:
        return dict.fromkeys(named, Left(None, error.what))
    missing = Left(None, "the context has no objective of that name")
    return {name: world.budget_left(known[name]) if name in known else missing for name in sorted(named)}
