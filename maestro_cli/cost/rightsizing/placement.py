"""Nodes with the room that they have, pods with what they ask for, and which pod may be where.

Units: cores, bytes, and pieces of what else nodes have (GPUs), by its name in kube-state-metrics. Invariant:
what a pod demands and cannot be judged by what is known of a node is not met there.
Source: Kubernetes' node selection, taints and tolerations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from maestro_cli.core.promql import exported_label
from maestro_cli.cost.metering.model import NodeRef
from maestro_cli.cost.rightsizing.model import WorkloadId

_HARD = ("NoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
Labelled: TypeAlias = tuple[str, frozenset[str] | None]  # a label and its values; None: any


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods from a node that do not tolerate it."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True, slots=True)
class Toleration:
    """Of every taint with that key, value and effect; an empty key or effect and a value None mean any."""

    key: str = ""
    value: str | None = None
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        return (
            self.key in ("", taint.key)
            and self.value in (None, taint.value)
            and self.effect in ("", taint.effect)
        )


@dataclass(frozen=True, slots=True)
class PlacedPod:
    """A pod that runs or waits, and what all its containers ask for; an empty node: it waits.

    `others` are pieces of GPUs and the like. With `keeps_zone` it holds a volume, which stays where it is.
    """

    namespace: str
    name: str
    node: str
    workload: WorkloadId | None
    cpu: float
    memory: float
    others: Mapping[str, float] = field(default_factory=dict)
    keeps_zone: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """A node as pods see it: what of it they may ask for, its labels and taints.

    `capacity` is what it has by resource, and is paid for.
    """

    node: NodeRef
    cpu: float
    memory: float
    pods: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    capacity: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def zone(self) -> str:
        return self.node.zone

    @property
    def repels(self) -> tuple[Taint, ...]:
        """The taints that keep a pod away, and do not only prefer others."""
        return tuple(taint for taint in self.taints if taint.effect in _HARD)

    def has(self, label: str, values: frozenset[str] | None) -> bool:
        """Labels are as the cluster has them, or as kube-state-metrics writes them."""
        found = self.labels.get(label, self.labels.get(exported_label(label)))
        return found is not None and (values is None or found in values)


@dataclass(frozen=True, slots=True)
class NodeDemand:
    """What a pod template says of its nodes: one of `choices` holds; without any, none is known to."""

    choices: tuple[tuple[Labelled, ...], ...] = ((),)
    tolerations: tuple[Toleration, ...] = ()

    def is_met_by(self, room: Room) -> bool:
        return all(any(one.tolerates(taint) for one in self.tolerations) for taint in room.repels) and any(
            all(room.has(label, values) for label, values in choice) for choice in self.choices
        )


ANY_NODE = NodeDemand()


def is_alike(room: Room, now: Room | None) -> bool:
    """For a pod whose template is not known: a node such as the one that it is on, or one that takes any."""
    if now is None:
        return not room.repels
    return room.node.instance_type == now.node.instance_type and set(room.repels) <= set(now.repels)


def node_demand_of(spec: Mapping[str, Any]) -> NodeDemand:
    """Of the `spec` of a pod template: a selector, a required affinity, tolerations.

    An expression that compares, or that a label would meet which is not told (`NotIn`), is met nowhere.
    """
    if spec.get("nodeName"):
        return NodeDemand(choices=())
    selected = tuple(
        (str(label), frozenset((str(value),))) for label, value in (spec.get("nodeSelector") or {}).items()
    )
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    terms = [()] if required is None else list(_terms(required.get("nodeSelectorTerms") or ()))
    choices = tuple((*selected, *term) for term in terms)
    return NodeDemand(choices, tuple(_toleration(one) for one in spec.get("tolerations") or ()))


def _terms(terms: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Labelled, ...]]:
    for term in terms:
        wanted = list(term.get("matchExpressions") or ())
        if wanted and not term.get("matchFields") and all(one.get("operator") in _JUDGED for one in wanted):
            yield tuple(
                (str(one.get("key")), _JUDGED[one["operator"]](one.get("values") or ())) for one in wanted
            )


_JUDGED: Mapping[str, Any] = {
    "In": lambda values: frozenset(map(str, values)),
    "Exists": lambda values: None,
}


def _toleration(told: Mapping[str, Any]) -> Toleration:
    value = None if told.get("operator") == "Exists" else str(told.get("value") or "")
    return Toleration(str(told.get("key") or ""), value, str(told.get("effect") or ""))
