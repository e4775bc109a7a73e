"""Nodes: what they say of themselves, cordon, drain, sudden death, return. On a node of the test's own."""

from __future__ import annotations

import json
import os
import signal
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import budget, conditions, container_status, deployment, phase, pod
from tests.contract.cluster.running import Platform, until
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract
ZONE_C = {"topology.kubernetes.io/zone": "zone-c"}
FORKING = (
    "import subprocess,sys,signal\n"
    "subprocess.Popen([sys.executable,'-S','-c','import signal;signal.pause()'])\n"
    "subprocess.Popen([sys.executable,'-S','-c','import signal;signal.pause()'],start_new_session=True)\n"
    "signal.pause()\n"
)


@pytest.fixture
def shaky(platform: Platform, kubectl: Kubectl) -> Iterator[Platform]:
    """The platform with a third node, node-c, which a test may kill."""
    platform.start_node("c")
    until(lambda: ready(kubectl, "node-c") == "True" and not taints(kubectl, "node-c"), "the third node")
    yield platform
    platform.end("kubelet-c")
    kubectl("delete", "node", "node-c", "--ignore-not-found")


def ready(kubectl: Kubectl, node: str) -> str:
    return conditions(kubectl.get("node", node)).get("Ready", ("", ""))[0]


def kill(platform: Platform) -> None:
    platform.processes["kubelet-c"].kill()
    platform.processes["kubelet-c"].wait(PATIENCE_SECONDS)


def processes_of(kubectl: Kubectl, name: str) -> set[int]:
    """Pids of live processes whose working folder is the pod's, or that were started from one."""
    uid = kubectl.get("pod", name)["metadata"]["uid"]
    found = set()
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if uid in os.readlink(link):
                found.add(int(link.parent.name))
        except OSError:
            continue
    return found


def nodes_of(kubectl: Kubectl) -> set[str]:
    """Where the pods are that are not on their way out."""
    found = [one for one in kubectl.items("pods") if "deletionTimestamp" not in one["metadata"]]
    return {one["spec"].get("nodeName", "") for one in found}


def on_two_nodes(name: str, replicas: int) -> dict[str, Any]:
    """A Deployment on nodes b and c alone."""
    made = deployment(name, replicas)
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                    "values": ["node-b", "node-c"]}]}]  # fmt: skip
    where = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    made["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": where}
    return made


@contextmanager
def all_on_node_c(kubectl: Kubectl) -> Iterator[None]:
    """The pods of `web` that its block makes go to node-c, whatever the scheduler would like."""
    kubectl("cordon", "node-b")
    try:
        yield
        kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    finally:
        kubectl("uncordon", "node-b")
    assert nodes_of(kubectl) == {"node-c"}


@behaviour("node loss", "kill -9 of a kubelet leaves no process of its pods")
def test_kill_nine_of_a_kubelet_leaves_no_pod_process(shaky: Platform, kubectl: Kubectl) -> None:
    kubectl.apply(pod("family", FORKING, nodeSelector=ZONE_C))
    until(lambda: len(processes_of(kubectl, "family")) == 3, "a parent and two children")
    kill(shaky)
    until(lambda: not processes_of(kubectl, "family"), "all of them to be gone")


@behaviour("node loss", "a lost node is tainted, its pods are replaced elsewhere, and it is taken back")
def test_a_lost_node_is_noticed_evicted_and_taken_back(shaky: Platform, kubectl: Kubectl) -> None:
    with all_on_node_c(kubectl):
        kubectl.apply(on_two_nodes("web", 2))
    kill(shaky)
    until(lambda: ready(kubectl, "node-c") == "Unknown", "the lost lease")
    lost = {"node.kubernetes.io/unreachable"}
    until(lambda: lost <= taints(kubectl, "node-c"), "its taint")
    until(lambda: nodes_of(kubectl) == {"node-b"}, "both pods on the other node", 60)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    shaky.start_node("c")
    until(lambda: ready(kubectl, "node-c") == "True", "the node to be back")
    until(lambda: not taints(kubectl, "node-c"), "its taints to be gone")
    until(lambda: len(kubectl.items("pods")) == 2, "the evicted pods to be buried by their node")


def taints(kubectl: Kubectl, node: str) -> set[str]:
    return {taint["key"] for taint in kubectl.get("node", node)["spec"].get("taints", [])}


@behaviour("node loss", "a restarted kubelet starts its pods again, and fails those that may not restart")
def test_a_restarted_kubelet_starts_its_pods_again(shaky: Platform, kubectl: Kubectl) -> None:
    script = "print('up',flush=True);import signal;signal.pause()"
    stays: dict[str, Any] = {"nodeSelector": ZONE_C, "tolerations": [{"operator": "Exists"}]}
    kubectl.apply(pod("once", script, restartPolicy="Never", **stays), pod("always", script, **stays))
    until(lambda: phase(kubectl, "once") == phase(kubectl, "always") == "Running", "both to run")
    address = kubectl.get("pod", "always")["status"]["podIP"]
    kill(shaky)
    shaky.start_node("c")

    def restarted() -> bool:
        told = container_status(kubectl, "always")
        return bool(told["restartCount"] == 1 and "running" in told["state"])

    until(restarted, "a restart")
    assert kubectl.get("pod", "always")["status"]["podIP"] == address
    until(lambda: phase(kubectl, "once") == "Failed", "what may not restart to fail")


@behaviour("cordon and drain", "a cordoned node gets no new pod and keeps those it has")
def test_cordon_keeps_new_pods_away(shaky: Platform, kubectl: Kubectl) -> None:
    kubectl.apply(on_two_nodes("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    there = placed(kubectl)
    closed = next(iter(there.values()))  # how a scheduler spreads two pods is its own affair
    kubectl("cordon", closed)
    assert "SchedulingDisabled" in kubectl("get", "node", closed)
    kubectl("scale", "deploy/web", "--replicas=4")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    after = placed(kubectl)
    new = {pod: node for pod, node in after.items() if pod not in there}
    assert there.items() <= after.items()
    assert len(new) == 2
    assert set(new.values()) == {"node-b", "node-c"} - {closed}
    kubectl("uncordon", closed)


def placed(kubectl: Kubectl) -> dict[str, str]:
    """The node of each pod by the pod's name."""
    return {one["metadata"]["name"]: one["spec"]["nodeName"] for one in kubectl.items("pods")}


@behaviour("cordon and drain", "drain empties a node within the disruption budget; uncordon lets it fill")
def test_drain_empties_a_node_and_uncordon_fills_it(shaky: Platform, kubectl: Kubectl) -> None:
    with all_on_node_c(kubectl):
        kubectl.apply(budget("web", maxUnavailable=1), on_two_nodes("web", 4))
    until(lambda: kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1, "one allowed")
    told = kubectl("drain", "node-c", "--timeout=90s", seconds=120)
    assert "evicting pod" in told
    assert nodes_of(kubectl) == {"node-b"}
    kubectl("uncordon", "node-c")
    with all_on_node_c(kubectl):
        kubectl("rollout", "restart", "deploy/web")


@behaviour("cordon and drain", "drain stops at a pod without controller, and at a budget that allows none")
def test_what_drain_will_not_do(shaky: Platform, kubectl: Kubectl) -> None:
    kubectl.apply(pod("bare", "import signal;signal.pause()", nodeSelector=ZONE_C))
    until(lambda: phase(kubectl, "bare") == "Running", "it to run")
    told = kubectl("drain", "node-c", "--timeout=5s", fails=True)
    assert "cannot delete" in told
    assert "bare" in told
    kubectl("delete", "pod", "bare", "--grace-period=1")
    held = deployment("held", 1)
    held["spec"]["template"]["spec"]["nodeSelector"] = ZONE_C
    kubectl("uncordon", "node-c")
    kubectl.apply(budget("held", maxUnavailable=0), held)
    kubectl("rollout", "status", "deploy/held", "--timeout=90s")
    until(lambda: kubectl.get("pdb", "held")["status"].get("currentHealthy") == 1, "it to be counted")
    violates = "Cannot evict pod as it would violate the pod's disruption budget"
    until(lambda: violates in kubectl("drain", "node-c", "--timeout=3s", fails=True), "the budget's word")
    assert nodes_of(kubectl) == {"node-c"}


@behaviour("nodes", "a node tells what strict clients want, and serves health, metrics and statistics")
def test_a_node_tells_what_strict_clients_want(platform: Platform, kubectl: Kubectl) -> None:
    node = kubectl.get("node", "node-a")
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "zone-a"
    assert {
        "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
        "kubeletVersion", "operatingSystem", "architecture",
    } <= set(node["status"]["nodeInfo"])  # fmt: skip
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    pki = platform.state / "pki"
    tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    tls.load_cert_chain(pki / "kubelet-client.crt", pki / "kubelet-client.key")

    def served(path: str) -> str:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", context=tls, timeout=20) as answer:
            return str(answer.read().decode())

    assert served("/healthz") == "ok"
    assert "node_memory_working_set_bytes" in served("/metrics/resource")
    assert json.loads(served("/stats/summary"))["node"]["nodeName"] == "node-a"


@behaviour("nodes", "a kubelet that is told to stop ends its pods' processes and says that it is not ready")
def test_sigterm_stops_a_kubelet_and_says_so(shaky: Platform, kubectl: Kubectl) -> None:
    kubectl.apply(pod("any", FORKING, nodeSelector=ZONE_C))
    until(lambda: len(processes_of(kubectl, "any")) == 3, "a start")
    process = shaky.processes["kubelet-c"]
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert processes_of(kubectl, "any") == set()
    assert ready(kubectl, "node-c") in ("False", "Unknown")


@pytest.mark.parametrize("platform", ["lite"], indirect=True)
@behaviour("nodes", "a pod goes on, and is restarted, while the API server is away")
def test_a_pod_goes_on_while_the_api_server_is_away(platform: Platform, kubectl: Kubectl) -> None:
    fields = {"livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}
    stay = [{"operator": "Exists", "effect": "NoExecute"}]
    script = "import os,signal;print(os.getpid(),flush=True);signal.pause()"
    kubectl.apply(pod("steady", script, container_fields=fields, tolerations=stay))
    until(lambda: phase(kubectl, "steady") == "Running", "a start")
    first = int(until(lambda: kubectl("logs", "steady").split(), "its number")[0])
    [logs] = platform.state.glob(f"pods/{kubectl.namespace}_steady_*/logs/c")
    cluster = platform.processes["cluster"]
    cluster.send_signal(signal.SIGSTOP)
    try:
        os.kill(first, signal.SIGKILL)
        until(lambda: (logs / "1.log").exists() and (logs / "1.log").read_text(), "a restart")
    finally:
        cluster.send_signal(signal.SIGCONT)

    def caught_up() -> bool:
        told = container_status(kubectl, "steady")
        return bool(told["restartCount"] == 1 and "running" in told["state"] and told["ready"])

    until(caught_up, "the status to catch up")
