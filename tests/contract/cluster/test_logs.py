"""Logs of pods."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import container_status, idle_pod, phase, pod
from tests.contract.cluster.running import Platform, until

pytestmark = pytest.mark.contract


@behaviour("logs", "logs give the tail, follow to the end, and stamp lines")
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
    with kubectl.following("logs", "-f", "--tail=1", "talker") as following:
        assert following.line() == "line 4\n"
        [work] = platform.state.glob(f"pods/{kubectl.namespace}_talker_*/work/c")
        (work / "go").touch()
        assert following.lines.read() == "last\n", "the stream ends with the container"
        assert following.process.wait(60) == 0


@behaviour("logs", "previous logs are those of the run before")
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


@behaviour("logs", "logs of a pod whose kubelet is lost are an error, not a hang")
def test_a_lost_kubelet_is_an_error_not_a_hang(http: httpx.Client, namespace: str, pods: str) -> None:
    name = f"lost-{namespace}"
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
    }
    http.post("/api/v1/nodes", json={"metadata": {"name": name}, "status": status})
    try:
        body = idle_pod("p")
        body["spec"]["nodeName"] = name
        http.post(pods, json=body)
        refused = http.get(f"{pods}/p/log")
        assert refused.status_code == 500
        assert f"containerLogs/{namespace}/p/c" in refused.json()["message"]
    finally:
        http.delete(f"/api/v1/nodes/{name}")
        http.delete(f"{pods}/p", params={"gracePeriodSeconds": "0"})


@behaviour("logs", "logs of another container are refused, of a pod with no node empty")
def test_logs_that_are_not_there(kubectl: Kubectl, http: httpx.Client, pods: str) -> None:
    http.post(pods, json=idle_pod("p"))
    assert kubectl("logs", "p") == ""
    wrong = http.get(f"{pods}/p/log", params={"container": "other"})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "BadRequest")
    assert http.get(f"{pods}/none/log").status_code == 404
