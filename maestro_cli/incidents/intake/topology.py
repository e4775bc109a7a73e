"""Where signals are, and which of them are of one cause by that.

Invariant: pure. Two signals are related by where they are and by when they began, never by which came first,
so that signals fall into the same groups in whatever order they arrive. What runs where is a fact that may be
missing: a signal then is where its labels say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.workload_labels import WORKLOAD_LABELS, workload_of
from maestro_cli.incidents.intake.rules.model import Rule

Dependencies = Mapping[str, frozenset[str]]  # of a workload `ns/name`: all that it needs, directly or not


@dataclass(frozen=True, slots=True)
class Topology:
    """Of pods `(namespace, name)` workload `ns/name` and node; of workloads the nodes of their pods."""

    pods: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    nodes: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The workload of a signal, the nodes that runs on, and the node that the signal is about, if any."""

    workload: str = ""
    nodes: frozenset[str] = frozenset()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A signal with the key of its own incident; `incident` is the open one that it is on, if any."""

    key: str
    place: Place
    began: datetime
    incident: str = ""


def topology_of(pods: Sequence[Pod]) -> Topology:
    """What the cluster says of its pods."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    nodes: dict[str, set[str]] = defaultdict(set)
    for pod in pods:
        name = pod.owner.rpartition("-")[0] if pod.owner_kind == "ReplicaSet" else pod.owner
        workload = f"{pod.namespace}/{name}" if name else ""
        found[pod.namespace, pod.name] = (workload, pod.node)
        if workload and pod.node:
            nodes[workload].add(pod.node)
    return Topology(found, {name: frozenset(each) for name, each in nodes.items()})


def place_of(labels: Mapping[str, str], topology: Topology) -> Place:
    """Where a signal is, by its labels and by what runs where."""
    node, namespace, pod = labels.get("node", ""), labels.get("namespace", ""), labels.get("pod", "")
    ref = workload_of(labels)
    owner, runs_on = topology.pods.get((namespace, pod), ("", ""))
    workload = owner or (f"{ref.namespace}/{ref.name}" if ref is not None else "")
    if node and not workload and not pod and not any(labels.get(label) for label, _ in WORKLOAD_LABELS):
        return Place(about=node)
    own = {one for one in (node, runs_on) if one}
    return Place(workload, frozenset(own) if own else topology.nodes.get(workload, frozenset()))


def closure(direct: Mapping[str, Sequence[str]]) -> Dependencies:
    """All that each workload needs, also through others; one that needs itself through others too."""
    found: dict[str, frozenset[str]] = {}
    for name in direct:
        seen: set[str] = set()
        waiting = list(direct[name])
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += direct.get(one, ())
        found[name] = frozenset(seen - {name})
    return found


def together(signals: Sequence[Placed], rule: Rule, dependencies: Dependencies) -> list[frozenset[str]]:
    """The keys of signals, in groups: those of one workload, of a node and of what runs there, of a workload
    and of what it needs, where they began within the rule's window; and what is so related through others."""
    parents: dict[str, str] = {one.key: one.key for one in signals}
    for one, other in _pairs(signals, rule, dependencies):
        parents[_root(parents, one)] = _root(parents, other)
    groups: dict[str, set[str]] = defaultdict(set)
    for key in parents:
        groups[_root(parents, key)].add(key)
    return sorted(map(frozenset, groups.values()), key=min)


def _root(parents: dict[str, str], key: str) -> str:
    while parents[key] != key:
        parents[key] = parents[parents[key]]
        key = parents[key]
    return key


def _pairs(signals: Sequence[Placed], rule: Rule, needs: Dependencies) -> Iterator[tuple[str, str]]:
    """Keys that are related directly."""
    window = timedelta(seconds=rule.window_seconds)
    at: dict[tuple[str, str], dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for one in sorted(signals, key=lambda one: one.began):
        for where in _wheres(one.place):
            at[where][one.key].append(one.began)
    for relation, place, other in _relations(list(at), rule, needs):
        near, far = at[relation, place], at.get(other, {})
        for key, starts in near.items():
            for another, others in far.items():
                if key != another and _are_near(starts, others, window):
                    yield key, another


def _wheres(place: Place) -> Iterator[tuple[str, str]]:
    if place.workload:
        yield "workload", place.workload
    if place.about:
        yield "about", place.about
    for node in place.nodes:
        yield "on", node


def _relations(
    wheres: Sequence[tuple[str, str]], rule: Rule, needs: Dependencies
) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Each place, and another one whose signals are related to its."""
    for kind, place in wheres:
        if kind == "workload":
            yield kind, place, (kind, place)
            for other in needs.get(place, ()) if "dependency" in rule.same else ():
                yield kind, place, (kind, other)
        elif kind == "about" and "node" in rule.same:
            yield kind, place, ("on", place)


def _are_near(starts: Sequence[datetime], others: Sequence[datetime], window: timedelta) -> bool:
    """Whether one of each, both in order, began within the window of the other."""
    here = there = 0
    while here < len(starts) and there < len(others):
        if abs(starts[here] - others[there]) <= window:
            return True
        if starts[here] < others[there]:
            here += 1
        else:
            there += 1
    return False


def first_of(keys: frozenset[str], signals: Sequence[Placed], needs: Dependencies) -> str:
    """Of keys that are together, the one that the others are likely due to: of a node, else of the workload
    that needs the fewest of the others, else the one that began first."""
    inside = [one for one in signals if one.key in keys]
    workloads = {one.place.workload for one in inside if one.place.workload}

    def rank(one: Placed) -> tuple[bool, int, datetime, str]:
        needed = needs.get(one.place.workload, frozenset()) & workloads
        return not one.place.about, len(needed), one.began, one.key

    return min(inside, key=rank).key
