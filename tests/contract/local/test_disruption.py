"""Evictions against budgets, drain, garbage collection, namespaces, placement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.local.running import Kubectl, conditions, deployment, pod, until

pytestmark = pytest.mark.contract


def budget(name: str, **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": name}}
    body = {"selector": selector, **spec}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": body,
    }


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
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    until(lambda: kubectl.get("pdb", "web")["status"].get("currentHealthy") == 3, "three healthy pods")
    status = kubectl.get("pdb", "web")["status"]
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)
    assert status["expectedPods"] == 3
    assert conditions(kubectl.get("pdb", "web"))["DisruptionAllowed"][0] == ("True" if allowed else "False")


def evict(kubectl: Kubectl, name: str, *, fails: bool = False) -> str:
    body = '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"%s"}}'
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{name}/eviction"
    return kubectl("create", "--raw", path, "-f", "-", given=body % (name, kubectl.namespace), fails=fails)


def test_an_eviction_is_refused_until_the_replacement_is_ready(kubectl: Kubectl) -> None:
    kubectl.apply(budget("web", maxUnavailable=1), deployment("web"))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    until(lambda: kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1, "one allowed")
    first, second, _third = sorted(pod["metadata"]["name"] for pod in kubectl.items("pods"))
    evict(kubectl, first)
    told = evict(kubectl, second, fails=True)
    assert "disruption budget" in told
    until(lambda: kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1, "one allowed again")
    evict(kubectl, second)


def test_deleting_a_deployment_takes_everything_with_it(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    kubectl("delete", "deploy", "web")
    until(lambda: not kubectl.items("rs") and not kubectl.items("pods"), "replica sets and pods to go")


def test_foreground_deletion_ends_last_with_the_owner(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    kubectl("delete", "deploy", "web", "--cascade=foreground", "--timeout=20s")
    assert kubectl.items("pods") == []
    assert kubectl.items("rs") == []


def test_orphans_stay_and_are_adopted_again(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    [before] = kubectl.items("rs")
    kubectl("delete", "deploy", "web", "--cascade=orphan", "--timeout=20s")
    [left] = kubectl.items("rs")
    assert "ownerReferences" not in left["metadata"]
    kubectl.apply(deployment("web", 1))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    [after] = kubectl.items("rs")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["ownerReferences"][0]["kind"] == "Deployment"


def test_a_namespace_goes_with_its_content(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", f"{kubectl.namespace}-gone")
    kubectl("-n", f"{kubectl.namespace}-gone", "create", "configmap", "left", "--from-literal=a=b")
    kubectl("delete", "namespace", f"{kubectl.namespace}-gone", "--timeout=20s")
    assert "NotFound" in kubectl("get", "namespace", f"{kubectl.namespace}-gone", fails=True)


def test_what_fits_nowhere_says_why(kubectl: Kubectl) -> None:
    kubectl.apply(pod("far", nodeSelector={"kubernetes.io/hostname": "nowhere"}))
    told = str(until(lambda: kubectl.events("FailedScheduling"), "the event")[0])
    assert "nodes are available" in told
    assert "didn't match Pod's node affinity/selector" in told
    huge = {"resources": {"requests": {"memory": "99Ti"}}}
    kubectl.apply(pod("huge", container_fields=huge))
    until(
        lambda: any("Insufficient memory" in words for words in kubectl.events("FailedScheduling")), "reason"
    )
    kubectl.apply(pod("near", nodeSelector={"topology.kubernetes.io/zone": "zone-b"}))
    until(lambda: kubectl.get("pod", "near")["spec"].get("nodeName") == "node-b", "the only node that fits")
