"""What pod templates demand of where their pods are. Source: Kubernetes' pod affinity and topology spread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from maestro_cli.core.facts.cluster import Workload
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.packing import Demands
from maestro_cli.cost.rightsizing.placement import NodeDemand, node_demand_of

_HOST = "kubernetes.io/hostname"
_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


def demands_of(workloads: Iterable[Workload]) -> Demands:
    """Which nodes, required anti-affinity, and spread constraints that do not schedule otherwise."""
    apart, zoned = set(), set()
    nodes: dict[WorkloadId, NodeDemand] = {}
    for one in workloads:
        workload = WorkloadId(one.ref.namespace, one.ref.kind, one.ref.name)
        spec = one.template.get("spec") or {}
        nodes[workload] = node_demand_of(spec)
        keys = set(_keys(spec))
        if _HOST in keys:
            apart.add(workload)
        if keys.intersection(_ZONES):
            zoned.add(workload)
    return Demands(frozenset(apart), frozenset(zoned), nodes)


def containers_of(workloads: Iterable[Workload]) -> dict[WorkloadId, frozenset[str]]:
    """The names in each pod template, those that start before the others among them."""
    return {
        WorkloadId(one.ref.namespace, one.ref.kind, one.ref.name): frozenset(_names(one.template))
        for one in workloads
    }


def _names(template: Mapping[str, Any]) -> Iterator[str]:
    spec = template.get("spec") or {}
    for part in ("containers", "initContainers"):
        for one in spec.get(part) or ():
            yield str(one.get("name"))


def _keys(spec: Mapping[str, Any]) -> Iterator[str]:
    """The topologies over which pods of one template must be spread."""
    affinity = (spec.get("affinity") or {}).get("podAntiAffinity") or {}
    for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
        yield str(term.get("topologyKey"))
    for spread in spec.get("topologySpreadConstraints") or ():
        if spread.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule":
            yield str(spread.get("topologyKey"))
