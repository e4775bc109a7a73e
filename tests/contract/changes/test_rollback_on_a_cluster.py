"""Rollback through a real cluster API, real controllers and real pods; stock kubectl is the judge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.history import get_change, list_changes
from maestro_cli.changes.model import Consent, State
from maestro_cli.core.errors import GateNotMet, NotFound, Refused, RolledBack, StalePlan
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.journal.store import Journal
from tests.contract.changes.conftest import Pipeline
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import container
from tests.contract.cluster.running import CONTROLLERS, Platform, until

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[3]
REF = WorkloadRef("Deployment", "ml", "fraud")
WAITS = "import signal; signal.pause()"
ENDS = "raise SystemExit('broken')"
YES = Consent(given=True)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("platform") / "state")
    try:
        made.start("cluster", "cluster")
        made.start("controllers", "controllers", *CONTROLLERS)
        made.start_node("a")
        yield made
    finally:
        made.stop()
    assert made.survivors() == []


def fraud(version: int, script: str = WAITS) -> dict[str, Any]:
    """The Deployment at one version; annotations and budget are somebody else's."""
    env = [{"name": "MODEL_VERSION", "value": str(version)}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "fraud", "annotations": {"keep/me": "yes"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "fraud"}},
            "template": {
                "metadata": {"labels": {"app": "fraud"}},
                "spec": {"containers": [container(script, env=env)], "terminationGracePeriodSeconds": 1},
            },
        },
    }


BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "fraud"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "fraud"}}},
}


@pytest.fixture
def kubectl(platform: Platform, tmp_path: Path) -> Iterator[Kubectl]:
    """Revision 1 and, rolled out, revision 2 of a fresh Deployment ml/fraud."""
    run = Kubectl(platform.state, tmp_path, "ml")
    if "ml" not in run("get", "namespaces", "-o", "name"):
        run("create", "namespace", "ml")
    ship(run, fraud(1), BUDGET)
    ship(run, fraud(2))
    yield run
    run("delete", "deployment", "fraud", "--wait=true")
    run("delete", "pdb", "fraud")
    until(lambda: not run.items("pods"), "the pods to be gone")


def ship(kubectl: Kubectl, *things: dict[str, Any]) -> None:
    kubectl.apply(*things)
    kubectl("rollout", "status", "deployment/fraud", "--timeout=30s")


def spared(kubectl: Kubectl) -> tuple[int, int]:
    """The healthy pods that the budget counts, and how many of them it can spare."""
    status = kubectl.get("pdb", "fraud")["status"]
    return status.get("currentHealthy", 0), status.get("disruptionsAllowed", 0)


def version_served(kubectl: Kubectl) -> str:
    spec = kubectl.get("deployment", "fraud")["spec"]["template"]["spec"]
    return str(spec["containers"][0]["env"][0]["value"])


def test_a_rollback_that_kubectl_understands(pipeline: Pipeline, kubectl: Kubectl) -> None:
    until(lambda: spared(kubectl) == (2, 1), "the budget to count the pods of the new revision alone")
    changes = pipeline()
    plan = changes.plan("rollback", REF)
    assert [(str(line.path), line.before, line.after) for line in plan.diff.lines] == [
        ("containers[c].env[MODEL_VERSION]", "2", "1")
    ]
    assert (plan.blast.replicas_ended, plan.blast.headroom, plan.was_up) == (2, 1, True)
    change = changes.execute(plan, YES, cause="test")
    assert change.state is State.VERIFIED
    assert version_served(kubectl) == "1"
    kubectl("rollout", "status", "deployment/fraud", "--timeout=1s")
    history = kubectl("rollout", "history", "deployment/fraud")
    assert f"maestro rollback to revision 1 ({change.id})" in history
    annotations = kubectl.get("deployment", "fraud")["metadata"]["annotations"]
    assert (annotations["keep/me"], annotations["maestro.io/change"]) == ("yes", change.id)


def test_the_undo_of_a_rollback_is_a_rollback(pipeline: Pipeline, kubectl: Kubectl) -> None:
    changes = pipeline()
    first = changes.execute(changes.plan("rollback", REF), YES)
    assert first.plan.undo is not None
    changes.execute(changes.plan("rollback", REF, first.plan.undo.parameters), YES)
    assert version_served(kubectl) == "2"


def test_a_dry_run_leaves_the_object_as_it_was(pipeline: Pipeline, kubectl: Kubectl) -> None:
    changes = pipeline()
    before = kubectl.get("deployment", "fraud")
    rehearsal = changes.execute(changes.plan("rollback", REF), Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed
    after = kubectl.get("deployment", "fraud")
    assert after["spec"] == before["spec"]
    for name in ("uid", "generation", "annotations"):  # its controller may still write to the status
        assert after["metadata"][name] == before["metadata"][name]


def test_a_plan_goes_stale_when_kubectl_changes_the_target(pipeline: Pipeline, kubectl: Kubectl) -> None:
    changes = pipeline()
    plan = changes.plan("rollback", REF)
    kubectl("set", "env", "deployment/fraud", "MODEL_VERSION=9")
    with pytest.raises(StalePlan):
        changes.execute(plan, YES)
    assert version_served(kubectl) == "9"


def test_whoever_may_not_patch_is_told_which_permission(pipeline: Pipeline, kubectl: Kubectl) -> None:
    changes = pipeline("viewer")
    with pytest.raises(Refused, match=r"patch deployments\.apps"):
        changes.execute(changes.plan("rollback", REF), YES)
    assert version_served(kubectl) == "2"


def test_a_paused_rollout_is_refused(pipeline: Pipeline, kubectl: Kubectl) -> None:
    kubectl("rollout", "pause", "deployment/fraud")
    changes = pipeline()
    with pytest.raises(GateNotMet, match="paused"):
        changes.execute(changes.plan("rollback", REF), YES)
    kubectl("rollout", "resume", "deployment/fraud")


def test_a_missing_revision_is_not_found(pipeline: Pipeline, kubectl: Kubectl) -> None:
    with pytest.raises(NotFound, match="no revision 77"):
        pipeline().plan("rollback", REF, {"to_revision": 77})


def test_a_release_that_is_stuck_can_be_rolled_back(pipeline: Pipeline, kubectl: Kubectl) -> None:
    """Its controller keeps writing status: resourceVersion moves, the plan stays good."""
    kubectl.apply(fraud(3, ENDS))
    until(
        lambda: any(
            status.get("restartCount", 0) > 0
            for item in kubectl.items("pods")
            for status in item.get("status", {}).get("containerStatuses", [])
        ),
        "the bad release to crash",
    )
    changes = pipeline()
    plan = changes.plan("rollback", REF)
    assert plan.parameters["to_revision"] == 2
    assert plan.was_up is False
    assert plan.blast.replicas_ended < 2
    assert changes.execute(plan, YES).state is State.VERIFIED
    assert version_served(kubectl) == "2"


@pytest.mark.usefixtures("patient_undo")
def test_a_goal_that_stays_down_is_undone(pipeline: Pipeline, journal: Journal, kubectl: Kubectl) -> None:
    kubectl.apply(fraud(3, ENDS))
    until(lambda: len(kubectl.items("replicasets")) == 3, "revision 3 to be made")
    ship(kubectl, fraud(4))
    changes = pipeline(verify_timeout_seconds=10.0)
    plan = changes.plan("rollback", REF, {"to_revision": 3})
    with pytest.raises(RolledBack):
        changes.execute(plan, YES)
    assert version_served(kubectl) == "4"
    kubectl("rollout", "status", "deployment/fraud", "--timeout=90s")
    assert get_change(journal, plan.id).state is State.ROLLED_BACK


@pytest.mark.parametrize("place", ["after-intended", "after-call"])
def test_killed_between_intent_and_result_it_is_applied_once(
    platform: Platform, journal: Journal, kubectl: Kubectl, place: str
) -> None:
    before = int(kubectl.get("deployment", "fraud")["metadata"]["generation"])
    assert _work(platform, journal, "perform", f"change.{place}")[0] == -signal.SIGKILL
    code, answer = _work(platform, journal, "perform", "")
    assert (code, answer["state"]) == (0, "verified")
    deployment = kubectl.get("deployment", "fraud")["metadata"]
    assert deployment["generation"] == before + 1
    assert deployment["annotations"]["maestro.io/change"] == answer["id"]
    assert version_served(kubectl) == "1"
    assert [change.id for change in list_changes(journal)] == [answer["id"]]
    kinds = [event.kind for event in journal.events(subject=f"change/{answer['id']}")]
    assert kinds.count("change.applied") == 1


def _work(platform: Platform, journal: Journal, action: str, crash_at: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.crash.changes.worker", str(journal.path),
               str(platform.state / "admin.kubeconfig"), action, "k", "ada"]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MAESTRO_CRASH_AT": crash_at}, capture_output=True,
        timeout=180, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}


def test_ten_pipelines_on_one_target(platform: Platform, journal: Journal, kubectl: Kubectl) -> None:
    """On a real cluster the winner may be done before the last asks: that one is told so as well."""
    kubectl.get("deployment", "fraud")
    environment = {**os.environ, "MAESTRO_CRASH_AT": ""}
    started = time.monotonic()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.crash.changes.worker", str(journal.path),
             str(platform.state / "admin.kubeconfig"), "perform", f"k{number}", f"actor-{number}"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for number in range(10)
    ]  # fmt: skip
    try:
        codes = []
        for process in processes:
            process.communicate(timeout=180)
            codes.append(process.returncode)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert codes.count(0) == 1, (codes, time.monotonic() - started)
    assert set(codes) <= {0, 11, 12, 75}
    assert version_served(kubectl) == "1"
    applied = journal.events(kinds=["change.applied"])
    assert len(applied) == 1
