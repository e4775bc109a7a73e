"""Where pods go."""

from __future__ import annotations

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
