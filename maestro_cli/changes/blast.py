"""The blast radius of ending some of a workload's replicas or one pod, and of closing a node.

Invariant: only reads; what the caller may not read is said (`blind`), never taken for zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from maestro_cli.changes.model import BlastRadius, BudgetHeadroom, RecentChange
from maestro_cli.changes.ports import ClusterPort
from maestro_cli.core.errors import Refused
from maestro_cli.core.facts.cluster import ConfigMap, DisruptionBudget, Node, Pod, Workload
from maestro_cli.core.selectors import selector_matches

_ENDED = {"Succeeded", "Failed"}


def blast_radius(
    cluster: ClusterPort,
    workload: Workload,
    *,
    replicas_ended: int,
    replicas_after: int,
    recent: Sequence[RecentChange] = (),
    blind: Sequence[str] = (),
) -> BlastRadius:
    """What ending that many replicas touches; raises Unreachable. `blind`: what was not seen before."""
    live, budgets, unseen = _surroundings(cluster, workload.ref.namespace, pod_labels(workload))
    return BlastRadius(
        workloads=1,
        replicas_now=workload.replicas,
        replicas_after=replicas_after,
        replicas_ended=replicas_ended,
        namespace_replicas=live,
        namespace_share=None if live is None else share_of(replicas_ended, live),
        budgets=budgets,
        recent=tuple(recent),
        blind=(*blind, *unseen),
    )


def drain_blast(
    cluster: ClusterPort, node: Node, gone: Sequence[Pod], *, recent: Sequence[RecentChange] = ()
) -> BlastRadius:
    """What closing a node and ending these of its pods touches; the share is that of the worst namespace."""
    closed = node_blast(cluster, node, closed=True, recent=recent)
    unseen = list(closed.blind)
    ended = Counter(pod.namespace for pod in gone)
    share: float | None = 0.0
    budgets: dict[tuple[str, str], BudgetHeadroom] = {}
    try:
        live = Counter(pod.namespace for pod in cluster.list_pods(None) if _is_live(pod))
        share = max((share_of(count, live[name]) for name, count in ended.items()), default=0.0)
    except Refused:
        share = None
        unseen.append("pods of all namespaces: the share of their replicas is not known")
    try:
        found = cluster.list_disruption_budgets(None)
        for pod in gone:
            near = [budget for budget in found if budget.namespace == pod.namespace]
            budgets |= {(pod.namespace, one.name): one for one in covering(near, pod.labels)}
    except Refused:
        unseen.append("disruption budgets: whether one holds the drain up is not known")
    return replace(
        closed,
        workloads=len({(pod.namespace, pod.owner) for pod in gone if pod.owner}),
        replicas_after=closed.replicas_now - len(gone),
        replicas_ended=len(gone),
        namespace_share=share,
        budgets=tuple(budgets[key] for key in sorted(budgets)),
        blind=tuple(unseen),
        waits=True,
        namespaces=tuple(sorted(ended)),
    )


def config_blast(
    cluster: ClusterPort, found: ConfigMap, readers: Sequence[Workload], *, restarted: bool,
    recent: Sequence[RecentChange],
) -> BlastRadius:  # fmt: skip
    """What another value in a config map touches: the workloads that read it, and their replicas."""
    live, _, unseen = _surroundings(cluster, found.namespace, {})
    budgets: dict[str, BudgetHeadroom] = {}
    try:
        there = cluster.list_disruption_budgets(found.namespace)
        for one in readers if restarted else ():
            budgets |= {budget.name: budget for budget in covering(there, pod_labels(one))}
    except Refused:
        pass  # said by _surroundings
    replicas = sum(one.replicas_wanted for one in readers)
    ended = replicas if restarted else 0
    return BlastRadius(
        workloads=len(readers),
        replicas_now=replicas,
        replicas_after=replicas,
        replicas_ended=ended,
        namespace_replicas=live,
        namespace_share=None if live is None else share_of(ended, live),
        budgets=tuple(budgets[name] for name in sorted(budgets)),
        recent=tuple(recent),
        blind=tuple(unseen),
    )


def pod_labels(workload: Workload) -> dict[str, str]:
    """The labels of a workload's pods."""
    meta: Any = workload.template.get("metadata") or {}
    return {str(key): str(value) for key, value in (meta.get("labels") or {}).items()}


def pod_blast(
    cluster: ClusterPort, pod: Pod, *, ended: int, recent: Sequence[RecentChange], blind: Sequence[str]
) -> BlastRadius:
    """What the end of one pod touches; without a controller nothing takes its place."""
    live, budgets, unseen = _surroundings(cluster, pod.namespace, pod.labels)
    now = 1
    if pod.owner and live is not None:
        now = len(replicas_beside(cluster, pod.namespace, pod.owner))
    return BlastRadius(
        workloads=1 if pod.owner else 0,
        replicas_now=now,
        replicas_after=now if pod.owner else 0,
        replicas_ended=ended,
        namespace_replicas=live,
        namespace_share=None if live is None else share_of(ended, live),
        budgets=budgets,
        recent=tuple(recent),
        blind=(*blind, *unseen),
    )


def replicas_beside(cluster: ClusterPort, namespace: str, owner: str) -> list[Pod]:
    """The live pods of one controller, by its name."""
    return [pod for pod in cluster.list_pods(namespace) if pod.owner == owner and _is_live(pod)]


def live_replicas(cluster: ClusterPort, namespace: str) -> int:
    """How many pods of a namespace live; raises Refused when they may not be listed."""
    return sum(map(_is_live, cluster.list_pods(namespace)))


def _is_live(pod: Pod) -> bool:
    return pod.phase not in _ENDED and not pod.deleting


def _surroundings(
    cluster: ClusterPort, namespace: str, labels: Mapping[str, str]
) -> tuple[int | None, tuple[BudgetHeadroom, ...], list[str]]:
    """Live pods of the namespace, the budgets over pods of these labels, and what was not seen."""
    unseen: list[str] = []
    live: int | None = None
    try:
        live = live_replicas(cluster, namespace)
    except Refused:
        unseen.append(f"pods of {namespace}: the share of its replicas is not known")
    try:
        return live, covering(cluster.list_disruption_budgets(namespace), labels), unseen
    except Refused:
        unseen.append(f"disruption budgets of {namespace}: the headroom is not known")
        return live, (), unseen


def node_blast(
    cluster: ClusterPort, node: Node, *, closed: bool, recent: Sequence[RecentChange] = ()
) -> BlastRadius:
    """What closing a node to new pods touches, or opening it; ends no pod. Raises Unreachable."""
    unseen: list[str] = []
    now = 0
    try:
        now = sum(1 for pod in cluster.list_pods_on(node.name) if pod.phase not in _ENDED)
    except Refused:
        unseen.append(f"pods of {node.ref}: how many run there is not known")
    left: list[Node] | None = None
    try:
        others = [other for other in cluster.list_nodes() if other.name != node.name]
        left = [other for other in [*others, *([] if closed else [node])] if other.ready]
        left = [other for other in left if other.schedulable or other.name == node.name]
    except Refused:
        unseen.append("nodes: how many still take new pods is not known")
    return BlastRadius(
        workloads=0,
        replicas_now=now,
        replicas_after=now,
        namespace_share=0.0,
        recent=tuple(recent),
        blind=tuple(unseen),
        nodes_left=None if left is None else len(left),
        zones_left=None if left is None else tuple(sorted({other.zone for other in left if other.zone})),
    )


def share_of(part: int, whole: int) -> float:
    """So much of the whole, all of it when the whole is not there (any more)."""
    if part <= 0:
        return 0.0
    return min(1.0, part / whole) if whole else 1.0


def covering(budgets: Sequence[DisruptionBudget], labels: Mapping[str, str]) -> tuple[BudgetHeadroom, ...]:
    """The disruption budgets whose selector takes in pods of these labels, by name.

    A selector that cannot be read is counted as covering: too careful is better than too bold.
    """
    return tuple(
        BudgetHeadroom(
            budget.name,
            budget.disruptions_allowed,
            budget.current_healthy,
            budget.desired_healthy,
            budget.expected_pods,
            budget.namespace,
        )
        for budget in sorted(budgets, key=lambda budget: budget.name)
        if _covers(budget.selector, labels)
    )


def _covers(selector: str, labels: Mapping[str, str]) -> bool:
    try:
        return selector_matches(selector, dict(labels))
    except ValueError:
        return True
