"""The nodes of the FAKE cluster, as parts of its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.core.errors import NotFound, StalePlan
from maestro_cli.core.facts.cluster import Node
from maestro_cli.core.refs import ObjectRef

NODE = ObjectRef("Node", "", "node-a")


def nodes_at_first() -> dict[str, Any]:
    """Three ready nodes in two zones."""
    zones = {"node-a": "z1", "node-b": "z1", "node-c": "z2"}
    return {
        name: {"uid": f"{name}-uid", "rv": 7, "unschedulable": False, "annotations": {}, "zone": zone}
        for name, zone in zones.items()
    }


def node(state: Mapping[str, Any], name: str) -> Node:
    """Raises NotFound."""
    if name not in state["nodes"]:
        raise NotFound(f"node/{name} not found")
    one = state["nodes"][name]
    return Node(
        name, one.get("ready", True), not one["unschedulable"], one["zone"], uid=one["uid"],
        resource_version=str(one["rv"]), annotations=dict(one["annotations"]),
    )  # fmt: skip


def nodes(state: Mapping[str, Any]) -> Sequence[Node]:
    return [node(state, name) for name in sorted(state["nodes"])]


def write(
    state: dict[str, Any], name: str, uid: str, resource_version: str, unschedulable: bool,
    annotations: Mapping[str, str | None],
) -> Node:  # fmt: skip
    """What the API server does with the patch."""
    now = node(state, name)
    if (now.uid, now.resource_version) != (uid, resource_version):
        raise StalePlan("the target changed since it was read")
    one = state["nodes"][name]
    one["rv"] += 1
    one["unschedulable"] = unschedulable
    merged = {**one["annotations"], **annotations}
    one["annotations"] = {key: value for key, value in merged.items() if value is not None}
    return node(state, name)
