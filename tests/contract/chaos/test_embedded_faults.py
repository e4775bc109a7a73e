"""Faults that the embedded platform's load balancer and kubelets carry out, felt from outside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.fault_leases import PREFIX, FaultLease, annotation_of
from tests.contract.chaos.conftest import Inject
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
from tests.contract.cluster.running import Platform, until
from tests.contract.cluster.test_metrics import page

pytestmark = pytest.mark.contract


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("link-latency", {"milliseconds": 300}),
        ("link-bandwidth", {"bytes_per_second": 1000}),
        ("link-loss", {"share": 0.5}),
        ("link-partition", {}),
    ],
)
def test_a_fault_of_the_way_is_felt_through_the_service_and_is_over_when_taken_back(
    web: Kubectl, injecting: Inject, fault: str, parameters: dict[str, Any]
) -> None:
    made = injecting(fault, **parameters)
    assert "felt by" in made.put_in()
    assert made.residue() == [f"link is leased to {made.force.targets[0].ref}"]
    assert made.take_back().startswith("2 of 2 pods ready")
    pod = web.get("pod", made.force.targets[0].ref.name)
    assert not [name for name in pod["metadata"].get("annotations", {}) if name.startswith(PREFIX)]


def test_two_faults_of_one_pod_are_taken_back_each_by_itself(web: Kubectl, injecting: Inject) -> None:
    slow, slower = injecting("link-latency", milliseconds=100), injecting("link-latency", milliseconds=400)
    slow.put_in()
    slower.put_in()
    (note,), target = slow.force.changes, slow.force.targets[0].ref
    ending = slow.pipeline.plan("end-fault-lease", target, {"note": note})
    slow.pipeline.execute(ending, Consent(given=True))
    assert not slow.residue()
    assert slower.residue(), "the other one stays"


def test_a_frozen_pod_is_ready_no_more_and_again_when_it_goes_on(web: Kubectl, injecting: Inject) -> None:
    fault = injecting("pod-freeze")
    assert fault.put_in().startswith("not ready: ")
    fault.take_back()


def test_a_lease_that_nobody_takes_away_ends_by_itself(web: Kubectl, injecting: Inject) -> None:
    fault = injecting("pod-freeze")
    target = fault.candidates[0].ref
    name, text = annotation_of(FaultLease("chg-left", "freeze", datetime.now(UTC) + timedelta(seconds=30)))
    web("annotate", f"pod/{target.name}", f"{name}={text}")

    def is_ready() -> bool:
        conditions = web.get("pod", target.name)["status"]["conditions"]
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    until(lambda: not is_ready(), "the pod to stop")
    until(is_ready, "it to go on")


def test_a_pod_whose_node_was_taken_for_lost_is_ready_again_when_its_kubelet_goes_on(
    web: Kubectl, injecting: Inject
) -> None:
    name = injecting("pod-freeze").candidates[0].ref.name

    def ready() -> tuple[str, str]:
        conditions = web.get("pod", name)["status"]["conditions"]
        (found,) = [one for one in conditions if one["type"] == "Ready"]
        return found["status"], found.get("message", "")

    lost = {"type": "Ready", "status": "False", "reason": "NodeNotReady", "message": "the node is lost"}
    patch = json.dumps({"status": {"conditions": [lost]}})
    web("patch", f"pod/{name}", "--subresource=status", "--type=strategic", "-p", patch)
    until(lambda: ready() == ("True", ""), "it to be ready")


@pytest.fixture
def scratch(kubectl: Kubectl) -> Kubectl:
    made = deployment("web", 1)
    spec = made["spec"]["template"]["spec"]
    spec["terminationGracePeriodSeconds"] = 1
    spec["volumes"] = [{"name": "cache", "emptyDir": {"sizeLimit": "1Mi"}}]
    kubectl.apply(made)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    return kubectl


def test_a_pod_whose_scratch_is_full_is_evicted_and_replaced(scratch: Kubectl, injecting: Inject) -> None:
    fault = injecting("pod-disk")
    assert fault.put_in()
    assert fault.take_back() == "1 of 1 pod ready"


def test_scratch_that_is_not_past_its_limit_is_given_back(scratch: Kubectl, injecting: Inject) -> None:
    fault = injecting("pod-disk", fill=0.5)
    assert "bytes of emptyDir cache" in fault.put_in()
    fault.take_back()


def test_a_pod_without_limited_scratch_is_no_candidate(web: Kubectl, injecting: Inject) -> None:
    with pytest.raises(GateNotMet, match="no pod with an emptyDir that has a sizeLimit"):
        _ = injecting("pod-disk").candidates


def test_what_computes_and_what_holds_memory_counts_as_the_pods_and_ends(
    web: Kubectl, injecting: Inject, platform: Platform
) -> None:
    name = injecting("pod-cpu").candidates[0].ref.name
    ends = datetime.now(UTC) + timedelta(seconds=300)
    for note, kind, parameters in (
        ("chg-cpu", "cpu", {"processes": 1.0, "load": 0.5}), ("chg-mem", "memory", {"mebibytes": 64.0}),
    ):  # fmt: skip
        key, text = annotation_of(FaultLease(note, kind, ends, parameters))
        web("annotate", f"pod/{name}", f"{key}={text}")

    def used(metric: str) -> float:
        return sum(
            float(line.rpartition(" ")[2])
            for line in page(platform, "/metrics").splitlines()
            if line.startswith(metric) and f'pod="{name}"' in line and 'container="c"' in line
        )

    before = used("container_cpu_usage_seconds_total")
    until(lambda: used("container_cpu_usage_seconds_total") > before + 0.3, "processor time")
    until(lambda: used("container_memory_working_set_bytes") > 64 * 2**20, "memory")
    web("annotate", f"pod/{name}", f"{PREFIX}chg-cpu-", f"{PREFIX}chg-mem-")
    until(lambda: used("container_memory_working_set_bytes") < 64 * 2**20, "memory to be given back")
