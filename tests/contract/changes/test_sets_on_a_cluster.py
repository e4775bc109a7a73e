"""Changes of stateful and daemon sets on the real control plane; the light cluster names the one with them.

Sets that hold back are made so from the start: `kubectl rollout status` does not speak of OnDelete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from maestro_cli.changes.model import Consent, State
from maestro_cli.core.errors import GateNotMet, NotFound, Refused
from maestro_cli.core.refs import WorkloadRef
from tests.contract.changes.conftest import Pipeline
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import container
from tests.contract.cluster.running import until

pytestmark = pytest.mark.contract
YES = Consent(given=True)
WAITS, ENDS = "import signal; signal.pause()", "raise SystemExit('broken')"
REAL = pytest.mark.parametrize(
    "platform", [pytest.param("kubernetes", marks=pytest.mark.kubernetes)], indirect=True
)
LITE = pytest.mark.parametrize("platform", ["lite"], indirect=True)
BOTH = pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def a_set(kind: str, level: str = "info", script: str = WAITS, **spec: Any) -> dict[str, Any]:
    env = [{"name": "LEVEL", "value": level}]
    pod = {"containers": [container(script, env=env)], "terminationGracePeriodSeconds": 1}
    made = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
        **({"replicas": 2, "serviceName": "web"} if kind == "StatefulSet" else {}),
        **spec,
    }
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": made}


def ship(kubectl: Kubectl, kind: str, level: str = "info", **spec: Any) -> None:
    kubectl.apply(a_set(kind, level, **spec))
    kubectl("rollout", "status", f"{kind}/web", "--timeout=90s")


def levels(kubectl: Kubectl) -> list[str]:
    """What each pod that is ready and not ending was told."""
    pods = [
        item for item in kubectl.items("pods", "-l", "app=web")
        if "deletionTimestamp" not in item["metadata"]
        and {"type": "Ready", "status": "True"}.items()
        <= next((c for c in item["status"].get("conditions", []) if c["type"] == "Ready"), {}).items()
    ]  # fmt: skip
    return [item["spec"]["containers"][0]["env"][0]["value"] for item in pods]


def crashes(kubectl: Kubectl) -> bool:
    return any(
        status.get("restartCount", 0) > 0
        for item in kubectl.items("pods", "-l", "app=web")
        for status in item["status"].get("containerStatuses", [])
    )


@pytest.fixture
def ref_of(namespace: str) -> Callable[[str], WorkloadRef]:
    return lambda kind: WorkloadRef(kind, namespace, "web")


@REAL
@BOTH
def test_from_a_bad_release_back_to_the_good_one(
    pipeline: Pipeline, kubectl: Kubectl, ref_of: Callable[[str], WorkloadRef], kind: str
) -> None:
    """A StatefulSet would wait for its broken pod for ever, as with `kubectl rollout undo`."""
    ship(kubectl, kind, "good")
    kubectl.apply(a_set(kind, "bad", ENDS))
    until(lambda: crashes(kubectl), "the bad release to crash")
    changes = pipeline()
    plan = changes.plan("rollback", ref_of(kind))
    assert plan.parameters["to_revision"] == 1
    assert bool(plan.parameters.get("pods")) is (kind == "StatefulSet")
    rehearsal = changes.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed, rehearsal.decision
    change = changes.execute(plan, YES)
    assert change.state is State.VERIFIED
    assert levels(kubectl) == ["good", "good"]
    kubectl("rollout", "status", f"{kind}/web", "--timeout=1s")
    history = {item["revision"] for item in kubectl.items("controllerrevisions", "-l", "app=web")}
    assert history == {2, 3}


@REAL
@BOTH
def test_every_kind_is_made_and_taken_back(
    pipeline: Pipeline, kubectl: Kubectl, ref_of: Callable[[str], WorkloadRef], kind: str
) -> None:
    ship(kubectl, kind)
    changes, ref = pipeline(), ref_of(kind)

    def do(name: str, **parameters: Any) -> str:
        change = changes.execute(changes.plan(name, ref, parameters), YES)
        assert change.state is State.VERIFIED
        assert kubectl.get(kind, "web")["metadata"]["annotations"]["maestro.io/change"] == change.id
        return change.id

    def undo(change_id: str) -> None:
        assert changes.execute(changes.plan_undo(change_id), YES).state is State.VERIFIED

    made = do("set-env", env=["LEVEL=debug"])
    assert levels(kubectl) == ["debug", "debug"]
    undo(made)
    assert levels(kubectl) == ["info", "info"]
    undo(do("set-image", images=["c=example.test/app:2"]))
    image = kubectl.get(kind, "web")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "example.test/app:1"
    do("restart")
    assert RESTARTED in kubectl.get(kind, "web")["spec"]["template"]["metadata"]["annotations"]
    if kind == "StatefulSet":
        made = do("scale", replicas=3)
        assert levels(kubectl) == ["info"] * 3
        undo(made)
        assert kubectl.get(kind, "web")["spec"]["replicas"] == 2


@REAL
@BOTH
def test_whoever_may_only_look_is_told_the_permission_of_that_kind(
    pipeline: Pipeline, kubectl: Kubectl, ref_of: Callable[[str], WorkloadRef], kind: str
) -> None:
    ship(kubectl, kind)
    changes = pipeline("viewer")
    with pytest.raises(Refused, match=rf"patch {kind.lower()}s\.apps"):
        changes.execute(changes.plan("restart", ref_of(kind)), YES)


@REAL
@BOTH
def test_with_on_delete_a_release_waits_for_its_pods_to_be_deleted(
    pipeline: Pipeline, kubectl: Kubectl, ref_of: Callable[[str], WorkloadRef], kind: str
) -> None:
    kubectl.apply(a_set(kind, updateStrategy={"type": "OnDelete"}))
    until(lambda: levels(kubectl) == ["info", "info"], "two pods")
    changes, ref = pipeline(), ref_of(kind)
    with pytest.raises(GateNotMet, match="no replica of"):
        changes.execute(changes.plan("restart", ref), YES)
    plan = changes.plan("set-env", ref, {"env": ["LEVEL=debug"]})
    assert (plan.blast.replicas_ended, "nothing rolls out until" in plan.verify.text) == (0, True)
    assert changes.execute(plan, YES).state is State.VERIFIED
    assert levels(kubectl) == ["info", "info"]
    kubectl("delete", "pods", "-l", "app=web")
    until(lambda: levels(kubectl) == ["debug", "debug"], "pods of the newest template")


@REAL
def test_below_its_partition_pods_keep_their_template(
    pipeline: Pipeline, kubectl: Kubectl, ref_of: Callable[[str], WorkloadRef]
) -> None:
    held: dict[str, Any] = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}
    ship(kubectl, "StatefulSet", **held)
    changes = pipeline()
    plan = changes.plan("set-env", ref_of("StatefulSet"), {"env": ["LEVEL=debug"]})
    assert plan.blast.replicas_ended == 1
    assert changes.execute(plan, YES).state is State.VERIFIED
    assert sorted(levels(kubectl)) == ["debug", "info"]


@LITE
@BOTH
def test_the_light_cluster_names_the_one_that_has_sets(
    pipeline: Pipeline, ref_of: Callable[[str], WorkloadRef], kind: str
) -> None:
    for name, parameters in (("rollback", {}), ("restart", {}), ("set-image", {"images": ["x:1"]})):
        with pytest.raises(NotFound) as raised:
            pipeline().plan(name, ref_of(kind), parameters)
        assert "`maestro local up --cluster kubernetes`" in raised.value.why
