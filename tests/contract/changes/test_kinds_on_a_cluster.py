"""Every kind of change on both clusters, with real controllers and pods; stock kubectl is the judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.model import Consent, State
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import (
    GateNotMet,
    PolicyRefused,
    Refused,
    RolledBack,
    StalePlan,
    WaitingForApproval,
)
from maestro_cli.core.refs import ObjectRef, WorkloadRef, parse_object_ref
from maestro_cli.journal.store import Journal
from tests.contract.changes.conftest import Pipeline, rolled_out
from tests.contract.cluster.kubectl import Kubectl

pytestmark = pytest.mark.contract
YES = Consent(given=True)
REAL = pytest.mark.parametrize(
    "platform", [pytest.param("kubernetes", marks=pytest.mark.kubernetes)], indirect=True
)
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def spec_of(kubectl: Kubectl) -> dict[str, Any]:
    return dict(kubectl.get("deploy", "web")["spec"])


def served(kubectl: Kubectl) -> dict[str, Any]:
    return dict(spec_of(kubectl)["template"]["spec"]["containers"][0])


def environment(kubectl: Kubectl) -> dict[str, str]:
    return {item["name"]: item["value"] for item in served(kubectl)["env"]}


@dataclass(frozen=True)
class Trial:
    """A kind, what kubectl does before, and what it sees afterwards."""

    kind: str
    sees: Callable[[Kubectl], Any]
    after: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    target: str = "deploy/web"

    def __str__(self) -> str:
        return self.kind

    @property
    def permission(self) -> str:
        return str(KINDS[self.kind].permissions[-1])

    def ref(self, namespace: str) -> ObjectRef:
        return parse_object_ref(self.target, namespace=namespace)

    def metadata(self, kubectl: Kubectl) -> dict[str, Any]:
        return dict(kubectl.get(*self.target.split("/"))["metadata"])


def level(kubectl: Kubectl) -> str:
    return environment(kubectl)["LEVEL"]


def is_restarted(kubectl: Kubectl) -> bool:
    return RESTARTED in (spec_of(kubectl)["template"]["metadata"].get("annotations") or {})


def replicas(kubectl: Kubectl) -> int:
    return int(spec_of(kubectl)["replicas"])


def is_paused(kubectl: Kubectl) -> bool:
    return bool(spec_of(kubectl).get("paused"))


def image(kubectl: Kubectl) -> str:
    return str(served(kubectl)["image"])


def is_closed(kubectl: Kubectl) -> bool:
    return bool(kubectl.get("node", "node-b")["spec"].get("unschedulable"))


SERVING = (
    "set-traffic", "promote", "shadow-start", "shadow-stop", "set-routing", "freeze", "unfreeze",
    "load-model", "unload-model", "clear-cache", "set-weight",
)  # fmt: skip


def color(kubectl: Kubectl) -> str:
    return str(kubectl.get("configmap", "settings")["data"]["COLOR"])


def bounds(kubectl: Kubectl) -> tuple[int, int]:
    spec = kubectl.get("hpa", "web")["spec"]
    return spec["minReplicas"], spec["maxReplicas"]


def requested(kubectl: Kubectl) -> str | None:
    (container,) = kubectl.get("deployment", "web")["spec"]["template"]["spec"]["containers"]
    found: str | None = container.get("resources", {}).get("requests", {}).get("cpu")
    return found


NEW_IMAGE = "example.test/app:2"
NEW_ENV = {"env": ["LEVEL=debug", "API_TOKEN=t0ken-t0ken", "OLD-"]}
TRIALS = (
    Trial("rollback", level, "info", before=("set", "env", "deploy/web", "LEVEL=debug")),
    Trial("restart", is_restarted, True),
    Trial("scale", replicas, 3, {"replicas": 3}),
    Trial("pause", is_paused, True),
    Trial("resume", is_paused, False, before=("rollout", "pause", "deploy/web")),
    Trial("set-image", image, NEW_IMAGE, {"images": [f"c={NEW_IMAGE}"]}),
    Trial("set-env", environment, {"LEVEL": "debug", "API_TOKEN": "t0ken-t0ken"}, NEW_ENV),
    Trial("set-resources", requested, "40m", {"resources": ["requests.cpu=40m"]}),
    Trial("cordon", is_closed, True, target="node/node-b"),
    Trial("uncordon", is_closed, False, before=("cordon", "node-b"), target="node/node-b"),
    Trial(
        "set-config",
        color,
        "green",
        {"key": "COLOR", "value": "green", "rollout": True},
        target="configmap/settings",
    ),
    Trial(
        "scale-hpa",
        bounds,
        (1, 3),
        {"min": 1, "max": 3},
        before=("autoscale", "deploy", "web", "--min=2", "--max=4"),
        target="hpa/web",
    ),
)


def test_there_is_a_trial_of_every_kind() -> None:
    """Elsewhere: below, and in files of their own."""
    elsewhere = ["delete-pod", "drain", "silence", "unsilence", *SERVING, "helm-rollback", "switch-region"]
    assert sorted([*(trial.kind for trial in TRIALS), *elsewhere]) == sorted(KINDS)


@pytest.mark.parametrize("trial", TRIALS, ids=str)
def test_it_is_rehearsed_made_and_taken_back_as_kubectl_sees(
    pipeline: Pipeline, web: Kubectl, namespace: str, trial: Trial
) -> None:
    if trial.before:
        web(*trial.before)
    if trial.kind != "resume":
        rolled_out(web)
    changes = pipeline()
    plan = changes.plan(trial.kind, trial.ref(namespace), trial.parameters)
    before = trial.sees(web)
    assert before != trial.after
    rehearsal = changes.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed, rehearsal.decision
    assert trial.sees(web) == before
    change = changes.execute(plan, YES)
    assert (change.state, trial.sees(web)) == (State.VERIFIED, trial.after)
    assert trial.metadata(web)["annotations"]["maestro.io/change"] == plan.id
    if plan.undo is None:
        assert trial.kind == "restart"
        return
    undone = changes.execute(changes.plan_undo(plan.id), YES)
    assert (undone.state, trial.sees(web)) == (State.VERIFIED, before)


def test_whoever_may_only_look_is_told_which_permission_for_every_kind(
    pipeline: Pipeline, web: Kubectl, namespace: str
) -> None:
    changes = pipeline("viewer")
    web("set", "env", "deploy/web", "LEVEL=debug")
    rolled_out(web)
    for trial in sorted(TRIALS, key=lambda trial: trial.kind == "resume"):
        if trial.kind in ("resume", "uncordon", "scale-hpa"):
            web(*trial.before)
        before = trial.sees(web)
        with pytest.raises(Refused, match=re.escape(trial.permission)):
            changes.execute(changes.plan(trial.kind, trial.ref(namespace), trial.parameters), YES)
        assert trial.sees(web) == before


def test_a_plan_goes_stale_when_kubectl_scales(pipeline: Pipeline, web: Kubectl, ref: WorkloadRef) -> None:
    changes = pipeline()
    plan = changes.plan("set-image", ref, {"images": ["example.test/app:2"]})
    web("scale", "deploy/web", "--replicas=1")
    with pytest.raises(StalePlan):
        changes.execute(plan, YES)
    assert image(web) == "example.test/app:1"


@pytest.mark.usefixtures("patient_undo")
def test_an_image_that_nobody_has_is_taken_back(
    pipeline: Pipeline, journal: Journal, web: Kubectl, ref: WorkloadRef
) -> None:
    changes = pipeline(verify_timeout_seconds=10.0)
    plan = changes.plan("set-image", ref, {"images": ["maestro.local/nothing:1"]})
    with pytest.raises(RolledBack):
        changes.execute(plan, YES)
    assert image(web) == "example.test/app:1"
    rolled_out(web)
    assert get_change(journal, plan.id).state is State.ROLLED_BACK


def test_a_resume_says_what_it_lets_go(pipeline: Pipeline, web: Kubectl, ref: WorkloadRef) -> None:
    changes = pipeline()
    changes.execute(changes.plan("pause", ref), YES)
    web("set", "env", "deploy/web", "LEVEL=debug")
    with pytest.raises(GateNotMet, match="is paused"):
        changes.execute(changes.plan("restart", ref), YES)
    web("wait", "deploy/web", "--for=jsonpath={.status.observedGeneration}=3", "--timeout=30s")
    plan = changes.plan("resume", ref)
    assert plan.blast.replicas_ended == 2
    changes.execute(plan, YES)
    rolled_out(web)
    assert level(web) == "debug"


def test_scaled_to_zero_and_back(pipeline: Pipeline, web: Kubectl, ref: WorkloadRef) -> None:
    changes = pipeline()
    plan = changes.plan("scale", ref, {"replicas": 0})
    changes.execute(plan, YES)
    assert "replicas" not in {k: v for k, v in web.get("deploy", "web")["status"].items() if v}
    assert plan.undo is not None
    changes.execute(changes.plan("scale", ref, plan.undo.parameters), YES)
    assert web.get("deploy", "web")["status"]["readyReplicas"] == 2


def test_a_rollback_goes_past_the_restart_of_a_bad_release(
    pipeline: Pipeline, web: Kubectl, ref: WorkloadRef
) -> None:
    web("set", "env", "deploy/web", "LEVEL=bad")
    rolled_out(web)
    changes = pipeline()
    changes.execute(changes.plan("restart", ref), YES)
    changes.execute(changes.plan("rollback", ref), YES)
    assert level(web) == "info"
    assert web.get("deploy", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "4"


def test_a_second_person_is_somebody_else_to_the_cluster(
    pipeline: Pipeline, journal: Journal, web: Kubectl, ref: WorkloadRef
) -> None:
    changes = pipeline(protected=True)
    plan = changes.plan("restart", ref)
    with pytest.raises(WaitingForApproval):
        changes.execute(plan, Consent(given=True, typed_context="test"))

    def second(identity: str) -> Approvals:
        other = pipeline(identity)
        return Approvals(
            journal, other.world, policy=other.policy, clock=SystemClock(), actor=f"{identity} at home"
        )

    with pytest.raises(PolicyRefused) as raised:
        second("oncall").check(plan.id)
    assert raised.value.why.endswith("use the same credentials, those of oncall")
    approvals = second("viewer")
    approved = approvals.approve(approvals.check(plan.id))
    assert approved.approval is not None
    assert (approved.approval.identity, is_restarted(web)) == ("viewer", False)
    assert (changes.recover(plan.id).state, is_restarted(web)) == (State.VERIFIED, True)


@REAL
def test_what_an_autoscaler_owns_is_not_scaled(pipeline: Pipeline, web: Kubectl, ref: WorkloadRef) -> None:
    web("autoscale", "deploy", "web", "--min=2", "--max=4")
    changes = pipeline()
    with pytest.raises(GateNotMet, match="autoscaler web sets the replicas") as raised:
        changes.execute(changes.plan("scale", ref, {"replicas": 6}), YES)
    assert replicas(web) == 2
    assert raised.value.fix.endswith(f"maestro set hpa web -n {ref.namespace} --min 6 --max 6")
    web("wait", "hpa/web", "--for=condition=AbleToScale", "--timeout=90s")
    moved = changes.plan("scale-hpa", parse_object_ref("hpa/web", namespace=ref.namespace), {"min": 4})
    assert changes.execute(moved, YES).state is State.VERIFIED
    assert (bounds(web), replicas(web)) == ((4, 4), 4)


@REAL
def test_the_target_of_an_autoscaler_moves_and_goes_back(
    pipeline: Pipeline, web: Kubectl, ref: WorkloadRef
) -> None:
    web("autoscale", "deploy", "web", "--min=2", "--max=4")
    web("wait", "hpa/web", "--for=condition=AbleToScale", "--timeout=90s")
    before, changes = web.get("hpa", "web")["spec"], pipeline()
    moved = changes.plan("scale-hpa", parse_object_ref("hpa/web", namespace=ref.namespace), {"cpu": 60})
    done = changes.execute(moved, YES)
    assert done.state is State.VERIFIED
    spec = web.get("hpa", "web")["spec"]
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert changes.execute(changes.plan_undo(done.id), YES).state is State.VERIFIED
    assert web.get("hpa", "web")["spec"] == before
