"""What the light cluster sends its user away for: the real control plane has it, or says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import phase, pod
from tests.contract.cluster.running import until

REAL = pytest.param("kubernetes", marks=pytest.mark.kubernetes)
pytestmark = [pytest.mark.contract, pytest.mark.parametrize("platform", [REAL], indirect=True)]


@pytest.mark.parametrize(
    "command",
    [
        "create role r --verb=get --resource=pods",
        "create cronjob c --image=x --schedule=@daily",
        "create ingress i --rule=a/b=c:80",
        "create quota q --hard=pods=9",
        "create token default",
        "get statefulsets",
        "get crd",
        "get pvc",
    ],
)
@behaviour("what the light cluster lacks", "the real control plane has the kinds it is named for")
def test_kinds(kubectl: Kubectl, command: str) -> None:
    if command == "create token default":
        until(lambda: "default" in kubectl("get", "serviceaccounts", "-o", "name"), "the account")
    assert kubectl(*command.split())


@behaviour("what the light cluster lacks", "server-side apply works with kubectl, and tells of conflicts")
def test_server_side_apply(kubectl: Kubectl, deployment: dict[str, Any]) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    assert "serverside-applied" in kubectl(*apply, given=json.dumps(deployment))
    kubectl("scale", "deploy/web", "--replicas=5")
    told = kubectl(*apply, given=json.dumps(deployment), fails=True)
    assert "conflict" in told
    assert ".spec.replicas" in told


@behaviour(
    "what the light cluster lacks",
    "exec, attach, port-forward and top fail with their reason",
)
def test_what_no_process_kubelet_can(kubectl: Kubectl) -> None:
    kubectl.apply(pod("p1", "import signal;signal.pause()"))
    until(lambda: phase(kubectl, "p1") == "Running", "a start")
    for command in ("exec p1 -- ls", "attach p1", "port-forward p1 :80"):
        assert kubectl(*command.split(), lacks="a process is no container")
    for command in ("top nodes", "top pods"):
        assert "Metrics API not available" in kubectl(*command.split(), lacks="no metrics server runs")
