"""Policy files on the command line. Invariant: reads only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NotFound

if TYPE_CHECKING:
    from maestro_cli.changes.policy_file import PolicyRules
    from maestro_cli.changes.rules import Judgement
    from maestro_cli.services.root import Services


def check_policy(services: Services, file: str | None) -> PolicyRules:
    """Read a policy file, by default the context's. Raises InvalidFile, and NotFound when there is none."""
    from maestro_cli.changes.policy_file import load_policy

    path = file or services.context.policy
    if not path:
        raise NotFound(
            f"context {services.context_name} has no policy",
            fix="name a file, or set policy: PATH of the context",
        )
    return load_policy(Path(path))


def explain_change(services: Services, change_id: str) -> tuple[Judgement, ...]:
    """What each rule says now of a recorded change, made by who asked for it. Raises NotFound.

    One's own credentials are asked of the cluster; somebody else's are known when they had to wait.
    """
    from maestro_cli.changes.approvals import identity_of
    from maestro_cli.changes.budgets import budgets_of
    from maestro_cli.changes.judging import judged_elsewhere
    from maestro_cli.changes.rules import Caller, judge

    change, now = services.get_change(change_id), services.clock.now()
    elsewhere = judged_elsewhere(services, change.plan, change.actor, now)
    if elsewhere and not services.context.policy:
        return tuple(elsewhere)
    rules = check_policy(services, None)
    identity = "" if change.appeal is None else change.appeal.identity
    if change.actor == services.actor:
        identity = identity_of(services)
    caller = Caller(change.actor, identity)
    return (*judge(rules, change.plan, caller, now, budgets_of(services, rules)), *elsewhere)
