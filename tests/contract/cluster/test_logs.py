"""Logs of pods."""

from __future__ import annotations

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import container_status, phase, pod
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
