"""Faults that are put in by the API of a cluster: each has the effect that it proves, and is taken back."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import GateNotMet, NotFound
from tests.contract.chaos.conftest import Inject
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract
SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"LEVEL": "info"},
}


def test_a_deleted_pod_is_gone_by_its_uid_and_another_comes(web: Kubectl, injecting: Inject) -> None:
    fault = injecting("pod-delete")
    assert fault.put_in().startswith("gone: ")
    uid = fault.force.targets[0].uid
    assert fault.take_back() == "2 of 2 pods ready"
    assert uid not in {pod["metadata"]["uid"] for pod in web.get("pods")["items"]}


def test_an_eviction_asks_the_disruption_budget_and_a_deletion_does_not(
    web: Kubectl, injecting: Inject
) -> None:
    budget = {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    }  # fmt: skip
    web.apply(budget)
    until(lambda: web.get("pdb", "all").get("status", {}).get("currentHealthy") == 2, "the budget's count")
    with pytest.raises(GateNotMet):
        injecting("pod-delete", evict=True).put_in()
    assert injecting("pod-delete").put_in()


def test_a_cordoned_node_takes_no_pods_until_it_is_taken_back(web: Kubectl, injecting: Inject) -> None:
    fault = injecting("node-cordon")
    assert fault.put_in() == "1 of 1 closed"
    name = fault.force.targets[0].ref.name
    assert web.get("node", name)["spec"]["unschedulable"] is True
    assert fault.residue() == [f"node/{name} takes no new pods"]
    fault.take_back()
    assert not web.get("node", name)["spec"].get("unschedulable")


def test_a_drained_node_is_empty_and_its_pods_come_elsewhere(web: Kubectl, injecting: Inject) -> None:
    fault = injecting("node-drain")
    name = fault.candidates[0].ref.name
    assert fault.put_in() == f"empty: node/{name}"
    assert fault.take_back() == "2 of 2 pods ready"


def test_a_workload_without_replicas_gets_back_as_many_as_it_had(web: Kubectl, injecting: Inject) -> None:
    fault = injecting("scale-to-zero")
    assert fault.candidates[0].whole
    assert fault.put_in() == f"no replica of {fault.force.targets[0].ref} is ready"
    assert fault.residue() == [f"{fault.force.targets[0].ref} wants no replica"]
    fault.take_back()
    assert web.get("deploy", "web")["spec"]["replicas"] == 2
    web("scale", "deploy/web", "--replicas=0")
    assert not fault.candidates, "what has no replica cannot lose one"


def test_a_broken_key_says_again_what_it_said(web: Kubectl, injecting: Inject) -> None:
    web.apply(SETTINGS)
    web("set", "env", "deploy/web", "--from=configmap/settings")
    web("rollout", "status", "deploy/web", "--timeout=90s")
    fault = injecting("config-break", config_map="settings", key="LEVEL", value="nonsense")
    assert fault.put_in().endswith("says the wrong value")
    assert web.get("configmap", "settings")["data"] == {"LEVEL": "nonsense"}
    web("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"OTHER": "written meanwhile"}}')
    fault.take_back()
    assert web.get("configmap", "settings")["data"] == {"LEVEL": "info", "OTHER": "written meanwhile"}


def test_what_the_workload_does_not_read_is_no_candidate(web: Kubectl, injecting: Inject) -> None:
    web.apply(SETTINGS)
    assert not injecting("config-break", config_map="settings", key="LEVEL", value="x").candidates
    with pytest.raises(NotFound):
        _ = injecting("config-break", config_map="nothing", key="LEVEL", value="x").candidates


def test_a_key_whose_value_may_not_be_kept_is_not_broken(web: Kubectl, injecting: Inject) -> None:
    web.apply({**SETTINGS, "data": {"PASSWORD": "hunter2"}})
    with pytest.raises(GateNotMet, match="not to be broken"):
        _ = injecting("config-break", config_map="settings", key="PASSWORD", value="x").candidates
