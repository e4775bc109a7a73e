"""Pods as process groups: environment, volumes, probes, restarts, limits, logs, endings."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.local.running import SERVE, Kubectl, Platform, conditions, pod, until

pytestmark = pytest.mark.contract
TELL = "import json,os,sys;print(json.dumps(dict(os.environ)|{'argv':sys.argv[1:]}),flush=True)"
WAIT = "import signal;signal.pause()"


def phase(kubectl: Kubectl, name: str) -> str:
    return str(kubectl.get("pod", name)["status"].get("phase"))


def container_status(kubectl: Kubectl, name: str) -> dict[str, Any]:
    statuses = kubectl.get("pod", name)["status"].get("containerStatuses") or [{}]
    return dict(statuses[0])


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}


def test_environment_and_arguments(kubectl: Kubectl) -> None:
    env = [
        {"name": "PLAIN", "value": "p"},
        {"name": "COMBINED", "value": "$(PLAIN)-$(FROM_MAP)-$(NOBODY)-$$(PLAIN)"},
        {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
        {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}},
        {"name": "MISSING", "valueFrom": {"configMapKeyRef": {"name": "nope", "key": "x", "optional": True}}},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
    ]
    fields = {
        "env": [env[0], env[2], *env[1:2], *env[3:]],
        "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "ALL_"}],
        "args": ["--name=$(ME)", "$(PLAIN)"],
        "resources": {"limits": {"memory": "64Mi"}},
    }
    kubectl.apply(config_map("settings", color="blue"), secret("hidden", word="s3cret"))
    kubectl.apply(pod("teller", TELL, container_fields=fields, restartPolicy="Never"))
    until(lambda: phase(kubectl, "teller") == "Succeeded", "the end")
    told = json.loads(kubectl("logs", "teller"))
    assert told["argv"] == ["--name=teller", "p"]
    assert (told["ALL_color"], told["FROM_MAP"], told["FROM_SECRET"]) == ("blue", "blue", "s3cret")
    assert told["COMBINED"] == "p-blue-$(NOBODY)-$(PLAIN)"
    assert (told["ME"], told["LABEL"], told["LIMIT"]) == ("teller", "teller", str(64 * 2**20))
    assert "MISSING" not in told
    assert told["POD_IP"].startswith("127.244.")
    assert kubectl.get("pod", "teller")["status"]["podIP"] == told["POD_IP"].replace("127", "10", 1)
    assert not {"KUBECONFIG", "PYTEST_CURRENT_TEST", "XDG_STATE_HOME"} & set(told), "nothing leaks in"


def test_a_config_map_volume_follows_its_config_map(kubectl: Kubectl) -> None:
    script = (
        "import sys,time\nlast=None\n"
        "while True:\n"
        "    now=open(sys.argv[1]).read()\n"
        "    if now!=last: print(now,flush=True); last=now\n"
        "    time.sleep(0.05)\n"
    )
    mounts = [{"name": "settings", "mountPath": "/etc/settings"}]
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}]
    fields = {"args": ["/etc/settings/color"], "volumeMounts": mounts}
    kubectl.apply(pod("reader", script, container_fields=fields, volumes=volumes))
    until(lambda: kubectl.events("FailedMount"), "the missing config map to be reported")
    assert 'configmap "settings" not found' in kubectl.events("FailedMount")[0]
    assert phase(kubectl, "reader") == "Pending"
    kubectl.apply(config_map("settings", color="blue"))
    until(lambda: phase(kubectl, "reader") == "Running", "the pod to run once it is there")
    until(lambda: kubectl("logs", "reader").split() == ["blue"], "the first value")
    kubectl.apply(config_map("settings", color="green"))
    until(lambda: kubectl("logs", "reader").split() == ["blue", "green"], "the new value")


def test_a_secret_the_environment_needs_is_waited_for(kubectl: Kubectl) -> None:
    env = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}}]
    kubectl.apply(pod("needy", TELL, container_fields={"env": env}, restartPolicy="Never"))
    until(
        lambda: (
            container_status(kubectl, "needy").get("state", {}).get("waiting", {}).get("reason")
            == "CreateContainerConfigError"
        ),
        "the reason",
    )
    kubectl.apply(secret("hidden", word="x"))
    until(lambda: phase(kubectl, "needy") == "Succeeded", "the pod to run")


def test_readiness_decides_over_endpoints(kubectl: Kubectl, platform: Platform) -> None:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}
    fields = {"ports": [{"name": "http", "containerPort": 8080}], "readinessProbe": probe}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    kubectl.apply(service, pod("web", container_fields=fields))

    def ready_endpoints() -> list[str]:
        return [
            address
            for piece in kubectl.items("endpointslices")
            for endpoint in piece.get("endpoints") or []
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        ]

    until(ready_endpoints, "the endpoint")
    [work] = platform.state.glob(f"pods/{kubectl.namespace}_web_*/work/c")
    (work / "broken").touch()
    until(lambda: not ready_endpoints(), "the endpoint to go")
    assert conditions(kubectl.get("pod", "web"))["Ready"] == ("False", "ContainersNotReady")
    assert container_status(kubectl, "web")["restartCount"] == 0
    assert any("Readiness probe failed" in words for words in kubectl.events("Unhealthy"))
    (work / "broken").unlink()
    until(ready_endpoints, "the endpoint to come back")


def test_a_failed_liveness_probe_restarts(kubectl: Kubectl, platform: Platform) -> None:
    probe = {"exec": {"command": ["test", "!", "-e", "broken"]}, "periodSeconds": 1, "failureThreshold": 2}
    kubectl.apply(pod("live", container_fields={"livenessProbe": probe}, terminationGracePeriodSeconds=1))
    until(lambda: phase(kubectl, "live") == "Running", "a start")
    [work] = platform.state.glob(f"pods/{kubectl.namespace}_live_*/work/c")
    (work / "broken").touch()
    until(lambda: container_status(kubectl, "live")["restartCount"] >= 1, "a restart", 20)
    assert any("failed liveness probe" in words for words in kubectl.events("Killing"))


def test_a_startup_probe_holds_back_the_others(kubectl: Kubectl, platform: Platform) -> None:
    up = {"exec": {"command": ["test", "-e", "up"]}, "periodSeconds": 1}
    fields = {
        "startupProbe": up | {"failureThreshold": 60},
        "livenessProbe": up | {"failureThreshold": 1},
    }
    kubectl.apply(pod("slow", container_fields=fields))
    until(lambda: phase(kubectl, "slow") == "Running", "a start")
    until(lambda: kubectl.events("Unhealthy"), "a failed startup probe")
    status = container_status(kubectl, "slow")
    assert (status["started"], status["ready"], status["restartCount"]) == (False, False, 0)
    [work] = platform.state.glob(f"pods/{kubectl.namespace}_slow_*/work/c")
    (work / "up").touch()
    until(lambda: container_status(kubectl, "slow")["ready"], "readiness after the start")


def test_previous_is_the_run_before_this_one(kubectl: Kubectl) -> None:
    script = (
        "import os,signal\n"
        "n=len(os.listdir('.'));open(f'run{n}','w').close();print('run',n,flush=True)\n"
        "if n==2: signal.pause()\n"
    )
    kubectl.apply(pod("third", script))
    until(lambda: container_status(kubectl, "third").get("restartCount") == 2, "two restarts")
    until(lambda: "running" in container_status(kubectl, "third")["state"], "the third run")
    until(lambda: kubectl("logs", "third") == "run 2\n", "its output")
    assert kubectl("logs", "third", "--previous") == "run 1\n"


def test_a_crash_loop_backs_off_and_keeps_the_previous_log(kubectl: Kubectl) -> None:
    script = "import os,sys;print('run',flush=True);sys.exit(3)"
    kubectl.apply(pod("crash", script))

    def looping() -> dict[str, Any] | None:
        status = container_status(kubectl, "crash")
        waiting = status.get("state", {}).get("waiting", {})
        return status if waiting.get("reason") == "CrashLoopBackOff" and status["restartCount"] >= 2 else None

    status = until(looping, "CrashLoopBackOff")
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["lastState"]["terminated"]["reason"] == "Error"
    assert status["state"]["waiting"]["message"].startswith("back-off ")
    assert phase(kubectl, "crash") == "Running"
    assert "run" in kubectl("logs", "crash", "--previous")
    assert any("Back-off restarting failed container" in words for words in kubectl.events("BackOff"))
    assert "CrashLoopBackOff" in kubectl("get", "pods")


@pytest.mark.parametrize(
    ("policy", "code", "ends"),
    [("Never", 0, "Succeeded"), ("Never", 7, "Failed"), ("OnFailure", 0, "Succeeded")],
)
def test_restart_policies_that_end(kubectl: Kubectl, policy: str, code: int, ends: str) -> None:
    kubectl.apply(pod("once", f"import sys;sys.exit({code})", restartPolicy=policy))
    until(lambda: phase(kubectl, "once") == ends, ends)
    found = kubectl.get("pod", "once")
    terminated = found["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (code, "Error" if code else "Completed")
    assert conditions(found)["Ready"][0] == "False"


def test_init_containers_run_in_order_and_first(kubectl: Kubectl) -> None:
    mounts = [{"name": "work", "mountPath": "/work"}]
    step = "import sys;open(sys.argv[1],'a').write(sys.argv[2])"
    made = pod("initial", "import sys;print(open(sys.argv[1]).read())", restartPolicy="Never")
    made["spec"]["volumes"] = [{"name": "work", "emptyDir": {}}]
    made["spec"]["containers"][0] |= {"args": ["/work/log"], "volumeMounts": mounts}
    made["spec"]["initContainers"] = [
        made["spec"]["containers"][0]
        | {"name": f"init-{word}", "command": ["python", "-S", "-c", step], "args": ["/work/log", word]}
        for word in ("a", "b")
    ]
    kubectl.apply(made)
    until(lambda: phase(kubectl, "initial") == "Succeeded", "the end")
    assert kubectl("logs", "initial", "-c", "c").strip() == "ab"
    assert conditions(kubectl.get("pod", "initial"))["Initialized"][0] == "True"


def test_too_much_memory_is_oom_killed(kubectl: Kubectl) -> None:
    script = "x=bytearray(200*2**20);import signal;signal.pause()"
    fields = {"resources": {"limits": {"memory": "64Mi"}}}
    kubectl.apply(pod("fat", script, container_fields=fields, restartPolicy="Never"))
    until(lambda: phase(kubectl, "fat") == "Failed", "the end")
    terminated = container_status(kubectl, "fat")["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"], terminated["signal"]) == ("OOMKilled", 137, 9)


def test_a_program_that_is_not_there(kubectl: Kubectl) -> None:
    kubectl.apply(pod("lost", container_fields={"command": ["/no/such/program"]}, restartPolicy="Never"))
    until(lambda: phase(kubectl, "lost") == "Failed", "the end")
    terminated = container_status(kubectl, "lost")["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)
    assert "No such file" in terminated["message"]


def test_logs_tail_follow_and_timestamps(kubectl: Kubectl, platform: Platform) -> None:
    script = (
        "import os,time\n"
        "for n in range(5): print('line',n,flush=True)\n"
        "while not os.path.exists('go'): time.sleep(0.02)\n"
        "print('last',flush=True)\n"
    )
    kubectl.apply(pod("talker", script, restartPolicy="Never"))
    until(lambda: phase(kubectl, "talker") == "Running", "a start")
    until(lambda: kubectl("logs", "talker").count("\n") == 5, "five lines")
    assert kubectl("logs", "talker", "--tail=2") == "line 3\nline 4\n"
    stamped = kubectl("logs", "talker", "--timestamps", "--tail=1")
    assert stamped.endswith("Z line 4\n")
    assert stamped[:4].isdigit()
    following = kubectl.popen("logs", "-f", "--tail=1", "talker")
    try:
        assert following.stdout is not None
        assert following.stdout.readline() == "line 4\n"
        [work] = platform.state.glob(f"pods/{kubectl.namespace}_talker_*/work/c")
        (work / "go").touch()
        assert following.stdout.read() == "last\n", "the stream ends with the container"
        assert following.wait(10) == 0
    finally:
        following.kill()
        following.communicate()


def processes_of(uid: str) -> list[int]:
    """Pids of live processes whose working folder is the pod's."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if uid in os.readlink(link):
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


def test_graceful_deletion_lets_the_process_finish(kubectl: Kubectl, tmp_path: Path) -> None:
    mark = tmp_path / "done"
    script = (
        "import signal,sys,time\n"
        f"def end(*_): time.sleep(0.5); open({str(mark)!r},'w').write('x'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM,end)\nprint('up',flush=True)\nwhile True: signal.pause()\n"
    )
    kubectl.apply(pod("polite", script))
    until(lambda: phase(kubectl, "polite") == "Running" and "up" in kubectl("logs", "polite"), "a start")
    watching = kubectl.popen("get", "pod", "polite", "-w", "-o", 'jsonpath={.status.phase}{"\\n"}')
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline() == "Running\n"
        kubectl("delete", "pod", "polite")
        assert "Succeeded\n" in iter(watching.stdout.readline, ""), "the final status comes before the end"
    finally:
        watching.kill()
        watching.communicate()
    assert mark.exists(), "deleted only after the process had ended by itself"
    assert "Stopping container c" in kubectl.events("Killing")


def test_the_stubborn_are_killed_after_their_grace(kubectl: Kubectl) -> None:
    script = (
        "import signal,subprocess,sys\n"
        "signal.signal(signal.SIGTERM,signal.SIG_IGN)\n"
        # a grandchild in a session of its own, where no signal to the group reaches it
        "subprocess.Popen([sys.executable,'-S','-c','import signal;signal.pause()'],start_new_session=True)\n"
        "print('up',flush=True)\nwhile True: signal.pause()\n"
    )
    kubectl.apply(pod("stubborn", script))
    until(lambda: phase(kubectl, "stubborn") == "Running" and "up" in kubectl("logs", "stubborn"), "a start")
    uid = kubectl.get("pod", "stubborn")["metadata"]["uid"]
    assert len(processes_of(uid)) == 2
    kubectl("delete", "pod", "stubborn", "--grace-period=1")
    assert processes_of(uid) == []


def test_force_deletion_leaves_no_process(kubectl: Kubectl) -> None:
    kubectl.apply(pod("forced", WAIT))
    until(lambda: phase(kubectl, "forced") == "Running", "a start")
    uid = kubectl.get("pod", "forced")["metadata"]["uid"]
    assert processes_of(uid)
    kubectl("delete", "pod", "forced", "--force", "--grace-period=0")
    until(lambda: not processes_of(uid), "the process to be killed")


def test_a_killed_process_is_an_error_with_its_signal(kubectl: Kubectl) -> None:
    kubectl.apply(pod("killed", WAIT, restartPolicy="Never"))
    until(lambda: phase(kubectl, "killed") == "Running", "a start")
    [pid] = processes_of(kubectl.get("pod", "killed")["metadata"]["uid"])
    os.kill(pid, signal.SIGKILL)
    until(lambda: phase(kubectl, "killed") == "Failed", "the end")
    terminated = container_status(kubectl, "killed")["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (137, "Error")


def test_the_official_client_reads_the_pods(kubectl: Kubectl, platform: Platform) -> None:
    kubectl.apply(pod("plain", SERVE))
    until(lambda: phase(kubectl, "plain") == "Running", "a start")
    script = (
        "import sys\nfrom kubernetes import client, config\n"
        f"config.load_kube_config({str(platform.state / 'admin.kubeconfig')!r})\n"
        "api = client.CoreV1Api()\n"
        f"print(api.read_namespaced_pod('plain', {kubectl.namespace!r}).status.container_statuses[0].name)\n"
        "print(len(api.list_node().items))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split()[0] == "c", done.stderr
    assert int(done.stdout.split()[1]) >= 2
