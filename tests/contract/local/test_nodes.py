"""Nodes: what they say of themselves, drain, sudden death, return. On a platform of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.local.running import CONTROLLERS, Kubectl, Platform, conditions, deployment, pod, until

pytestmark = pytest.mark.contract


@pytest.fixture
def shaky(tmp_path: Path) -> Iterator[tuple[Platform, Kubectl]]:
    """A platform whose nodes a test may kill."""
    made = Platform(tmp_path / "state")
    try:
        made.start("cluster", "cluster")
        made.start("controllers", "controllers", *CONTROLLERS)
        made.start_node("a")
        made.start_node("b")
        yield made, Kubectl(made.state, tmp_path, "default")
    finally:
        made.stop()
    assert made.survivors() == []


def ready(kubectl: Kubectl, node: str) -> str:
    return conditions(kubectl.get("node", node))["Ready"][0]


def pods_with_marker(platform: Platform) -> set[int]:
    """Processes in pods: those that carry the marker and a container id."""
    found = set()
    for pid in platform.survivors():
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(entry.startswith(b"MAESTRO_CONTAINER_ID=") for entry in variables):
            found.add(pid)
    return found


FORKING = (
    "import subprocess,sys,signal\n"
    "subprocess.Popen([sys.executable,'-S','-c','import signal;signal.pause()'])\n"
    "subprocess.Popen([sys.executable,'-S','-c','import signal;signal.pause()'],start_new_session=True)\n"
    "signal.pause()\n"
)


def test_kill_nine_of_a_kubelet_leaves_no_pod_process(shaky: tuple[Platform, Kubectl]) -> None:
    platform, kubectl = shaky
    kubectl.apply(pod("family", FORKING, nodeSelector={"topology.kubernetes.io/zone": "zone-a"}))
    until(lambda: len(pods_with_marker(platform)) == 3, "a parent and two children")
    platform.processes["kubelet-a"].kill()
    platform.processes["kubelet-a"].wait(60)
    until(lambda: not pods_with_marker(platform), "all of them to be gone", 5)


def test_a_lost_node_is_noticed_evicted_and_taken_back(shaky: tuple[Platform, Kubectl]) -> None:
    platform, kubectl = shaky
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    platform.processes["kubelet-a"].kill()
    platform.processes["kubelet-a"].wait(60)
    until(lambda: ready(kubectl, "node-a") == "Unknown", "the lost lease", 20)
    taints = {taint["key"] for taint in kubectl.get("node", "node-a")["spec"]["taints"]}
    assert taints == {"node.kubernetes.io/unreachable"}

    def moved() -> bool:
        alive = [one for one in kubectl.items("pods") if "deletionTimestamp" not in one["metadata"]]
        return len(alive) == 2 and {one["spec"]["nodeName"] for one in alive} == {"node-b"}

    until(moved, "both pods on the other node", 20)
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    platform.start_node("a")
    until(lambda: ready(kubectl, "node-a") == "True", "the node to be back")
    until(lambda: "taints" not in kubectl.get("node", "node-a")["spec"], "its taints to be gone")
    until(lambda: len(kubectl.items("pods")) == 2, "the evicted pod to be buried by its node")


def test_a_restarted_kubelet_starts_its_pods_again(shaky: tuple[Platform, Kubectl]) -> None:
    platform, kubectl = shaky
    script = "print('up',flush=True);import signal;signal.pause()"
    place = {"topology.kubernetes.io/zone": "zone-a"}
    kubectl.apply(pod("once", script, nodeSelector=place, restartPolicy="Never"))
    kubectl.apply(pod("always", script, nodeSelector=place))
    until(lambda: len(pods_with_marker(platform)) == 2, "both to run")
    address = kubectl.get("pod", "always")["status"]["podIP"]
    platform.processes["kubelet-a"].kill()
    platform.processes["kubelet-a"].wait(60)
    platform.start_node("a")

    def restarted() -> bool:
        status = kubectl.get("pod", "always")["status"]
        [told] = status["containerStatuses"]
        return bool(told["restartCount"] == 1 and "running" in told["state"])

    until(restarted, "a restart")
    assert kubectl.get("pod", "always")["status"]["podIP"] == address
    until(lambda: kubectl.get("pod", "once")["status"]["phase"] == "Failed", "what may not restart to fail")


def test_drain_empties_a_node_and_uncordon_fills_it(shaky: tuple[Platform, Kubectl]) -> None:
    _platform, kubectl = shaky
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    kubectl.apply(budget, deployment("web", 4))
    kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    until(lambda: kubectl.get("pdb", "web")["status"].get("disruptionsAllowed") == 1, "one allowed")
    kubectl("drain", "node-a", "--timeout=60s", seconds=70)
    assert {one["spec"]["nodeName"] for one in kubectl.items("pods")} == {"node-b"}
    kubectl("uncordon", "node-a")
    kubectl("rollout", "restart", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert {one["spec"]["nodeName"] for one in kubectl.items("pods")} == {"node-a", "node-b"}


def test_a_node_tells_what_strict_clients_want(shaky: tuple[Platform, Kubectl]) -> None:
    platform, kubectl = shaky
    node = kubectl.get("node", "node-a")
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "zone-a"
    assert set(node["status"]["nodeInfo"]) == {
        "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
        "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture",
    }  # fmt: skip
    port = node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    script = (
        "import json,ssl,sys,urllib.request\n"
        f"tls=ssl.create_default_context(cafile={str(platform.state / 'pki' / 'ca.crt')!r})\n"
        f"pki={str(platform.state / 'pki')!r}\n"
        "tls.load_cert_chain(pki+'/kubelet-client.crt',pki+'/kubelet-client.key')\n"
        f"get=lambda path:urllib.request.urlopen('https://127.0.0.1:{port}'+path,context=tls).read().decode()\n"
        "print(json.dumps([get('/healthz'),get('/metrics/resource'),json.loads(get('/stats/summary'))]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    health, metrics, summary = json.loads(done.stdout)
    assert health == "ok"
    assert "node_memory_working_set_bytes" in metrics
    assert summary["node"]["nodeName"] == "node-a"


def test_sigterm_stops_a_kubelet_and_says_so(shaky: tuple[Platform, Kubectl]) -> None:
    platform, kubectl = shaky
    kubectl.apply(pod("any", FORKING, nodeSelector={"topology.kubernetes.io/zone": "zone-a"}))
    until(lambda: len(pods_with_marker(platform)) == 3, "a start")
    process = platform.processes["kubelet-a"]
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(60) == 0
    assert pods_with_marker(platform) == set()
    assert ready(kubectl, "node-a") == "False"


def test_a_pod_goes_on_while_the_api_server_is_away(shaky: tuple[Platform, Kubectl]) -> None:
    platform, kubectl = shaky
    fields = {"livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1}}
    stay = [{"operator": "Exists", "effect": "NoExecute"}]
    script = "import os,signal;print(os.getpid(),flush=True);signal.pause()"
    kubectl.apply(pod("steady", script, container_fields=fields, tolerations=stay))
    until(lambda: kubectl.get("pod", "steady")["status"].get("phase") == "Running", "a start")
    first = int(until(lambda: kubectl("logs", "steady").split(), "its number")[0])
    [logs] = platform.state.glob("pods/default_steady_*/logs/c")
    cluster = platform.processes["cluster"]
    cluster.send_signal(signal.SIGSTOP)
    try:
        os.kill(first, signal.SIGKILL)
        until(lambda: (logs / "1.log").exists() and (logs / "1.log").read_text(), "a restart", 60)
    finally:
        cluster.send_signal(signal.SIGCONT)

    def caught_up() -> bool:
        [told] = kubectl.get("pod", "steady")["status"]["containerStatuses"]
        return bool(told["restartCount"] == 1 and "running" in told["state"] and told["ready"])

    until(caught_up, "the status to catch up", 60)
