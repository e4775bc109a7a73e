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
    """What is left, by the name of each budget rule."""
    budgets = sorted(rules.content.budgets, key=lambda one: (one.objective, one.window))
    if not budgets:
        return {}
    try:
        known = world.objectives
    except NotFound as error:
        return {one.name: Left(None, error.what) for one in budgets}
    missing = Left(None, "the context has no objective of that name")
    return {
        one.name: world.budget_left(one.of(known[one.objective])) if one.objective in known else missing
        for one in budgets
    }
