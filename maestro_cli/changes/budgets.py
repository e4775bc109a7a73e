"""How much of an objective's error budget is left, for the rules of a policy.

Invariant: what could not be measured is None with why, never zero and never enough.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.changes.left import Left
from maestro_cli.changes.policy_file import PolicyRules
from maestro_cli.changes.ports import World
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.slo.burn import budget_left
from maestro_cli.slo.objectives import Objective


def left_of(world: World, objective: Objective) -> Left:
    """By the share of bad events over the objective's window, as far back as Prometheus keeps it."""
    if not objective.is_of_metrics:
        return Left(None, "no metric tells it: drills and incidents do")
    promql = objective.error_ratio(prometheus_duration(objective.window_seconds), grouping="")
    try:
        ratio = world.metrics.query(promql).only
    except MaestroError as error:
        return Left(None, error.what)
    left = budget_left(ratio, objective)
    return Left(left, "" if left is not None else "Prometheus has no data for it")


def budgets_of(world: World, rules: PolicyRules) -> Mapping[str, Left]:
    """What is left for each objective that a budget rule names.

    Where one of them is `by_standing`, what is left at least, from raw samples, as `slo budget` counts it.
    """
    named = {budget.objective for budget in rules.content.budgets}
    by_standing = {budget.objective for budget in rules.content.budgets if budget.by_standing}
    if not named:
        return {}
    try:
        known = world.objectives
    except NotFound as error:
        return dict.fromkeys(named, Left(None, error.what))
    missing = Left(None, "the context has no objective of that name")
    found = dict.fromkeys(sorted(named), missing)
    for name in found:
        if name in known:
            at_least = name in by_standing
            found[name] = world.left_at_least(known[name]) if at_least else left_of(world, known[name])
    return found
