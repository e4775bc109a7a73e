"""What the kubelet does of its own accord: hooks, verdicts, sidecars, volumes, events, figures."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import SERVE, conditions, container, pod
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract
WAIT = "import signal;signal.pause()"
PATIENCE = 60.0


def status(kubectl: Kubectl, name: str) -> dict[str, Any]:
    return dict(kubectl.get("pod", name)["status"])


def waits_until(kubectl: Kubectl, name: str, **fields: str) -> dict[str, Any]:
    """The pod's status once it has these fields."""

    def found() -> dict[str, Any] | None:
        told = status(kubectl, name)
        return told if fields.items() <= told.items() else None

    return dict(until(found, f"{name} with {fields}", PATIENCE))


def heard(kubectl: Kubectl, name: str, reason: str) -> list[dict[str, Any]]:
    """The events about a pod, once there is one: they come after what they tell of."""
    told = until(lambda: events(kubectl, name, reason), f"an event {reason} about {name}", PATIENCE)
    return list(told)


def events(kubectl: Kubectl, name: str, reason: str) -> list[dict[str, Any]]:
    return [
        event
        for event in kubectl.items("events")
        if event["involvedObject"]["name"] == name and event["reason"] == reason
    ]


@behaviour("endings", "an empty directory beyond its size limit evicts its pod")
def test_an_empty_directory_beyond_its_limit_evicts(kubectl: Kubectl) -> None:
    script = "import sys,signal;open(sys.argv[1]+'/x','wb').write(bytes(3*2**20));signal.pause()"
    fields = {"args": ["/scratch"], "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
    volumes = [{"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}]
    kubectl.apply(pod("greedy", script, container_fields=fields, volumes=volumes))
    told = waits_until(kubectl, "greedy", phase="Failed", reason="Evicted")
    assert told["message"].startswith('Usage of EmptyDir volume "scratch" exceeds the limit "1Mi"')
    assert conditions({"status": told})["DisruptionTarget"] == ("True", "TerminationByKubelet")
    assert conditions({"status": told})["Ready"] == ("False", "PodFailed")
    until(lambda: events(kubectl, "greedy", "Evicted"), "the event")


@behaviour("endings", "a pod past its activeDeadlineSeconds fails")
def test_a_pod_past_its_deadline_fails(kubectl: Kubectl) -> None:
    kubectl.apply(pod("slow", WAIT, activeDeadlineSeconds=1, terminationGracePeriodSeconds=1))
    told = waits_until(kubectl, "slow", phase="Failed", reason="DeadlineExceeded")
    assert told["message"] == "Pod was active on the node longer than the specified deadline"


@behaviour("init containers", "a sidecar starts first, ends last and does not hold the pod")
def test_a_sidecar_starts_first_ends_last_and_does_not_hold_the_pod(kubectl: Kubectl) -> None:
    loop = (
        "import signal,sys,time\nsignal.signal(signal.SIGTERM,lambda *_:sys.exit(0))\n"
        "while True: time.sleep(0.05)\n"
    )
    made = pod("helped", "import time;time.sleep(0.5)", restartPolicy="Never")
    made["spec"]["initContainers"] = [container(loop, name="side", restartPolicy="Always")]
    kubectl.apply(made)
    told = waits_until(kubectl, "helped", phase="Succeeded")
    assert conditions({"status": told})["Initialized"] == ("True", "PodCompleted")
    [side], [main] = told["initContainerStatuses"], told["containerStatuses"]
    assert side["state"]["terminated"]["startedAt"] <= main["state"]["terminated"]["startedAt"]
    assert side["state"]["terminated"]["finishedAt"] >= main["state"]["terminated"]["finishedAt"]
    assert heard(kubectl, "helped", "Killing")[0]["involvedObject"]["fieldPath"] == (
        "spec.initContainers{side}"
    )


@behaviour("configuration", "a volume that cannot be mounted holds the pod back, and says why")
def test_containers_wait_as_long_as_there_is_no_volume(kubectl: Kubectl) -> None:
    made = pod("held", WAIT, volumes=[{"name": "v", "nfs": {"server": "example.test", "path": "/x"}}])
    made["spec"]["initContainers"] = [container("", name="first")]
    kubectl.apply(made)
    until(lambda: events(kubectl, "held", "FailedMount"), "the event", PATIENCE)
    told = status(kubectl, "held")
    assert told["phase"] == "Pending"
    assert "podIP" not in told
    assert conditions({"status": told})["PodReadyToStartContainers"][0] == "False"
    assert told["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    assert "nfs" in events(kubectl, "held", "FailedMount")[0]["message"]


@behaviour("hooks", "postStart and preStop run after the start and before SIGTERM")
def test_hooks_run_after_the_start_and_before_the_end(kubectl: Kubectl, tmp_path: Path) -> None:
    tell = f"echo $0 >> {tmp_path / 'told'}"
    script = (
        "import signal,sys\n"
        f"def end(*_): open({str(tmp_path / 'told')!r},'a').write('term\\n'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM,end)\n"
        "while True: signal.pause()\n"
    )
    lifecycle = {
        "postStart": {"exec": {"command": ["sh", "-c", tell, "post"]}},
        "preStop": {"exec": {"command": ["sh", "-c", tell, "pre"]}},
    }
    kubectl.apply(pod("hooked", script, container_fields={"lifecycle": lifecycle}))
    until(lambda: (tmp_path / "told").exists(), "the first hook", PATIENCE)
    kubectl("delete", "pod", "hooked")
    assert (tmp_path / "told").read_text().split() == ["post", "pre", "term"]


@behaviour("hooks", "a failed postStart hook restarts its container")
def test_a_failed_hook_restarts_its_container(kubectl: Kubectl) -> None:
    lifecycle = {"postStart": {"exec": {"command": ["sh", "-c", "echo broken; exit 3"]}}}
    kubectl.apply(
        pod("unhooked", WAIT, container_fields={"lifecycle": lifecycle}, terminationGracePeriodSeconds=1)
    )
    until(
        lambda: status(kubectl, "unhooked").get("containerStatuses", [{}])[0].get("restartCount", 0) > 0,
        "a restart",
        PATIENCE,
    )
    [event] = heard(kubectl, "unhooked", "FailedPostStartHook")
    assert event["message"] == "PostStartHook failed: broken"


@behaviour("probes", "a failed liveness probe ends the container once, within its grace")
def test_a_container_is_told_to_end_once_however_long_it_takes(kubectl: Kubectl) -> None:
    command = ["sh", "-c", "test ! -e deaf || { echo deaf; exit 1; }"]
    probe = {"exec": {"command": command}, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 30}
    script = (
        "import signal,time;signal.signal(signal.SIGTERM,signal.SIG_IGN);open('deaf','w')\n"
        "while True: time.sleep(0.1)\n"
    )
    made = pod("deaf", script, container_fields={"livenessProbe": probe}, restartPolicy="Never")
    made["spec"]["terminationGracePeriodSeconds"] = 4
    kubectl.apply(made)
    told = waits_until(kubectl, "deaf", phase="Failed")
    assert told["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
    [event] = heard(kubectl, "deaf", "Killing")
    assert (event["message"], event["count"]) == ("Container c failed liveness probe", 1)
    [unhealthy] = heard(kubectl, "deaf", "Unhealthy")
    assert (unhealthy["message"], unhealthy["count"]) == ("Liveness probe failed: deaf", 1)


@behaviour("configuration", "projected volumes; service account tokens where the cluster issues them")
def test_a_volume_of_many_sources(kubectl: Kubectl, platform: Platform) -> None:
    script = (
        "import os,sys,json\nfolder=sys.argv[1]\n"
        "names=[name for name in os.listdir(folder) if name[0]!='.']\n"
        "print(json.dumps({name:open(folder+'/'+name).read() for name in names}),flush=True)\n"
        "import signal;signal.pause()\n"
    )
    downward = [
        {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
        {
            "path": "cpu",
            "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu", "divisor": "1m"},
        },
    ]
    sources = [
        {"downwardAPI": {"items": downward}},
        {"configMap": {"name": "absent", "optional": True}},
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
    ]
    fields = {
        "args": ["/all"],
        "volumeMounts": [{"name": "all", "mountPath": "/all"}],
        "resources": {"limits": {"cpu": "250m"}},
    }
    volumes = [{"name": "all", "projected": {"sources": sources}}]
    kubectl.apply(pod("many", script, container_fields=fields, volumes=volumes, serviceAccountName="default"))
    waits_until(kubectl, "many", phase="Running")
    told = until(lambda: kubectl("logs", "many"), "what it found", PATIENCE)
    assert '"name": "many"' in told
    assert '"cpu": "250"' in told
    if platform.kind == "lite":
        [event] = heard(kubectl, "many", "FailedToIssueToken")
        assert "--cluster kubernetes" in event["message"]
    else:
        assert '"token": "ey' in told


@behaviour("configuration", "a downward API file follows the pod's labels")
def test_a_labels_file_follows_the_labels(kubectl: Kubectl) -> None:
    script = (
        "import sys,time\nlast=''\n"
        "while True:\n"
        "    now=open(sys.argv[1]).read()\n"
        "    if now!=last: print(now,flush=True); last=now\n"
        "    time.sleep(0.05)\n"
    )
    items = [{"path": "color", "fieldRef": {"fieldPath": "metadata.labels['color']"}}]
    fields = {"args": ["/me/color"], "volumeMounts": [{"name": "me", "mountPath": "/me"}]}
    made = pod("seen", script, container_fields=fields)
    made["spec"]["volumes"] = [{"name": "me", "downwardAPI": {"items": items}}]
    made["metadata"]["labels"]["color"] = "blue"
    kubectl.apply(made)
    until(lambda: kubectl("logs", "seen", "--ignore-errors").split() == ["blue"], "the first", PATIENCE)
    kubectl("label", "pod", "seen", "color=green", "--overwrite")
    until(lambda: kubectl("logs", "seen").split() == ["blue", "green"], "the second", PATIENCE)


@behaviour("configuration", "subPath, subPathExpr, workingDir and mounts within a shell script")
def test_sub_paths_and_working_folders(kubectl: Kubectl) -> None:
    mounts = [
        {"name": "v", "mountPath": "/data", "subPathExpr": "$(ME)/in"},
        {"name": "m", "mountPath": "/etc/one", "subPath": "color"},
    ]
    command = ["sh", "-c", "pwd; cat '/etc/one'; echo x >/data/file && ls /data"]
    fields = {
        "command": command,
        "env": [{"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "volumeMounts": mounts,
        "workingDir": "/data/deeper",
    }
    volumes = [{"name": "v", "emptyDir": {}}, {"name": "m", "configMap": {"name": "settings"}}]
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings"},
            "data": {"color": "blue\n"},
        }
    )
    kubectl.apply(pod("paths", container_fields=fields, volumes=volumes, restartPolicy="Never"))
    waits_until(kubectl, "paths", phase="Succeeded")
    where, color, *listed = kubectl("logs", "paths").split()
    assert where.endswith("/volumes/v/paths/in/deeper")
    assert (color, listed) == ("blue", ["deeper", "file"])


@behaviour("hostile input", "a pod with the longest of names runs")
def test_a_pod_with_a_long_name_runs(kubectl: Kubectl) -> None:
    name = "-".join(["long"] * 50)
    assert len(name) > 240
    kubectl.apply(pod(name, WAIT) | {"metadata": {"name": name}})
    waits_until(kubectl, name, phase="Running")


@behaviour("logs", "of a container's old runs only the last keeps its log")
def test_of_old_runs_only_the_last_keeps_its_log(kubectl: Kubectl, platform: Platform) -> None:
    kubectl.apply(pod("again", "print('run')\nraise SystemExit(1)"))
    until(
        lambda: status(kubectl, "again").get("containerStatuses", [{}])[0].get("restartCount", 0) >= 3,
        "three restarts",
        PATIENCE,
    )
    assert "run" in kubectl("logs", "again", "--previous")
    logs = {path.name for path in platform.state.glob(f"pods/{kubectl.namespace}_again_*/logs/c/*")}
    assert len(logs) <= 2, logs


@behaviour("probes", "a refused probe says so in the words of Kubernetes")
def test_a_refused_probe_says_so_in_the_words_of_kubernetes(kubectl: Kubectl) -> None:
    fields = {"readinessProbe": {"httpGet": {"path": "/x", "port": 81}, "periodSeconds": 1}}
    kubectl.apply(pod("unready", SERVE, container_fields=fields))
    [event] = heard(kubectl, "unready", "Unhealthy")
    address = status(kubectl, "unready")["podIP"].replace("10", "127", 1)
    url, dialled = f"http://{address}:81/x", f"dial tcp {address}:81: connect: connection refused"
    assert event["message"] == f'Readiness probe failed: Get "{url}": {dialled}'


@behaviour("nodes", "a node's kubelet tells its start and its health as events")
def test_nodes_tell_their_beginnings(kubectl: Kubectl) -> None:
    def told() -> set[str]:
        found = kubectl.get("events", "-n", "default")["items"]
        return {event["reason"] for event in found if event["involvedObject"].get("name") == "node-a"}

    until(lambda: told() >= {"Starting", "NodeReady", "NodeHasSufficientMemory"}, "its events")


@behaviour("metrics", "an out-of-memory kill shows in kube-state-metrics' and cAdvisor's series")
def test_an_out_of_memory_kill_is_counted(kubectl: Kubectl, platform: Platform) -> None:
    script = "x=bytearray(200*2**20);import signal;signal.pause()"
    kubectl.apply(pod("fat", script, container_fields={"resources": {"limits": {"memory": "64Mi"}}}))

    def samples(name: str, *labels: str) -> list[float]:
        with urllib.request.urlopen(platform.announced("metrics")["url"] + "/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        wanted = (f'namespace="{kubectl.namespace}"', 'container="c"', *labels)
        return [
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith(name + "{") and all(one in line for one in wanted)
        ]

    until(
        lambda: (
            samples("kube_pod_container_status_last_terminated_reason", 'reason="OOMKilled"') == [1]
            and samples("kube_pod_container_status_last_terminated_exitcode") == [137]
        ),
        "the reason",
        PATIENCE,
    )
    until(lambda: (samples("container_oom_events_total") or [0])[0] >= 1, "the count", PATIENCE)
    until(lambda: samples("container_spec_memory_limit_bytes") == [64 * 2**20], "the limit", PATIENCE)
