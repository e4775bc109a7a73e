"""Whether what an approval was given to is still what was shown.

Invariant: the target itself is compared elsewhere; here is what is around it, beyond the noise of a live
system. What cannot be read now is not compared, nor what is left of an error budget: an outage spends it
while its rescue waits. Rules of the policy measure it again, and say what has to be known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from maestro_cli.changes.history import recent_on
from maestro_cli.changes.impact import measure
from maestro_cli.changes.model import Change
from maestro_cli.changes.ports import World
from maestro_cli.changes.served import Impact
from maestro_cli.core.errors import MaestroError
from maestro_cli.journal.store import Journal

# What moves less than this while people look is no other plan.
SHARE_NOISE = 0.1


def changed_since(world: World, journal: Journal, change: Change, now: datetime) -> tuple[str, ...]:
    """In words, what of the plan's blast radius is no longer as it was shown."""
    found = [*_headroom(world, change), *_others(journal, change, now)]
    before = change.plan.blast.impact
    if before is not None:
        found += _impact(before, measure(world, change.plan)[0])
    return tuple(found)


def _headroom(world: World, change: Change) -> Iterator[str]:
    """Each budget is looked at where it is: that of the same name in another namespace is another one."""
    blast, own = change.plan.blast, change.ref.namespace
    had = {(one.namespace or own, one.name) for one in blast.budgets if one.allowed > 0}
    for namespace in sorted({place for place, _ in had} if not blast.waits else ()):
        try:
            there = world.cluster.list_disruption_budgets(namespace)
        except MaestroError:
            continue
        for budget in there:
            if (budget.namespace, budget.name) in had and budget.disruptions_allowed <= 0:
                where = f" of {budget.namespace}" if budget.namespace != own else ""
                yield f"disruption budget {budget.name}{where} has no headroom any more"


def _others(journal: Journal, change: Change, now: datetime) -> Iterator[str]:
    shown = {one.id for one in change.plan.blast.recent}
    age_seconds = (now - change.plan.created_at).total_seconds()
    for other in recent_on(journal, change.ref, now, age_seconds, but=change.id):
        if other.id not in shown:
            yield f"{other.id} ({other.kind} by {other.actor}) changed it since"


def _impact(before: Impact, now: Impact) -> Iterator[str]:
    for name in now.incidents:
        if name not in before.incidents:
            yield f"{name} was opened since"
    shares = {one.service: one.share for one in before.traffic}
    for one in now.traffic:
        was = shares.get(one.service, 0.0)
        if one.share - was > SHARE_NOISE:
            yield f"it would end {one.share:.0%} of the endpoints of {one.service}, and {was:.0%} was shown"
