"""Pods that end and nodes that are drained on both clusters, and whom that leaves without an answer."""

from __future__ import annotations

import json

import pytest

from maestro_cli.changes.model import Consent, State
from maestro_cli.core.errors import (
    GateNotMet,
    Refused,
    StalePlan,
)
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from tests.contract.changes.conftest import Pipeline, rolled_out
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract
YES = Consent(given=True)
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
}
ANYTHING = {"bare_pods": True, "empty_dir": True}  # the cluster is shared with other tests
ACCEPTED = Consent(given=True, accepts=frozenset({"disruption-budget"}))


@pytest.fixture
def pod(web: Kubectl, namespace: str) -> ObjectRef:
    return ObjectRef("Pod", namespace, str(web.items("pods")[0]["metadata"]["name"]))


def uids(kubectl: Kubectl) -> set[str]:
    """Of the pods that are not ending."""
    metadata = [item["metadata"] for item in kubectl.items("pods")]
    return {meta["uid"] for meta in metadata if "deletionTimestamp" not in meta}


def test_a_pod_is_evicted_and_replaced(pipeline: Pipeline, web: Kubectl, pod: ObjectRef) -> None:
    before = uids(web)
    with pytest.raises(Refused, match="create pods/eviction"):
        pipeline("viewer").execute(pipeline("viewer").plan("delete-pod", pod), YES)
    changes = pipeline()
    plan = changes.plan("delete-pod", pod)
    rehearsal = changes.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed, rehearsal.decision
    assert uids(web) == before
    assert changes.execute(plan, YES).state is State.VERIFIED
    assert before - uids(web) == {plan.target.uid}
    assert web.get("deploy", "web")["status"]["readyReplicas"] == 2


def test_a_pod_goes_past_its_budget_by_name_only(pipeline: Pipeline, web: Kubectl, pod: ObjectRef) -> None:
    web.apply(BUDGET)
    web("wait", "pdb/web", "--for=jsonpath={.status.currentHealthy}=2", "--timeout=60s")
    before = uids(web)
    changes = pipeline()
    with pytest.raises(GateNotMet, match="disruption budget web has no headroom"):
        changes.execute(changes.plan("delete-pod", pod), YES)
    with pytest.raises(GateNotMet, match="does not evict"):
        changes.execute(changes.plan("delete-pod", pod), ACCEPTED)
    assert uids(web) == before
    outright = changes.plan("delete-pod", pod, {"without_eviction": True})
    assert changes.execute(outright, ACCEPTED).state is State.VERIFIED
    assert before - uids(web) == {outright.target.uid}


def test_a_deletion_reaches_no_pod_of_another_uid(pipeline: Pipeline, web: Kubectl, pod: ObjectRef) -> None:
    before, cluster = uids(web), pipeline().world.cluster
    for end in (cluster.evict_pod, cluster.delete_pod):
        with pytest.raises(StalePlan):
            end(pod.namespace, pod.name, uid="00000000-0000-0000-0000-000000000000")
    assert uids(web) == before


def test_a_node_is_drained_within_a_budget_and_opened_again(
    pipeline: Pipeline, web: Kubectl, pod: ObjectRef
) -> None:
    """Three replicas of which two have to stay: a second on the node waits for the first's successor."""
    web("patch", "deploy/web", "--type=merge", "-p", '{"spec":{"replicas":3}}')
    rolled_out(web)
    web.apply(BUDGET)
    web("wait", "pdb/web", "--for=jsonpath={.status.disruptionsAllowed}=1", "--timeout=60s")
    name = str(web.get("pod", pod.name)["spec"]["nodeName"])
    node = ObjectRef("Node", "", name)
    changes = pipeline()
    with pytest.raises(Refused, match="you may not patch nodes"):
        pipeline("viewer").execute(pipeline("viewer").plan("drain", node, ANYTHING), YES)
    plan = changes.plan("drain", node, ANYTHING)
    assert str(pod) in plan.parameters["pods"].values()
    assert (plan.blast.nodes_left, plan.blast.waits) == (1, True)
    assert changes.execute(plan, YES).state is State.VERIFIED
    assert web.get("node", name)["spec"]["unschedulable"] is True
    assert name not in {item["spec"].get("nodeName") for item in web.items("pods")}
    rolled_out(web)
    assert changes.execute(changes.plan_undo(plan.id), YES).state is State.VERIFIED
    assert not web.get("node", name)["spec"].get("unschedulable")


def test_a_drain_loses_no_data_that_was_not_named(pipeline: Pipeline, web: Kubectl, pod: ObjectRef) -> None:
    volume = {"spec": {"template": {"spec": {"volumes": [{"name": "scratch", "emptyDir": {}}]}}}}
    web("patch", "deploy/web", "--type=merge", "-p", json.dumps(volume))
    rolled_out(web)
    held = next(one for one in web.items("pods") if "deletionTimestamp" not in one["metadata"])
    node = ObjectRef("Node", "", str(held["spec"]["nodeName"]))
    changes = pipeline()
    with pytest.raises(GateNotMet, match="would be lost"):
        changes.execute(changes.plan("drain", node, {"bare_pods": True}), YES)
    assert not web.get("node", node.name)["spec"].get("unschedulable")


def test_the_share_of_a_services_traffic_is_that_of_its_endpoints(
    pipeline: Pipeline, web: Kubectl, pod: ObjectRef, ref: WorkloadRef
) -> None:
    ports = [{"port": 80, "targetPort": 80}]
    web.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "front"},
            "spec": {"selector": {"app": "web"}, "ports": ports},
        }
    )
    cluster = pipeline().world.cluster

    def ready() -> int:
        return sum(one.ready for one in cluster.list_endpoints(ref.namespace))

    until(lambda: ready() == 2, "both pods are behind the service")
    one, all_of_it = (pipeline().plan(kind, of).blast for kind, of in (("delete-pod", pod), ("restart", ref)))
    assert one.impact is not None
    assert all_of_it.impact is not None
    assert [(t.service, t.share) for t in one.impact.traffic] == [(f"{ref.namespace}/front", 0.5)]
    assert [(t.service, t.share) for t in all_of_it.impact.traffic] == [(f"{ref.namespace}/front", 1.0)]
    assert not any("traffic" in text for text in (*one.blind, *all_of_it.blind))
