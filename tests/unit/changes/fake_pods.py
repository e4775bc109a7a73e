"""The pods of the FAKE cluster, as parts of its state: `namespace_pods` of them, and those that ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from maestro_cli.core.errors import GateNotMet, NotFound, StalePlan
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import ObjectRef

POD = ObjectRef("Pod", "ml", "pod-0")
_MADE = datetime(2026, 1, 1, tzinfo=UTC)


def pods(state: Mapping[str, Any]) -> Sequence[Pod]:
    """Their ReplicaSet makes another for each that ended, unless it is broken."""
    count = state["namespace_pods"] + (0 if state["frozen"] else len(state["ended"]))
    return tuple(
        Pod(
            "ml", f"pod-{n}", f"{state['pod_uid']}-{n}", "Running", _ready(state, n), _node(state, n), "",
            _MADE, False, "fraud-1", {"app": "fraud"}, (), owner_kind="ReplicaSet",
        )
        for n in range(count)
        if f"{state['pod_uid']}-{n}" not in state["ended"]
    )  # fmt: skip


def _ready(state: Mapping[str, Any], number: int) -> bool:
    return state["ready"] is None or number < state["ready"]


def _node(state: Mapping[str, Any], number: int) -> str:
    """Those that take another's place come up elsewhere."""
    return "node-a" if number < state["namespace_pods"] else "node-b"


def pod(state: Mapping[str, Any], name: str) -> Pod:
    """Raises NotFound."""
    for one in pods(state):
        if one.name == name:
            return one
    raise NotFound(f"pod/{name} not found")


def delete(state: dict[str, Any], name: str, uid: str) -> None:
    """What the API server and the kubelet do with a deletion by uid."""
    if pod(state, name).uid != uid:
        raise StalePlan("the uid in the precondition is another")
    state["ended"].append(uid)


def evict(state: dict[str, Any], name: str, uid: str) -> None:
    """The same where every budget has headroom; budgets as `FakeCluster.set` takes them."""
    if any(budget[2] <= 0 for budget in state["budgets"]):
        raise GateNotMet("Cannot evict pod as it would violate the pod's disruption budget.")
    delete(state, name, uid)
