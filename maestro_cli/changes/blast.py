"""The blast radius of restarting a workload's replicas.

Invariant: only reads; what the caller may not read is said (`blind`), never taken for zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_cli.changes.model import BlastRadius, BudgetHeadroom, RecentChange
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.errors import Refused
from maestro_cli.core.facts.cluster import DisruptionBudget, Workload
from maestro_cli.core.selectors import selector_matches

_ENDED = {"Succeeded", "Failed"}


def blast_radius(
    cluster: ClusterPort,
    workload: Workload,
    *,
    replicas_restarted: int,
    recent: Sequence[RecentChange] = (),
) -> BlastRadius:
    """What restarting that many replicas touches; raises Unreachable."""
    namespace = workload.ref.namespace
    blind: list[str] = []
    live: int | None = None
    try:
        pods = cluster.list_pods(namespace)
        live = sum(1 for pod in pods if pod.phase not in _ENDED and not pod.deleting)
    except Refused:
        blind.append(f"pods of {namespace}: the share of its replicas is not known")
    budgets: tuple[BudgetHeadroom, ...] = ()
    try:
        budgets = covering(cluster.list_disruption_budgets(namespace), workload)
    except Refused:
        blind.append(f"disruption budgets of {namespace}: the headroom is not known")
    return BlastRadius(
        workloads=1,
        replicas_now=workload.replicas,
        replicas_after=workload.replicas_wanted,
        replicas_restarted=replicas_restarted,
        namespace_replicas=live,
        namespace_share=None if live is None else _share(replicas_restarted, live),
        budgets=budgets,
        recent=tuple(recent),
        blind=tuple(blind),
    )


def _share(part: int, whole: int) -> float:
    if part <= 0:
        return 0.0
    return min(1.0, part / whole) if whole else 1.0


def covering(budgets: Sequence[DisruptionBudget], workload: Workload) -> tuple[BudgetHeadroom, ...]:
    """The disruption budgets whose selector takes in the workload's pods, by name.

    A selector that cannot be read is counted as covering: too careful is better than too bold.
    """
    meta: Any = workload.template.get("metadata") or {}
    labels = {str(key): str(value) for key, value in (meta.get("labels") or {}).items()}
    return tuple(
        BudgetHeadroom(
            budget.name,
            budget.disruptions_allowed,
            budget.current_healthy,
            budget.desired_healthy,
            budget.expected_pods,
        )
        for budget in sorted(budgets, key=lambda budget: budget.name)
        if _covers(budget.selector, labels)
    )


def _covers(selector: str, labels: dict[str, str]) -> bool:
    try:
        return selector_matches(selector, labels)
    except ValueError:
        return True
