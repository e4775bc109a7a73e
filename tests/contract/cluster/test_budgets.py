"""Evictions against disruption budgets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import budget, conditions, deployment
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract


def evict(kubectl: Kubectl, name: str, *, fails: bool = False) -> str:
    body = '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"%s"}}'
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{name}/eviction"
    return kubectl("create", "--raw", path, "-f", "-", given=body % (name, kubectl.namespace), fails=fails)


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
    until(lambda: kubectl.get("pdb", "web")["status"].get("currentHealthy") == 3, "three healthy pods")
    status = kubectl.get("pdb", "web")["status"]
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)
    assert status["expectedPods"] == 3
    assert conditions(kubectl.get("pdb", "web"))["DisruptionAllowed"][0] == ("True" if allowed else "False")


@behaviour("eviction", "an eviction is refused with 429 until the replacement is ready")
def test_an_eviction_is_refused_until_the_replacement_is_ready(kubectl: Kubectl) -> None:
    kubectl.apply(budget("web", maxUnavailable=1), deployment("web"))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    until(lambda: kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1, "one allowed")
    first, second, _third = sorted(pod["metadata"]["name"] for pod in kubectl.items("pods"))
    evict(kubectl, first)
    told = evict(kubectl, second, fails=True)
    assert "disruption budget" in told
    until(lambda: kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1, "one allowed again")
    evict(kubectl, second)
