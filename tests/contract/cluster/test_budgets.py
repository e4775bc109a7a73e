"""Evictions against disruption budgets."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import budget, conditions, container, deployment, idle_pod, pod
from tests.contract.cluster.running import until
from tests.contract.cluster.wire import MERGE

pytestmark = pytest.mark.contract


def evict(http: httpx.Client, pods: str, name: str, **query: str) -> httpx.Response:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return http.post(f"{pods}/{name}/eviction", json=body, params=query)


@behaviour("eviction", "a disruption budget is counted from numbers and percentages")
@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"maxUnavailable": 1}, 2, 1),
        ({"maxUnavailable": "34%"}, 1, 2),
        ({"minAvailable": 2}, 2, 1),
        ({"minAvailable": "50%"}, 2, 1),
        ({"maxUnavailable": 0}, 3, 0),
    ],
)
def test_budgets_are_counted(kubectl: Kubectl, spec: dict[str, Any], desired: int, allowed: int) -> None:
    kubectl.apply(budget("web", **spec), deployment("web"))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")

    def counted() -> dict[str, Any] | None:
        found: dict[str, Any] = kubectl.get("pdb", "web")
        return found if found["status"].get("currentHealthy") == 3 else None

    found = until(counted, "three healthy pods")
    status = found["status"]
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)
    assert status["expectedPods"] == 3
    assert conditions(found)["DisruptionAllowed"][0] == ("True" if allowed else "False")


@behaviour("eviction", "an eviction is refused with 429 until the replacement is ready")
def test_an_eviction_is_refused_until_the_replacement_is_ready(
    kubectl: Kubectl, http: httpx.Client, pods: str
) -> None:
    kubectl.apply(budget("web", maxUnavailable=1), deployment("web"))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")

    def allowed() -> bool:
        return bool(kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1)

    until(allowed, "one allowed")
    first, second, _third = sorted(pod["metadata"]["name"] for pod in kubectl.items("pods"))
    assert evict(http, pods, first, dryRun="All").status_code == 201
    assert evict(http, pods, first).status_code == 201
    refused = evict(http, pods, second)
    assert (refused.status_code, refused.json()["reason"]) == (429, "TooManyRequests")
    assert refused.json()["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    [cause] = refused.json()["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    assert cause["message"].startswith("The disruption budget web needs 2 healthy pods and has ")
    assert "retry-after" not in refused.headers, "a client would try again by itself, inside the call"
    until(allowed, "one allowed again")
    assert evict(http, pods, second).status_code == 201


@behaviour(
    "eviction",
    "an evicted pod says so in its conditions; an eviction names the pod, and holds to its version",
)
def test_an_evicted_pod_says_so(http: httpx.Client, pods: str) -> None:
    made = idle_pod("p", app="held")
    made["metadata"]["finalizers"] = ["example.test/hold"]
    version = http.post(pods, json=made).json()["metadata"]["resourceVersion"]
    for wrong in ({"metadata": {"name": "q"}}, {}):
        refused = http.post(
            f"{pods}/p/eviction", json={"apiVersion": "policy/v1", "kind": "Eviction"} | wrong
        )
        assert refused.status_code == 400, refused.text
        assert "name in URL does not match name in Eviction object" in refused.json()["message"]
    assert evict(http, pods, "p", dryRun="All").status_code == 201
    assert "DisruptionTarget" not in conditions(http.get(f"{pods}/p").json())

    def at(version: str) -> httpx.Response:
        options = {"preconditions": {"resourceVersion": version}}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
        return http.post(f"{pods}/p/eviction", json=body | {"deleteOptions": options})

    label = {"metadata": {"labels": {"new": "label"}}}
    newer = http.patch(f"{pods}/p", json=label, headers=MERGE).json()["metadata"]["resourceVersion"]
    stale = at(version)
    assert (stale.status_code, stale.json()["reason"]) == (409, "Conflict")
    assert at(newer).status_code == 201
    found = http.get(f"{pods}/p").json()
    assert conditions(found)["DisruptionTarget"] == ("True", "EvictionByEvictionAPI")
    assert "deletionTimestamp" in found["metadata"]
    http.patch(f"{pods}/p", json={"metadata": {"finalizers": None}}, headers=MERGE)


@behaviour("eviction", "a pod that does not run yet is no disruption")
def test_a_pod_that_does_not_run_is_free(kubectl: Kubectl, http: httpx.Client, pods: str) -> None:
    kubectl.apply(budget("idle", maxUnavailable=0))
    http.post(pods, json=idle_pod("p", app="idle"))
    assert evict(http, pods, "p").status_code == 201
    assert http.get(f"{pods}/p").status_code == 404


@behaviour("eviction", "a pod without controller is not expected: a budget of unavailable pods holds it")
def test_a_bare_pod_is_held_by_a_budget(kubectl: Kubectl, http: httpx.Client, pods: str) -> None:
    kubectl.apply(budget("bare", maxUnavailable=1), pod("bare"))

    def counted() -> Any:
        status = kubectl.get("pdb", "bare")["status"]
        return status if status.get("currentHealthy") == 1 else None

    status = until(counted, "a healthy pod")
    assert [status[name] for name in ("expectedPods", "desiredHealthy", "disruptionsAllowed")] == [0, 0, 0]
    assert evict(http, pods, "bare").status_code == 429


@behaviour("eviction", "a budget over pods whose controller has no scale allows nothing, and says why")
def test_a_budget_over_a_job_allows_nothing(kubectl: Kubectl, http: httpx.Client, pods: str) -> None:
    template = {
        "metadata": {"labels": {"app": "work"}},
        "spec": {"containers": [container()], "restartPolicy": "Never", "terminationGracePeriodSeconds": 1},
    }
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}}
    kubectl.apply(job | {"spec": {"template": template}})
    kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=work", "--timeout=90s")
    kubectl.apply(budget("work", maxUnavailable=1))

    def told() -> bool:
        found = kubectl.get("pdb", "work")
        return conditions(found).get("DisruptionAllowed") == ("False", "SyncFailed")

    until(told, "the budget to say that it cannot be told")
    [worker] = kubectl.items("pods")
    assert evict(http, pods, worker["metadata"]["name"]).status_code == 429
    assert kubectl.get("pdb", "work")["status"]["disruptionsAllowed"] == 0
