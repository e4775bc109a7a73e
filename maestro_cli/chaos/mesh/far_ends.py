"""The other ends of the connections that a manifest alters: pods that get rules as well.

Invariant: they are found when it is planned, and named in what is made; what a Schedule holds selects
them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.changes.ports import World
from maestro_cli.chaos.mesh.selection import far_ends, matched, most, namespaces_of, with_far_ends
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.facts.cluster import Pod

Document = Mapping[str, Any]


def with_named_ends(world: World, document: Document) -> tuple[Document, tuple[Pod, ...]]:
    """The manifest with its far ends as pods by name, and these pods; raises ActionFailed where one has none.

    Without any, Chaos Mesh would alter the connections to everybody.
    """
    kind, spec, namespace = document["kind"], document["spec"], document["metadata"]["namespace"]
    ends = list(far_ends(kind, spec))
    if not ends:
        return document, ()
    nodes, met = world.cluster.list_nodes(), dict[tuple[str, str], Pod]()

    def found(end: Mapping[str, Any]) -> dict[str, list[str]]:
        there = [pod for one in sorted(namespaces_of(end, namespace)) for pod in world.cluster.list_pods(one)]
        pods = sorted(matched(end, namespace, there, nodes), key=lambda pod: (pod.namespace, pod.name))
        if not pods:
            raise ActionFailed(f"the target of {kind} {document['metadata']['name']} matches no pod")
        names: dict[str, list[str]] = {}
        for pod in pods[: most(end, len(pods))]:
            met[(pod.namespace, pod.name)] = pod
            names.setdefault(pod.namespace, []).append(pod.name)
        return names

    for one in ends:
        found(one)
    return {**document, "spec": with_far_ends(kind, spec, found)}, tuple(met.values())
