"""The actions and probes of chaostoolkit-kubernetes, run as one experiment by chaoslib."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract
RUN = (
    "import json,sys;from chaoslib.experiment import run_experiment;"
    "json.dump(run_experiment(json.load(open(sys.argv[1]))),open(sys.argv[2],'w'),default=str)"
)


def activity(kind: str, function: str, tolerance: Any = None, **arguments: Any) -> dict[str, Any]:
    """One activity; `function` is `pod.probes.count_pods`."""
    module, _, name = function.rpartition(".")
    provider = {"type": "python", "module": f"chaosk8s.{module}", "func": name, "arguments": arguments}
    made = {"type": kind, "name": f"{function} {arguments}", "provider": provider}
    return made if tolerance is None else made | {"tolerance": tolerance}


def run(platform: Platform, folder: Path, *activities: dict[str, Any]) -> list[dict[str, Any]]:
    """The activities' entries in the journal of an experiment that has them as its method."""
    experiment = {"title": "t", "description": "t", "method": list(activities), "rollbacks": []}
    (folder / "experiment.json").write_text(json.dumps(experiment))
    journal = folder / "journal.json"
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder / "experiment.json"), str(journal)],
        env={**os.environ, "KUBECONFIG": str(platform.state / "admin.kubeconfig"), "HOME": str(folder)},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(journal.read_text())["run"]
    assert len(found) == len(activities), done.stderr
    return found


@pytest.fixture
def web(kubectl: Kubectl) -> str:
    """The namespace of a ready Deployment `web` of two, with a Service and a Secret."""
    kubectl("create", "configmap", "settings", "--from-literal=k=v")
    made = deployment("web", 2)
    # drain_nodes wants every pod to have a volume; with service accounts at work every pod has.
    pod_spec = made["spec"]["template"]["spec"]
    pod_spec["volumes"] = [{"name": "settings", "configMap": {"name": "settings"}}]
    kubectl.apply(made)
    kubectl("create", "service", "clusterip", "web", "--tcp=80:8080")
    kubectl("create", "secret", "generic", "hush", "--from-literal=k=v")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s", seconds=120)
    return kubectl.namespace


def succeeded(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        told = (
            f"{entry['activity']['name']}: {entry['status']} {entry.get('exception')} {entry.get('output')}"
        )
        assert entry["status"] == "succeeded", told
        assert entry.get("tolerance_met", True) is True, told


@behaviour("chaostoolkit-kubernetes", "probes")
def test_probes(platform: Platform, web: str, tmp_path: Path) -> None:
    chosen = {"label_selector": "app=web", "ns": web}
    ready = [{"type": "Ready", "status": "True"}]
    entries = run(
        platform,
        tmp_path,
        activity("probe", "pod.probes.pods_in_phase", True, phase="Running", **chosen),
        activity("probe", "pod.probes.pods_not_in_phase", True, phase="Pending", **chosen),
        activity("probe", "pod.probes.pods_in_conditions", True, conditions=ready, **chosen),
        activity("probe", "pod.probes.count_pods", 2, phase="Running", **chosen),
        activity("probe", "pod.probes.count_min_pods", True, min_count=2, **chosen),
        activity("probe", "pod.probes.read_pod_logs", **chosen),
        activity("probe", "deployment.probes.deployment_available_and_healthy", True, name="web", ns=web),
        activity("probe", "deployment.probes.deployment_fully_available", True, name="web", ns=web),
        activity("probe", "service.probes.service_is_initialized", True, name="web", ns=web),
        activity("probe", "secret.probes.secret_exists", True, name="hush", ns=web),
        activity("probe", "namespace.probes.namespace_exists", True, name=web),
        activity("probe", "node.probes.get_nodes"),
        activity("probe", "node.probes.get_all_node_status_conditions"),
        activity("probe", "event.probes.get_events"),
    )
    succeeded(entries)
    logs = entries[5]["output"]
    assert len(logs) == 2
    assert all("serving" in text for text in logs.values())


@behaviour("chaostoolkit-kubernetes", "actions")
def test_actions(platform: Platform, kubectl: Kubectl, web: str, tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    made.write_text(json.dumps(deployment("made", 1)))
    full = activity(
        "probe", "deployment.probes.deployment_fully_available", True, name="web", ns=web, timeout=180
    )
    chosen = {"label_selector": "app=web", "ns": web}
    before = {item["metadata"]["uid"] for item in kubectl.items("pods", "-l", "app=web")}
    entries = run(
        platform,
        tmp_path,
        activity("action", "deployment.actions.scale_deployment", name="web", replicas=3, ns=web),
        full,
        activity("action", "pod.actions.terminate_pods", qty=1, rand=True, grace_period=1, **chosen),
        full,
        activity("action", "deployment.actions.rollout_deployment", name="web", ns=web),
        full,
        activity("action", "deployment.actions.create_deployment", spec_path=str(made), ns=web),
        activity("action", "deployment.actions.delete_deployment", name="made", ns=web),
        activity("action", "namespace.actions.create_namespace", name=f"{web}-more"),
        activity("action", "namespace.actions.delete_namespace", name=f"{web}-more"),
        activity("action", "node.actions.create_node", meta={"name": f"n-{web}"}),
        activity("action", "node.actions.delete_nodes", label_selector="kubernetes.io/none=1"),
    )
    succeeded(entries[:-1])
    kubectl("delete", "node", f"n-{web}")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s", seconds=120)

    def made_anew() -> bool:
        return not before & {item["metadata"]["uid"] for item in kubectl.items("pods", "-l", "app=web")}

    until(made_anew, "every pod of before the rollout to be gone")
    assert "not found" in kubectl("get", "deploy", "made", fails=True)


@behaviour("chaostoolkit-kubernetes", "cordon drain and uncordon")
def test_cordon_drain_and_uncordon(platform: Platform, kubectl: Kubectl, web: str, tmp_path: Path) -> None:
    def alone() -> bool:
        left = kubectl("get", "pods", "-A", "--field-selector", "spec.nodeName=node-b", "--no-headers")
        return all(line.startswith(f"{web} ") for line in left.splitlines())

    until(alone, "the pods of other tests to leave node-b", 60)
    try:
        entries = run(
            platform,
            tmp_path,
            activity("action", "node.actions.cordon_node", name="node-b"),
            activity("action", "node.actions.drain_nodes", name="node-b", timeout=180),
            activity("action", "node.actions.uncordon_node", name="node-b"),
        )
    finally:
        kubectl("uncordon", "node-b")
    succeeded(entries)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s", seconds=120)
