"""What a pod must have: a field that is missing is refused, or its pod runs; it never breaks a kubelet."""

from __future__ import annotations

import copy
import random
import re
from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import REFUSES, behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.mutants import KEYS, NEEDED, RICH, dropped, mutate
from tests.contract.cluster.objects import idle_pod
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract
DRY_RUN = {"dryRun": "All"}
JUNK_SEEDS = range(40)


@behaviour("validation", "a pod without any one of its fields is refused where Kubernetes needs that field")
def test_what_a_pod_must_have(http: httpx.Client, pods: str) -> None:
    whole = http.post(pods, json=RICH, params=DRY_RUN)
    assert whole.status_code == 201, whole.text
    refused, taken = set[str](), set[str]()
    for path, mutant in dropped():
        answer = http.post(pods, json=mutant, params=DRY_RUN)
        assert answer.status_code in (201, 422), (path, answer.text)
        found = refused if answer.status_code == 422 else taken
        found.add(re.sub(r"\[\d+\]", "[]", path))
    assert refused == NEEDED
    assert not taken & NEEDED


@pytest.mark.parametrize("port", [0, -1, 70_000, "", "80", "Http", "a--b", "x" * 16])
@pytest.mark.parametrize("action", ["httpGet", "tcpSocket"])
@behaviour("validation", "a probe's port is 1 to 65535, or the name of a port")
def test_ports_of_probes(http: httpx.Client, pods: str, action: str, port: int | str) -> None:
    probed = idle_pod("p")
    probed["spec"]["containers"][0]["livenessProbe"] = {action: {"port": port}}
    refused = http.post(pods, json=probed, params=DRY_RUN)
    assert refused.status_code == 422, refused.text
    fields = {cause["field"] for cause in refused.json()["details"]["causes"]}
    assert fields == {f"spec.containers[0].livenessProbe.{action}.port"}


@pytest.mark.parametrize("resource", ["claims.x", "cpu", "limits.gpu", "limits"])
@behaviour("validation", "a resource field is a limit or a request that every container has")
def test_resource_fields(http: httpx.Client, pods: str, resource: str) -> None:
    made = idle_pod("p")
    variable = {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": resource}}}
    made["spec"]["containers"][0]["env"] = [variable]
    refused = http.post(pods, json=made, params=DRY_RUN)
    assert refused.status_code == 422, refused.text
    [cause] = refused.json()["details"]["causes"]
    field = "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource"
    assert (cause["field"], cause["reason"]) == (field, "FieldValueNotSupported")


def _mutants() -> list[dict[str, Any]]:
    """RICH without each one of its fields, and with junk in one place or another."""
    found = [mutant for _, mutant in dropped()]
    for seed in JUNK_SEEDS:
        spec = mutate(copy.deepcopy(RICH["spec"]), random.Random(seed))
        found.append(RICH | {"spec": spec})
    for number, mutant in enumerate(found):
        mutant["metadata"] = {"name": f"mutant-{number}"}
    return found


def _is_told(pod: dict[str, Any], complained: set[str]) -> bool:
    """Whether its user knows what became of it: it started, waits for a reason, or an event says so."""
    status = pod.get("status", {})
    states = [one["state"] for one in status.get("containerStatuses", [])]
    reasons = [state.get("waiting", {}).get("reason", "") for state in states]
    if status.get("phase") != "Pending" or pod["metadata"]["name"] in complained:
        return True
    return any("Error" in reason or "BackOff" in reason for reason in reasons)


@behaviour(
    "hostile input", "a pod without one of its fields, or with junk in it, runs or says why; then it goes"
)
def test_what_is_taken_is_run_and_goes(
    http: httpx.Client, pods: str, configs: str, kubectl: Kubectl, platform: Platform
) -> None:
    http.post(configs, json={"metadata": {"name": "settings"}, "data": {"color": "blue"}})
    http.post(configs.replace("configmaps", "secrets"), json=KEYS)
    answers = [http.post(pods, json=mutant) for mutant in _mutants()]
    names = {answer.json()["metadata"]["name"] for answer in answers if answer.status_code == 201}
    assert len(names) > 40
    assert {answer.status_code for answer in answers} <= {201, 400, 422}

    def untold() -> set[str]:
        complained = {
            event["involvedObject"]["name"] for event in kubectl.items("events") if event["type"] == "Warning"
        }
        return {
            pod["metadata"]["name"] for pod in http.get(pods).json()["items"] if not _is_told(pod, complained)
        }

    until(lambda: not untold(), "each to be told of")
    reasons = {pod["status"].get("reason") for pod in http.get(pods).json()["items"]}
    assert "UnexpectedError" not in reasons
    http.delete(pods)
    until(lambda: http.get(pods).json()["items"] == [], "all of them to be gone")
    for node in ("kubelet-a", "kubelet-b"):
        assert "Traceback" not in platform.log(node)


_ELSEWHERE = {"labelSelector": {"matchLabels": {"app": "p"}}, "topologyKey": "kubernetes.io/hostname"}
_SPREAD = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    "spec",
    [
        {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [_ELSEWHERE]}}}
        for kind in ("podAffinity", "podAntiAffinity")
    ]
    + [
        {"topologySpreadConstraints": [_SPREAD]},
        {"containers": [{"name": "c", "image": "x:1", "ports": [{"containerPort": 80, "hostPort": 8080}]}]},
        {"resources": {"requests": {"cpu": "1"}}},
    ],
    ids=["podAffinity", "podAntiAffinity", "DoNotSchedule", "hostPort", "a pod's own resources"],
)
@behaviour("placement", "what must hold for a pod to be placed holds", lite=REFUSES)
def test_hard_constraints(http: httpx.Client, pods: str, spec: dict[str, Any]) -> None:
    pod = idle_pod("p")
    answer = http.post(pods, json=pod | {"spec": pod["spec"] | spec}, params=DRY_RUN)
    assert answer.status_code == 201, answer.text


@behaviour("placement", "wishes that a scheduler may pass over are taken")
def test_wishes(http: httpx.Client, pods: str) -> None:
    wished = [{"weight": 1, "podAffinityTerm": _ELSEWHERE}]
    pod = idle_pod("p")
    pod["spec"] |= {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": wished}},
        "topologySpreadConstraints": [_SPREAD | {"whenUnsatisfiable": "ScheduleAnyway"}],
    }
    answer = http.post(pods, json=pod)
    assert answer.status_code == 201, answer.text
