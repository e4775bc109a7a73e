"""Graceful, stubborn and forced ends of pods."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import phase, pod
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


@behaviour(
    "graceful deletion", "a deleted pod's process gets SIGTERM and its grace, and its final status is told"
)
def test_graceful_deletion_lets_the_process_finish(kubectl: Kubectl, tmp_path: Path) -> None:
    mark = tmp_path / "done"
    script = (
        "import signal,sys,time\n"
        f"def end(*_): time.sleep(0.5); open({str(mark)!r},'w').write('x'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM,end)\nprint('up',flush=True)\nwhile True: signal.pause()\n"
    )
    kubectl.apply(pod("polite", script))
    until(lambda: phase(kubectl, "polite") == "Running" and "up" in kubectl("logs", "polite"), "a start")
    phases = ("-w", "-o", 'jsonpath={.status.phase}{"\\n"}')
    with kubectl.following("get", "pod", "polite", *phases) as watching:
        assert watching.line() == "Running\n"
        kubectl("delete", "pod", "polite")
        assert "Succeeded\n" in watching.lines, "the final status comes before the end"
    assert mark.exists(), "deleted only after the process had ended by itself"
    kubectl.hear("Killing", "Stopping container c")


@behaviour("graceful deletion", "what ignores SIGTERM is killed when its grace is over")
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


@behaviour("graceful deletion", "a forced deletion leaves no process")
def test_force_deletion_leaves_no_process(kubectl: Kubectl) -> None:
    kubectl.apply(pod("forced", WAIT))
    until(lambda: phase(kubectl, "forced") == "Running", "a start")
    uid = kubectl.get("pod", "forced")["metadata"]["uid"]
    assert processes_of(uid)
    kubectl("delete", "pod", "forced", "--force", "--grace-period=0")
    until(lambda: not processes_of(uid), "the process to be killed")
