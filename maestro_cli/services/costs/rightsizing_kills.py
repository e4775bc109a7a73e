"""Kills for memory that changes saw and undid: what the journal knows, and metrics may have missed.

A container that is killed and put back within seconds may be gone before anybody scrapes how it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.changes.history import killed_for_memory
from maestro_cli.changes.resource_words import amounts_in, killed_containers
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.quantities import parse_quantity
from maestro_cli.core.refs import ref_of
from maestro_cli.cost.rightsizing.facts import Facts, KilledAfter
from maestro_cli.cost.rightsizing.model import ContainerId, WorkloadId
from maestro_cli.cost.rightsizing.owners import PodKey

if TYPE_CHECKING:
    from maestro_cli.changes.model import Change
    from maestro_cli.journal.store import Journal
    from maestro_cli.services.costs.root import CostServices


def find_kills(
    services: CostServices, chosen: Mapping[PodKey, WorkloadId], facts: Facts, start: datetime, end: datetime
) -> tuple[dict[ContainerId, KilledAfter], tuple[str, ...]]:
    """As `kills_of_changes`, and in words what could not be read; a journal that is not there has none."""
    if not services.journal_path.exists():  # a report makes no journal
        return {}, ()
    try:
        return kills_of_changes(services.journal, chosen, facts, start, end), ()
    except MaestroError as error:
        return {}, (f"whether a change had one killed for its memory is not known: {error.what}",)


def kills_of_changes(
    journal: Journal,
    chosen: Mapping[PodKey, WorkloadId],
    facts: Facts,
    start: datetime,
    end: datetime,
) -> dict[ContainerId, KilledAfter]:
    """By container the last change from `start` to `end` by which it was killed; of the chosen workloads."""
    by_ref = {ref_of(one.kind, one.namespace, one.name): one for one in set(chosen.values())}
    found: dict[ContainerId, KilledAfter] = {}
    for change in killed_for_memory(journal, start, end):
        workload = by_ref.get(change.ref)
        if workload is None or change.applied_at is None:
            continue
        limits = _limits(change, workload, facts)
        at = change.applied_at.timestamp()
        found |= {container: KilledAfter(change.id, at, limit) for container, limit in limits.items()}
    return found


def _limits(change: Change, workload: WorkloadId, facts: Facts) -> dict[ContainerId, float | None]:
    """Where those ended that were killed; where it does not say which were, any of them may have been."""
    limits = {
        name: parse_quantity(amount)
        for (name, side, resource), amount in amounts_in(change.plan.parameters).items()
        if (side, resource) == ("limits", "memory") and amount is not None
    }
    killed = killed_containers(change.verify_failure)
    if killed:
        return {ContainerId(workload, name): limits.get(name) for name in killed}
    return dict.fromkeys(_containers(change, workload, facts))


def _containers(change: Change, workload: WorkloadId, facts: Facts) -> Iterable[ContainerId]:
    named = (ContainerId(workload, name) for name, _, _ in amounts_in(change.plan.parameters))
    told = (one for one in facts.endings if one.workload == workload)
    return {*facts.sizes_of(workload), *told, *named}
