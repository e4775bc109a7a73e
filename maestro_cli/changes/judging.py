"""What the rules of policies say of a plan: the context's own, and those where it would write elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maestro_cli.changes.approvals import identity_of
from maestro_cli.changes.budgets import budgets_of
from maestro_cli.changes.kinds.switch_region import SWITCH
from maestro_cli.changes.model import Plan
from maestro_cli.changes.policy_file import PolicyRules
from maestro_cli.changes.ports import World
from maestro_cli.changes.rules import Caller, Judgement, judge


def judgements(
    world: World, rules: PolicyRules | None, plan: Plan, actor: str, now: datetime
) -> tuple[Judgement, ...]:
    """All of them, asked as `actor`. Raises Unreachable and Refused."""
    own: Sequence[Judgement] = ()
    if rules is not None:
        own = judge(rules, plan, Caller(actor, identity_of(world)), now, budgets_of(world, rules))
    return (*own, *judged_elsewhere(world, plan, actor, now))


def judged_elsewhere(world: World, plan: Plan, actor: str, now: datetime) -> Sequence[Judgement]:
    """Those of the context that has the entrance, where the plan is to write to one."""
    return world.entrances.judged(plan, actor, now) if plan.kind == SWITCH else ()
