"""Rolling Helm releases back on both clusters, by a MOCK of helm, and by the real one in MAESTRO_HELM."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.refs import ObjectRef
from maestro_cli.journal.store import Journal
from maestro_cli.sources.helm import HelmReleases, program
from maestro_cli.sources.kube import KubeCluster
from tests.contract.changes import mock_helm
from tests.contract.cluster.kubectl import KUBECTL, Kubectl
from tests.contract.cluster.objects import container
from tests.contract.cluster.running import Platform
from tests.patience import PATIENCE_SECONDS
from tests.unit.changes.some_world import SomeWorld
from tests.unit.sources.helm_records import record

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[3]
REAL_HELM = os.environ.get("MAESTRO_HELM", "")
YES = Consent(given=True)
WAITS = "import signal; signal.pause()"
TOKEN = "t0ken-of-release"


def manifest(level: str) -> str:
    """A Deployment and a Secret as a chart renders them."""
    env = [{"name": "LEVEL", "value": level}]
    pod = {"containers": [container(WAITS, env=env)], "terminationGracePeriodSeconds": 1}
    spec = {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
    }  # fmt: skip
    keys = {"a": f"{TOKEN}-{level}"}
    things = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": keys},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
    ]  # fmt: skip
    return "".join(f"---\n# Source: web/templates/all.yaml\n{json.dumps(thing)}\n" for thing in things)


@pytest.fixture(params=["mock", "real"])
def helm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A helm on the path: the mock of it, or the program itself."""
    folder = tmp_path / "bin"
    folder.mkdir()
    if request.param == "real":
        if not REAL_HELM:
            pytest.skip("MAESTRO_HELM names no helm program")
        shutil.copy(REAL_HELM, folder / "helm")
    else:
        words = [sys.executable, "-m", mock_helm.__name__, str(KUBECTL)]
        line = f'#!/bin/sh\ncd {shlex.quote(str(ROOT))}\nexec {shlex.join(words)} "$@"\n'
        (folder / "helm").write_text(line, "utf-8")
        (folder / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for limit in ("BEGIN_SECONDS", "REHEARSAL_SECONDS"):  # a busy machine takes its time to start programs
        monkeypatch.setattr(program, limit, 2 * PATIENCE_SECONDS)
    return str(request.param)


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """Revision 1 was well, 2 is deployed, 3 failed: its level is `bad`."""
    owned = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": kubectl.namespace}
    for number, (level, status) in enumerate(
        [("one", "superseded"), ("two", "deployed"), ("bad", "failed")], 1
    ):
        said = "Upgrade complete" if status != "failed" else 'Upgrade "web" failed: timed out'
        made = record("web", number, status, manifest(level), said, namespace=kubectl.namespace)
        made["metadata"] = {**made["metadata"], "namespace": kubectl.namespace, "resourceVersion": None}
        kubectl.apply(made)
    kubectl("apply", "--validate=false", "-f", "-", given=manifest("bad"))
    for thing in ("deploy/web", "secret/keys"):
        kubectl("annotate", thing, *(f"{key}={value}" for key, value in owned.items()))
        kubectl("label", thing, "app.kubernetes.io/managed-by=Helm")
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    return kubectl


@pytest.fixture
def changes(platform: Platform, journal: Journal) -> Iterator[ChangePipeline]:
    endpoint = ClusterEndpoint(str(platform.state / "admin.kubeconfig"))
    cluster = KubeCluster(endpoint)
    world = SomeWorld(cluster, helm=HelmReleases(cluster, endpoint))
    rules = Policy(
        context="test", poll_seconds=0.05, verify_timeout_seconds=PATIENCE_SECONDS,
        lease_seconds=4 * PATIENCE_SECONDS,
    )  # fmt: skip
    yield ChangePipeline(journal, world, policy=rules, clock=SystemClock(), actor="ada")
    cluster.close()


def level(kubectl: Kubectl) -> str:
    spec = kubectl.get("deploy", "web")["spec"]["template"]["spec"]
    return str(spec["containers"][0]["env"][0]["value"])


def statuses(kubectl: Kubectl) -> dict[int, str]:
    """By revision, from Helm's own records."""
    labels = [item["metadata"]["labels"] for item in kubectl.items("secrets", "-l", "owner=helm,name=web")]
    return {int(one["version"]): one["status"] for one in labels}


def test_back_to_the_last_that_succeeded_and_back_again(
    changes: ChangePipeline, journal: Journal, web: Kubectl, helm: str
) -> None:
    plan = changes.plan("helm-rollback", ObjectRef("HelmRelease", web.namespace, "web"))
    shown: list[Any] = [(str(line.path).split(" ")[-1], line.before, line.after) for line in plan.diff.lines]
    assert shown == [
        ("template.spec.containers[c].env[LEVEL]", "bad", "two"), ("stringData.a", "«hidden»", "«hidden»"),
    ]  # fmt: skip
    rehearsal = changes.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed, rehearsal.decision
    assert (level(web), len(statuses(web))) == ("bad", 3)
    change = changes.execute(plan, YES)
    assert (change.state, level(web)) == (State.VERIFIED, "two")
    assert statuses(web) == {1: "superseded", 2: "superseded", 3: "failed", 4: "deployed"}
    undone = changes.execute(changes.plan_undo(change.id), YES)
    assert (undone.state, level(web)) == (State.VERIFIED, "bad")
    assert all(TOKEN not in json.dumps(event.data, default=str) for event in journal.events())


def test_what_helm_was_ended_in_the_middle_of_is_left_to_a_person(
    changes: ChangePipeline, web: Kubectl, helm: str
) -> None:
    made = record("web", 4, "pending-upgrade", manifest("new"), "Preparing upgrade", namespace=web.namespace)
    made["metadata"] = {**made["metadata"], "namespace": web.namespace, "resourceVersion": None}
    web.apply(made)
    with pytest.raises(GateNotMet, match="revision 4 is pending-upgrade") as raised:
        changes.plan("helm-rollback", ObjectRef("HelmRelease", web.namespace, "web"))
    assert f"helm rollback web 2 --wait --namespace {web.namespace}" in raised.value.fix
    assert len(statuses(web)) == 4
