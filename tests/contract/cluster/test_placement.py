"""Where pods go."""

from __future__ import annotations

import json

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import pod
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract


@behaviour("placement", "a pod that fits nowhere says why")
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


@behaviour("placement", "a lost node loses the pods that do not tolerate it for ever")
def test_a_lost_node_keeps_what_tolerates_it(kubectl: Kubectl) -> None:
    lost = f"lost-{kubectl.namespace}"
    kubectl.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": lost}})
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "for the last time"}
    once = json.dumps({"status": {"conditions": [ready]}})
    kubectl("patch", "node", lost, "--subresource=status", "--type=merge", "-p", once)
    taint = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    tolerations = {"stays": {"operator": "Exists"}, "goes": taint | {"tolerationSeconds": 1}}
    try:
        for name, toleration in tolerations.items():
            kubectl.apply(pod(name, nodeName=lost, tolerations=[toleration]))
        until(
            lambda: "deletionTimestamp" in kubectl.get("pod", "goes")["metadata"],
            "the eviction of `goes`",
            60,
        )
        assert "deletionTimestamp" not in kubectl.get("pod", "stays")["metadata"]
    finally:
        kubectl("delete", "pod", *tolerations, "--grace-period=0", "--force", "--wait=false")
        kubectl("delete", "node", lost)
