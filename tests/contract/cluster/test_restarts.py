"""How containers end and start again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import conditions, container_status, phase, pod
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract

WAIT = "import signal;signal.pause()"


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


@behaviour("restarts", "a crash loop backs off, with counts, reasons and the last state")
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
    kubectl.hear("BackOff", "Back-off restarting failed container")
    until(lambda: "CrashLoopBackOff" in kubectl("get", "pods"), "another pause")


@behaviour("restarts", "restartPolicy Never and OnFailure end with the phase of their exit code")
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


@behaviour("restarts", "init containers run first, in order")
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


@behaviour("restarts", "a container over its memory limit is OOMKilled")
def test_too_much_memory_is_oom_killed(kubectl: Kubectl) -> None:
    script = "x=bytearray(200*2**20);import signal;signal.pause()"
    fields = {"resources": {"limits": {"memory": "64Mi"}}}
    kubectl.apply(pod("fat", script, container_fields=fields, restartPolicy="Never"))
    until(lambda: phase(kubectl, "fat") == "Failed", "the end")
    terminated = container_status(kubectl, "fat")["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"], terminated["signal"]) == ("OOMKilled", 137, 9)


@behaviour("restarts", "a program that is not there is a StartError")
def test_a_program_that_is_not_there(kubectl: Kubectl) -> None:
    kubectl.apply(pod("lost", container_fields={"command": ["/no/such/program"]}, restartPolicy="Never"))
    until(lambda: phase(kubectl, "lost") == "Failed", "the end")
    terminated = container_status(kubectl, "lost")["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)
    assert "No such file" in terminated["message"]


@behaviour("restarts", "a killed process is an error with its signal")
def test_a_killed_process_is_an_error_with_its_signal(kubectl: Kubectl) -> None:
    kubectl.apply(pod("killed", WAIT, restartPolicy="Never"))
    until(lambda: phase(kubectl, "killed") == "Running", "a start")
    [pid] = processes_of(kubectl.get("pod", "killed")["metadata"]["uid"])
    os.kill(pid, signal.SIGKILL)
    until(lambda: phase(kubectl, "killed") == "Failed", "the end")
    terminated = container_status(kubectl, "killed")["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (137, "Error")
