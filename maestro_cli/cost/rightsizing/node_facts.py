"""Which nodes there are, and which pods are on them or wait, from metrics: eight queries for a cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from maestro_cli.core.facts.metrics import Sample
from maestro_cli.cost.metering.identities import Identities
from maestro_cli.cost.metering.labels import of_object
from maestro_cli.cost.rightsizing.asking import NODE_INFO, NODE_LABELS, FactQueries
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.owners import PodKey
from maestro_cli.cost.rightsizing.placement import PlacedPod, Room, Taint

Ask: TypeAlias = Callable[[str], Iterable[Sample]]
Requests: TypeAlias = Mapping[tuple[str, str, str], Mapping[str, float]]  # container → resource → amount
_MAIN = ("cpu", "memory", "pods")


def read_rooms(ask: Ask, queries: FactQueries) -> Iterator[Room]:
    """Every node of which it is told what pods may ask for, by name."""
    free, all_ = _by_node(ask(queries.allocatable)), _by_node(ask(queries.capacity))
    taints: dict[str, list[Taint]] = defaultdict(list)
    for one in ask(queries.taints):
        of = one.labels
        taints[of.get("node", "")].append(Taint(of.get("key", ""), of.get("value", ""), of.get("effect", "")))
    told = Identities()
    labels: dict[str, Mapping[str, str]] = {}
    for name, promql in ((NODE_INFO, queries.node_info), (NODE_LABELS, queries.node_labels)):
        series = [one.labels for one in ask(promql)]
        told.take({**of, "__name__": name} for of in series)
        if name == NODE_LABELS:
            labels = {of.get("node", ""): of_object(of) for of in series}
    for name, has in sorted(free.items()):
        if "cpu" in has and "memory" in has:
            others = {one: amount for one, amount in has.items() if one not in _MAIN}
            yield Room(
                told.node(name), has["cpu"], has["memory"], has.get("pods"), others,
                all_.get(name, {}), labels.get(name, {}), tuple(sorted(taints[name], key=str)),
            )  # fmt: skip


def read_placed(
    ask: Ask,
    queries: FactQueries,
    requests: Requests,
    alive: Iterable[PodKey],
    owners: Mapping[PodKey, WorkloadId],
) -> Iterator[PlacedPod]:
    """Every pod that runs or waits, and what its containers ask for together."""
    nodes = {_pod(one): one.labels["node"] for one in ask(queries.places) if one.labels.get("node")}
    own = {_pod(one): one.labels.get("owner_name", "") for one in ask(queries.static_pods)}
    with_volumes = {_pod(one) for one in ask(queries.mounts)}
    totals: dict[PodKey, dict[str, float]] = {pod: defaultdict(float) for pod in alive}
    for (namespace, pod, _), of in requests.items():
        for resource, amount in of.items():
            if (namespace, pod) in totals:
                totals[namespace, pod][resource] += amount
    for key, of in sorted(totals.items()):
        others = {one: amount for one, amount in of.items() if one not in _MAIN and amount}
        static = WorkloadId(key[0], "Node", own[key]) if key in own else None
        yield PlacedPod(
            *key, nodes.get(key, ""), owners.get(key, static),
            of.get("cpu", 0.0), of.get("memory", 0.0), others, key in with_volumes,
        )  # fmt: skip


def _by_node(samples: Iterable[Sample]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for one in samples:
        found[one.labels.get("node", "")][one.labels.get("resource", "")] = one.value
    return found


def _pod(one: Sample) -> PodKey:
    return one.labels.get("namespace", ""), one.labels.get("pod", "")
