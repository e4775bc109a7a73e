"""`maestro pod|workload|node describe` and `yaml` as one calls them, against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from maestro_cli.config.strict import parse_yaml
from tests.cli.api import ANSWERS, AT, EVIL, api_server, crashing, listing, lost_node, pod, refusal, workload
from tests.cli.program import check_golden, maestro

PODS, APPS = "/api/v1/namespaces/ml/pods", "/apis/apps/v1/namespaces/ml"


def event(kind: str, name: str, reason: str, message: str) -> dict[str, Any]:
    involved = {"kind": kind, "name": name, "uid": f"uid-{name}"}
    meta = {"name": f"{name}.1", "namespace": "ml", "uid": f"uid-event-{name}"}
    return {"metadata": meta, "involvedObject": involved, "type": "Warning", "reason": reason,
            "message": message, "count": 4, "lastTimestamp": AT, "firstTimestamp": AT}  # fmt: skip


def owner(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]


def owned(body: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "ownerReferences": owner(kind, name)}}


CRASHING = owned(crashing("fraud-5c9-b"), "ReplicaSet", "fraud-5c9")
CRASHING["spec"]["containers"][0]["env"] = [{"name": "API_TOKEN", "value": "hunter2"}]
HEALTHY = owned(pod("fraud-5c9-a"), "ReplicaSet", "fraud-5c9")
REPLICA_SET = owned(workload("fraud-5c9", 2, replicas=2, readyReplicas=1), "Deployment", "fraud")
DEPLOYMENT = workload("fraud", 2, replicas=2, updatedReplicas=2, readyReplicas=1, availableReplicas=1)
DEPLOYMENT["status"]["conditions"] = [
    {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": EVIL,
     "lastTransitionTime": AT}
]  # fmt: skip
OBJECTS: dict[str, Any] = {
    **ANSWERS,
    PODS: listing(HEALTHY, CRASHING),
    f"{PODS}/fraud-5c9-b": CRASHING,
    f"{APPS}/deployments/fraud": DEPLOYMENT,
    f"{APPS}/replicasets": listing(REPLICA_SET),
    f"{APPS}/replicasets/fraud-5c9": REPLICA_SET,
    "/api/v1/nodes/node-b": lost_node("node-b"),
    "/api/v1/pods": listing(HEALTHY),
    "/api/v1/namespaces/ml/events": listing(event("Pod", "fraud-5c9-b", "BackOff", EVIL)),
    "/api/v1/events": listing(
        event("Node", "node-b", "NodeNotReady", "Node node-b status is now: NodeNotReady")
    ),
}
COMMANDS = {"pod": "fraud-5c9-b", "workload": "fraud", "node": "node-b"}


@pytest.fixture
def api() -> Iterator[list[str]]:
    with api_server(OBJECTS) as asked:
        yield asked


@pytest.mark.parametrize("form", ["table", "json", "md"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_object_is_told_with_all_that_belongs_to_it(api: list[str], command: str, form: str) -> None:
    result = maestro(command, "describe", COMMANDS[command], "-o", form)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"{command}-describe.{form}", result.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_object_is_printed_as_yaml_without_secrets(api: list[str], command: str) -> None:
    result = maestro(command, "yaml", COMMANDS[command])
    assert (result.code, result.err) == (0, "")
    assert "hunter2" not in result.out
    assert "\x1b" not in result.out
    name = parse_yaml(result.out, "out").data["metadata"]["name"]
    assert name == COMMANDS[command]


def test_what_may_not_be_read_is_said_beside_what_may() -> None:
    refused = refusal(403, "Forbidden", "events is forbidden", kind="events")
    with api_server({**OBJECTS, "/api/v1/namespaces/ml/events": refused}):
        body = json.loads(maestro("workload", "describe", "ml/deploy/fraud", "-o", "json").out)
        shown = maestro("workload", "describe", "fraud").out
    assert body["missing"] == ["events: the cluster forbids it: events is forbidden"]
    assert "NOT READABLE\n\nevents: the cluster forbids it" in shown
    assert body["owned"][0]["ref"]["name"] == "fraud-5c9"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["pod", "describe", "nowhere"], 6),
        (["pod", "describe", "deploy/fraud"], 2),
        (["workload", "describe", "pod/fraud"], 2),
        (["workload", "yaml", "ml/deploy/nowhere"], 6),
        (["node", "describe", "ml/node/a"], 2),
    ],
    ids=["no pod", "no pod's name", "no workload's name", "no workload", "no node's name"],
)
def test_what_is_not_there_ends_with_its_code(api: list[str], words: list[str], code: int) -> None:
    result = maestro(*words)
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("maestro: error: ")
