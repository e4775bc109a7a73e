"""Nodes as targets of faults: those that run ready pods of a target rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from maestro_cli.chaos.faults.cluster_fault import ClusterFault
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.faults.identity import the_very
from maestro_cli.chaos.faults.pods import ready_pods, serve_again
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.facts.cluster import Node
from maestro_cli.core.refs import ObjectRef


def hosting_nodes(platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
    """The nodes that take new pods and run ready pods of the rule, by name; these pods are their parts."""
    pods: dict[str, list[ObjectRef]] = {}
    for pod in ready_pods(platform, order.target):
        pods.setdefault(pod.node, []).append(pod.ref)
    there = [platform.cluster.get_node(name) for name in sorted(pods)]
    return [
        Candidate(one.ref, one.uid, one.zone, parts=tuple(pods[one.name]))
        for one in there
        if one.ready and one.schedulable
    ]


def node_of(platform: Platform, target: Candidate) -> Node | None:
    """The very node, or None when it is gone."""
    return the_very(target, lambda: platform.cluster.get_node(target.ref.name))


class ClosedNode(ClusterFault, ABC):
    """A fault that closes nodes to new pods by a kind of change whose undo opens them."""

    name: ClassVar[str]
    summary: ClassVar[str]
    kind: ClassVar[str]

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return hosting_nodes(platform, order)

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return [Step(self.kind, one.ref, dict(order.parameters)) for one in targets]

    @abstractmethod
    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """What was seen of it."""

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        """Every node takes new pods again, and every pod of the rule that there is serves."""
        return serve_again(platform, fault, self.residue(platform, fault))

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return [f"{one} takes no new pods" for one in closed_of(platform, fault)]


def closed_of(platform: Platform, fault: InForce) -> Sequence[ObjectRef]:
    """Its targets that take no new pods now."""
    nodes = [node_of(platform, one) for one in fault.targets]
    return [node.ref for node in nodes if node is not None and not node.schedulable]
