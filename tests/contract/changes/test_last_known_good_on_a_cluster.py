"""Where an unnamed rollback goes, on both clusters, with the record of each release in a real Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.candidates.model import Standing
from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.sources.prometheus import Prometheus
from tests.contract.changes.conftest import Pipeline
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import config_map, deployment, secret
from tests.contract.cluster.running import Platform
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.patience import PATIENCE_SECONDS
from tests.unit.changes.some_world import SomeWorld

pytestmark = pytest.mark.contract
YES = Consent(given=True)


@dataclass(frozen=True)
class Life:
    """A release answered ten requests a second, this share badly, between so many minutes ago."""

    release: int
    begin: int
    end: int
    bad: float


LIVES = (Life(1, 115, 90, 0.0), Life(2, 90, 50, 0.3), Life(1, 50, 10, 0.0), Life(4, 10, 6, 0.3))


def openmetrics(namespace: str, replica_sets: Mapping[int, str]) -> str:
    """A sample every 15 s of what each life counted; a later life of a release has other pods."""
    now = int(time.time())
    lines = ["# TYPE http_requests counter"]
    for number, life in enumerate(LIVES):
        pod = f"{replica_sets[life.release]}-pod{number}"
        for code, share in (("200", 1 - life.bad), ("500", life.bad)):
            labels = f'namespace="{namespace}",deployment="web",pod="{pod}",code="{code}"'
            for seconds in range(0, 60 * (life.begin - life.end) + 1, 15):
                at = now - 60 * life.begin + seconds
                lines.append(f"http_requests_total{{{labels}}} {10 * share * seconds:g} {at}")
    return "\n".join([*lines, "# EOF", ""])


def objective(namespace: str) -> Objective:
    total = f'http_requests_total{{namespace="{namespace}", deployment="web"}}'
    return Objective(
        "availability",
        "",
        "web",
        0.99,
        2592000.0,
        Counters(total, total.replace("}", ', code=~"5.."}')),
        {},
    )


def ship(kubectl: Kubectl, release: int) -> None:
    env = {"env": [{"name": "RELEASE", "value": str(release)}]}
    kubectl.apply(deployment("web", replicas=1, container_fields=env))
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE_SECONDS:g}s")


def release_of(thing: Mapping[str, Any]) -> int:
    return int(thing["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])


@pytest.fixture
def kubectl(kubectl: Kubectl) -> Kubectl:
    """Release 1 was good, 2 bad, then 1 came again, and 4, which is bad, runs now."""
    for release in (1, 2, 1, 4):
        ship(kubectl, release)
    return kubectl


@pytest.fixture
def changes(kubectl: Kubectl, namespace: str, pipeline: Pipeline, tmp_path: Path) -> Iterator[ChangePipeline]:
    """Changes of a context whose Prometheus saw the releases live."""
    names = {release_of(item): item["metadata"]["name"] for item in kubectl.items("replicasets")}
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with recorded_prometheus(folder, openmetrics(namespace, names)) as url:
        prometheus = Prometheus(Endpoint(url), timeout_seconds=30)
        made = pipeline("admin")
        assert isinstance(made.world, SomeWorld)
        made.world = replace(
            made.world, prometheus=prometheus, objectives={"availability": objective(namespace)}
        )
        yield made
        prometheus.close()


def test_after_good_bad_good_again_and_bad_the_third_is_gone_to_and_the_next_has_to_say_where(
    changes: ChangePipeline, kubectl: Kubectl, namespace: str
) -> None:
    ref = WorkloadRef("Deployment", namespace, "web")
    plan = changes.plan("rollback", ref)
    assert (plan.parameters["to_revision"], plan.notes) == (3, ())
    assert [(one.revision, one.standing) for one in plan.considered] == [
        (3, Standing.GOOD),
        (2, Standing.BAD),
    ]
    assert release_of({"spec": plan.payload}) == 1
    first = changes.execute(plan, YES)
    assert (first.state, release_of(kubectl.get("deploy", "web"))) == (State.VERIFIED, 1)

    ship(kubectl, 6)
    again = changes.plan("rollback", ref)
    with pytest.raises(GateNotMet, match="rolled back within the hour") as raised:
        changes.execute(again, YES)
    chosen = f"maestro rollback {ref} --to-revision {again.parameters['to_revision']}"
    assert raised.value.fix.startswith(f"say where to: {chosen} ")
    assert f"maestro change undo {first.id}" in raised.value.fix
    assert release_of(kubectl.get("deploy", "web")) == 6
    named = changes.plan("rollback", ref, {"to_revision": again.parameters["to_revision"]})
    assert changes.execute(named, YES).state is State.VERIFIED
    assert release_of(kubectl.get("deploy", "web")) == 1


def test_what_a_release_needs_is_looked_for_and_who_keeps_it_is_said(
    pipeline: Pipeline, namespace: str, tmp_path: Path, platform: Platform
) -> None:
    ref = WorkloadRef("Deployment", namespace, "web")
    run = Kubectl(platform.state, tmp_path, namespace, kind=platform.kind)
    needs = [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "login"}}]
    made = deployment("web", replicas=1, container_fields={"envFrom": needs})
    made["metadata"]["labels"] = {"argocd.argoproj.io/instance": "shop"}
    made["metadata"]["annotations"] = {"keep/me": "yes"}
    run.apply(config_map("settings", MODE="fast"), secret("login", PASSWORD="hunter2"), made)
    run("rollout", "status", "deployment/web", f"--timeout={PATIENCE_SECONDS:g}s")
    without = json.dumps([{"op": "remove", "path": "/spec/template/spec/containers/0/envFrom"}])
    run("patch", "deployment/web", "--type=json", "-p", without)
    run("rollout", "status", "deployment/web", f"--timeout={PATIENCE_SECONDS:g}s")
    changes = pipeline("admin")
    plan = changes.plan("rollback", ref, {"to_revision": 1})
    found = {str(line.path): (line.before, line.after) for line in plan.diff.lines}
    assert found["configmap[settings].MODE"] == (None, "fast")
    assert found["secret[login].PASSWORD"] == (None, "«hidden»")
    assert (plan.objections, "hunter2" in repr(plan)) == ((), False)
    assert plan.notes[0].startswith("Argo CD application shop owns it and will revert this change")

    run("delete", "configmap", "settings")
    with pytest.raises(GateNotMet, match="revision 1 needs config map settings, which no longer exists"):
        changes.execute(changes.plan("rollback", ref, {"to_revision": 1}), YES)

    run.apply(config_map("settings", MODE="slow"))
    assert changes.execute(changes.plan("rollback", ref, {"to_revision": 1}), YES).state is State.VERIFIED
    assert run.get("deploy", "web")["metadata"]["annotations"]["keep/me"] == "yes"
