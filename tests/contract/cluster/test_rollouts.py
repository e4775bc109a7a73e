"""Rollouts through stock kubectl: conditions, limits, deadlines, recreate, pause."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tests.contract.cluster.behaviours import behaviour
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import conditions, deployment
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract

REVISION = "deployment.kubernetes.io/revision"


def revisions(kubectl: Kubectl, name: str) -> list[int]:
    """The revisions in `rollout history`, in its order."""
    lines = kubectl("rollout", "history", f"deploy/{name}").splitlines()
    return [int(line.split()[0]) for line in lines if line[:1].isdigit()]


class Observer:
    """Watches ReplicaSets and pods during a rollout and keeps the extremes of every moment of it.

    Invariant: it saw all there is, from before its block to the end of it, or the block fails.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._block = ExitStack()
        self._wanted: dict[str, int] = {}
        self._ready: dict[str, bool] = {}
        self._counts = False
        self.most_wanted = 0
        self.fewest_available = 1_000_000

    def __enter__(self) -> Observer:
        self._follow("rs", "{.spec.replicas}", self._replicas)
        self._follow("pods", '{.status.conditions[?(@.type=="Ready")].status}', self._readiness)
        self._catch_up()
        self._counts = True
        return self

    def __exit__(self, failed: type[BaseException] | None, *told: Any) -> None:
        try:
            if failed is None:
                self._catch_up()
        finally:
            self._block.__exit__(failed, *told)

    def _follow(self, kind: str, field: str, tell: Callable[[str, str], None]) -> None:
        shown = f'jsonpath={{.metadata.name}}|{field}{{.metadata.deletionTimestamp}}{{"\\n"}}'
        following = self._block.enter_context(self._kubectl.following("get", kind, "-w", "-o", shown))

        def read() -> None:
            for line in following.lines:
                tell(*line.strip().split("|"))

        reader = threading.Thread(target=read)
        reader.start()
        self._block.callback(reader.join)  # once kubectl is gone, or the pipe would be read by two
        self._block.callback(following.process.kill)

    def _replicas(self, name: str, replicas: str) -> None:
        self._wanted[name] = int(replicas)
        if self._counts:
            self.most_wanted = max(self.most_wanted, sum(self._wanted.values()))

    def _readiness(self, name: str, ready: str) -> None:
        self._ready[name] = ready == "True"  # of one that is being deleted, a time follows
        if self._counts:
            self.fewest_available = min(self.fewest_available, sum(self._ready.values()))

    def _catch_up(self) -> None:
        """Until both watches have told what a list tells."""

        def told() -> bool:
            wanted = {one["metadata"]["name"]: one["spec"]["replicas"] for one in self._kubectl.items("rs")}
            ready = {
                one["metadata"]["name"]
                for one in self._kubectl.items("pods")
                if conditions(one).get("Ready", ("", ""))[0] == "True"
                and "deletionTimestamp" not in one["metadata"]
            }
            return wanted == self._wanted and ready == {name for name, now in self._ready.items() if now}

        until(told, "the watches to tell all there is")


def sizes(kubectl: Kubectl) -> list[int]:
    return [rs["spec"]["replicas"] for rs in kubectl.items("rs")]


@behaviour("rollouts", "a rollout completes, with revision, conditions and events")
def test_a_rollout_completes_and_says_so(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web"))
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    found = kubectl.get("deploy", "web")
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    assert found["metadata"]["annotations"][REVISION] == "1"
    assert conditions(found)["Available"] == ("True", "MinimumReplicasAvailable")
    assert conditions(found)["Progressing"] == ("True", "NewReplicaSetAvailable")
    nodes = {pod["spec"]["nodeName"] for pod in kubectl.items("pods")}
    if kubectl.kind == "lite":  # what the real scheduler does is its own affair
        assert nodes == {"node-a", "node-b"}, "the scheduler spreads"
    kubectl.hear("ScalingReplicaSet", "Scaled up replica set web-")


@behaviour("rollouts", "a rollout that cannot proceed passes its deadline, and the old pods stay")
def test_a_bad_image_gets_stuck_and_the_old_pods_stay(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("patch", "deploy/web", "-p", '{"spec":{"progressDeadlineSeconds":3}}')
    kubectl("set", "image", "deploy/web", "c=maestro.local/nothing:1")

    def timed_out() -> bool:
        return conditions(kubectl.get("deploy", "web"))["Progressing"] == (
            "False",
            "ProgressDeadlineExceeded",
        )

    until(timed_out, "the progress deadline")
    assert "exceeded its progress deadline" in kubectl("rollout", "status", "deploy/web", fails=True)
    found = kubectl.get("deploy", "web")
    assert found["status"]["availableReplicas"] >= 2, "a rollout that cannot go on keeps what works"
    reasons = {
        status["state"].get("waiting", {}).get("reason")
        for pod in kubectl.items("pods")
        for status in pod["status"].get("containerStatuses", [])
    }
    assert reasons & {"ErrImagePull", "ImagePullBackOff"}
    kubectl("patch", "deploy/web", "-p", '{"spec":{"progressDeadlineSeconds":600}}')
    kubectl("rollout", "undo", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    assert len(kubectl.items("pods", "--field-selector=status.phase=Running")) == 2


@behaviour("rollouts", "a rollout never exceeds its surge nor its unavailable, as numbers or percentages")
@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "fewest"), [(1, 0, 4, 3), (0, 1, 3, 2), ("50%", "34%", 5, 2)]
)
def test_surge_and_unavailable_are_kept(
    kubectl: Kubectl, surge: int | str, unavailable: int | str, most: int, fewest: int
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    kubectl.apply(deployment("web", strategy=strategy))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    with Observer(kubectl) as seen:
        kubectl("set", "env", "deploy/web", "A=1")
        kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    assert (seen.most_wanted, seen.fewest_available) == (most, fewest)


@behaviour("rollouts", "Recreate never has two revisions at once")
def test_recreate_has_never_two_revisions_at_once(kubectl: Kubectl) -> None:
    made = deployment("web", 2, strategy={"type": "Recreate"})
    # pods that take their whole grace period: new ones have to wait for them
    lingering = "import signal,time;signal.signal(signal.SIGTERM,lambda *_:None)\nwhile True: time.sleep(1)"
    made["spec"]["template"]["spec"]["containers"][0] |= {
        "command": ["python", "-S", "-c", lingering],
        "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
    }
    kubectl.apply(made)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    old = {pod["metadata"]["uid"] for pod in kubectl.items("pods")}
    kubectl("set", "env", "deploy/web", "A=1")

    def replaced() -> list[dict[str, Any]] | None:
        pods = kubectl.items("pods")
        uids = {pod["metadata"]["uid"] for pod in pods}
        assert not (uids & old and uids - old), "old and new pods together"
        return pods if uids and not uids & old else None

    until(replaced, "new pods")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")


@behaviour("rollouts", "pause holds a rollout, but not scaling; resume lets it go")
def test_pause_holds_a_rollout_and_resume_lets_it_go(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("web", 2))
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("rollout", "pause", "deploy/web")
    until(
        lambda: conditions(kubectl.get("deploy", "web"))["Progressing"] == ("Unknown", "DeploymentPaused"),
        "the paused condition",
    )
    kubectl("set", "env", "deploy/web", "A=1")
    kubectl("scale", "deploy/web", "--replicas=3")

    def scaled() -> bool:
        status = kubectl.get("deploy", "web")["status"]
        return int(status.get("replicas", 0)) == 3 and status["observedGeneration"] == 4

    until(scaled, "a paused Deployment to scale")
    assert len(kubectl.items("rs")) == 1, "but not to roll out"
    kubectl("rollout", "resume", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    assert len(kubectl.items("rs")) == 2
