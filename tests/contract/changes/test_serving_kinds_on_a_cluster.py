"""The kinds that change model servers, on both clusters: the bundled server in real pods, behind a Service.

kubectl tells what is in the ConfigMap, and each server what it answers by. So is a canary of Deployments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.canary import register
from maestro_cli.changes.canary.model import Rules
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.routing_document import read_document
from maestro_cli.config.settings import ClusterEndpoint, Endpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet, MaestroError, NotFound, Refused, StalePlan
from maestro_cli.core.refs import ObjectRef, WorkloadRef, parse_object_ref
from maestro_cli.journal.store import Journal
from maestro_cli.local.keys import faults_folder, key_file, keys_file, make_keys
from maestro_cli.local.preparation import read_manifests
from maestro_cli.services import canarying
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.serving import InferenceServer
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment, service
from tests.contract.cluster.running import Platform, until
from tests.contract.cluster.test_balancer import address_of
from tests.patience import PATIENCE_SECONDS
from tests.unit.changes.some_world import SomeWorld

pytestmark = pytest.mark.contract
DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
YES = Consent(given=True)
ROUTING = "schema: maestro.routing/1\nroutes: {fraud: {to: {model: fraud, version: 1}}}\n"
SHADOWED = f"{ROUTING[:-3]}, shadow: {{model: fraud, version: 2}}}}}}\n"
SECOND = {"model": "fraud", "version": 2}
CONFIG, DEPLOYMENT = "configmap/fraud-routing", "deploy/fraud"


@dataclass(frozen=True)
class Trial:
    """A kind, in the order in which they are tried: `before` is what is done first, to stay."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    target: str = CONFIG
    before: tuple[str, Mapping[str, Any], str] | None = None

    @property
    def has_undo(self) -> bool:
        return self.kind != "clear-cache"


TRIALS = (
    Trial("load-model", SECOND, DEPLOYMENT),
    Trial("unload-model", SECOND, DEPLOYMENT, before=("load-model", SECOND, DEPLOYMENT)),
    Trial("set-traffic", {**SECOND, "share": 0.1}),
    Trial("promote", SECOND),
    Trial("shadow-start", SECOND),
    Trial("set-routing", {"text": SHADOWED}),
    Trial("shadow-stop", {"model": "fraud"}, before=("set-routing", {"text": SHADOWED}, CONFIG)),
    Trial("freeze"),
    Trial("unfreeze", before=("freeze", {}, CONFIG)),
    Trial("clear-cache", {"model": "fraud"}, DEPLOYMENT),
)


@pytest.fixture
def server(kubectl: Kubectl, tmp_path: Path) -> Iterator[InferenceServer]:
    """Two replicas of the bundled server behind a Service, which answer by their ConfigMap."""
    state = tmp_path / "platform"
    state.mkdir()
    make_keys(state)
    variables = {
        "MODELS_DIR": str(DEPLOY / "models"),
        "KEYS_FILE": str(keys_file(state)),
        "FAULTS_DIR": str(faults_folder(state)),
    }
    for made in read_manifests(DEPLOY / "local", variables):
        made["metadata"]["namespace"] = kubectl.namespace
        if made["kind"] == "ConfigMap" and "routing.yaml" in made["data"]:
            made["data"] = {"routing.yaml": ROUTING}
        if made["kind"] == "Deployment":
            made["spec"]["replicas"] = 2
        if made["kind"] in ("ConfigMap", "Deployment", "Service"):
            kubectl.apply(made)
    kubectl("rollout", "status", "deploy/fraud", "--timeout=90s")
    key = f"file:{key_file(state, 'operator')}"
    source = InferenceServer(Endpoint(f"http://{address_of(kubectl, 'fraud')}", token=key))
    yield source
    source.close()


Pipeline = Callable[[str], ChangePipeline]


@pytest.fixture
def pipeline(platform: Platform, journal: Journal, server: InferenceServer) -> Iterator[Pipeline]:
    clusters: list[KubeCluster] = []

    def make(identity: str) -> ChangePipeline:
        clusters.append(KubeCluster(ClusterEndpoint(str(platform.state / f"{identity}.kubeconfig"))))
        policy = Policy(context="test", poll_seconds=0.05, verify_timeout_seconds=PATIENCE_SECONDS)
        world = SomeWorld(clusters[-1], servers=server.admin)
        return ChangePipeline(journal, world, policy=policy, clock=SystemClock(), actor=identity)

    yield make
    for cluster in clusters:
        cluster.close()


def text_of(kubectl: Kubectl) -> str:
    return str(kubectl.get("configmap", "fraud-routing")["data"]["routing.yaml"])


def document_of(kubectl: Kubectl) -> Any:
    """What it says: that of an unfreeze is written anew."""
    return read_document(text_of(kubectl), "now")


def told(server: InferenceServer) -> list[Any]:
    """What each replica has in memory, by which routing it answers, and by what its cache was cleared."""
    return sorted(
        (
            sorted(name for name, now in one.models.items() if now == "READY"),
            one.routing,
            one.cleared_by,
        )
        for one in server.admin.replicas(2).values()
    )


def settled(work: Callable[[], Any]) -> Any:
    """Done again while a replica cannot be met yet, or does not answer by the routing of before."""

    def done() -> Any:
        try:
            return work()
        except MaestroError as error:
            if error.exit_code not in (4, 11):
                raise
            return None

    return until(done, "the replicas to be met")


def test_there_is_a_trial_of_every_kind_that_changes_servers() -> None:
    served = {kind.name for kind in KINDS.values() if hasattr(kind, "edit") or hasattr(kind, "asked")}
    assert {trial.kind for trial in TRIALS} == served


def test_each_is_rehearsed_refused_made_and_taken_back_as_the_servers_tell(
    pipeline: Pipeline, kubectl: Kubectl, server: InferenceServer
) -> None:
    """One after the other on one platform: what a trial does it takes back, but for what comes before."""
    changes, viewer = pipeline("oncall"), pipeline("viewer")
    until(lambda: len(server.admin.replicas(2)) == 2, "both replicas behind the Service")
    for trial in TRIALS:
        ref = parse_object_ref(trial.target, namespace=kubectl.namespace)
        if trial.before is not None:
            kind, given, target = trial.before
            first = parse_object_ref(target, namespace=kubectl.namespace)
            settled(partial(_made, changes, kind, first, given))
        _tried(changes, viewer, kubectl, server, trial, ref)


def _made(changes: ChangePipeline, kind: str, ref: ObjectRef, given: Mapping[str, Any]) -> Any:
    return changes.execute(changes.plan(kind, ref, given), YES)


def _tried(
    changes: ChangePipeline, viewer: ChangePipeline, kubectl: Kubectl, server: InferenceServer, trial: Trial,
    ref: ObjectRef,
) -> None:  # fmt: skip
    text, before = document_of(kubectl), told(server)
    plan = settled(lambda: changes.plan(trial.kind, ref, trial.parameters))
    rehearsal = changes.execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed, (trial.kind, rehearsal.decision)
    if trial.kind == "set-traffic":
        with pytest.raises(Refused, match="patch configmaps"):
            viewer.execute(viewer.plan(trial.kind, ref, trial.parameters), YES)
    assert (document_of(kubectl), told(server)) == (text, before), trial.kind
    assert changes.execute(plan, YES).state is State.VERIFIED
    assert (document_of(kubectl) != text) is (trial.target == CONFIG)
    assert told(server) != before, trial.kind
    if not trial.has_undo:
        assert {cleared for _, _, cleared in told(server)} == {plan.id}
        return
    assert changes.execute(changes.plan_undo(plan.id), YES).state is State.VERIFIED
    assert (document_of(kubectl), told(server)) == (text, before), trial.kind


def test_a_routing_that_kubectl_wrote_meanwhile_is_not_written_over(
    pipeline: Pipeline, kubectl: Kubectl
) -> None:
    changes, ref = pipeline("oncall"), parse_object_ref(CONFIG, namespace=kubectl.namespace)
    plan = settled(lambda: changes.plan("freeze", ref))
    patch = json.dumps({"data": {"routing.yaml": f"{ROUTING}frozen: true\n"}})
    kubectl("patch", "configmap", "fraud-routing", "-p", patch)
    with pytest.raises(StalePlan):
        changes.execute(plan, YES)
    assert text_of(kubectl).endswith("frozen: true\n")


@pytest.fixture
def weighing(platform: Platform, journal: Journal, kubectl: Kubectl) -> Iterator[ChangePipeline]:
    """`web` with three replicas and `next` with none, both selected by the Service `web`."""
    stable, other = deployment("web", 3), deployment("next", 0)
    for made in (stable, other):
        meta = made["spec"]["template"]["metadata"]
        made["spec"]["selector"]["matchLabels"] = {"release": made["metadata"]["name"]}
        meta["labels"] = {"app": "web", "release": made["metadata"]["name"]}
    kubectl.apply(service("web"), stable, other)
    kubectl("rollout", "status", "deploy/web", "--timeout=90s")
    kubectl("rollout", "status", "deploy/next", "--timeout=90s")
    cluster = KubeCluster(ClusterEndpoint(str(platform.state / "oncall.kubeconfig")))
    policy = Policy(context="test", poll_seconds=0.05, verify_timeout_seconds=PATIENCE_SECONDS)
    yield ChangePipeline(journal, SomeWorld(cluster), policy=policy, clock=SystemClock(), actor="oncall")
    cluster.close()


def counts(kubectl: Kubectl) -> tuple[int, int]:
    """The replicas that are wanted: stable, canary."""
    stable, other = (int(kubectl.get("deploy", name)["spec"]["replicas"]) for name in ("web", "next"))
    return stable, other


def behind(kubectl: Kubectl) -> int:
    """The ready pods behind the Service."""
    slices = kubectl.items("endpointslices", "-l", "kubernetes.io/service-name=web")
    found = [one for item in slices for one in item.get("endpoints") or ()]
    return sum(one["conditions"].get("ready", True) for one in found)


def test_a_deployment_beside_another_is_given_a_share_and_all_of_it_is_taken_back(
    weighing: ChangePipeline, journal: Journal, kubectl: Kubectl
) -> None:
    ref = WorkloadRef("Deployment", kubectl.namespace, "next")
    far = weighing.plan("set-weight", ref, {"share": 0.05, "beside": "web"})
    with pytest.raises(GateNotMet, match=r"leave no share of 0\.05") as raised:
        weighing.execute(far, YES)
    assert "--replicas 19" in raised.value.fix
    plan = weighing.plan("set-weight", ref, {"share": 0.25, "beside": "web"})
    register.started(journal, "oncall", plan, Rules())
    assert weighing.execute(plan, YES).state is State.VERIFIED
    assert counts(kubectl) == (3, 1)
    until(lambda: behind(kubectl) == 4, "the canary behind the Service")
    assert register.get_running(journal, ref, "").change == plan.id
    ending = weighing.plan("set-weight", ref, {"share": 0.0, "beside": "web"})
    register.ending(journal, "oncall", register.get_running(journal, ref, ""), ending, "aborted")
    weighing.execute(ending, YES)
    assert counts(kubectl) == (3, 0)
    with pytest.raises(NotFound):
        register.get_running(journal, ref, "")


def test_the_new_one_ends_as_the_only_one_and_back_again(
    weighing: ChangePipeline, journal: Journal, kubectl: Kubectl
) -> None:
    """Two changes, gone on with wherever they were left; undone in the other order, nobody is without."""
    services: Any = SimpleNamespace(
        changes=weighing, journal=journal, cluster=weighing.world.cluster, actor="oncall", clock=SystemClock()
    )
    new = WorkloadRef("Deployment", kubectl.namespace, "next")
    start = weighing.plan("set-weight", new, {"share": 0.25, "beside": "web"})
    register.started(journal, "oncall", start, Rules())
    weighing.execute(start, YES)
    grown = canarying.promote_plan(services, new, "", anyway=True)
    canarying.record_end(services, new, "", grown, "promoted")
    weighing.execute(grown, YES)
    assert counts(kubectl) == (3, 3)
    until(lambda: behind(kubectl) == 6, "both behind the Service")
    again = canarying.promote_plan(services, new, "", anyway=True)
    handed = canarying.rest_of_promotion(services, new, "")
    assert handed is not None
    assert (handed.target.ref, handed.parameters) == (again.target.ref, again.parameters)
    assert handed.blast.impact is not None
    assert [one.share for one in handed.blast.impact.traffic] == [0.5]
    canarying.record_end(services, new, "", handed, "promoted")
    weighing.execute(handed, YES)
    assert (counts(kubectl), canarying.rest_of_promotion(services, new, "")) == ((0, 3), None)
    until(lambda: behind(kubectl) == 3, "the new one alone behind the Service")
    for change in (handed, grown, start):
        assert weighing.execute(weighing.plan_undo(change.id), YES).state is State.VERIFIED
    assert counts(kubectl) == (3, 0)


def test_without_a_service_over_both_nothing_is_weighed(weighing: ChangePipeline, kubectl: Kubectl) -> None:
    kubectl("patch", "service", "web", "-p", '{"spec":{"selector":{"app":"web","release":"web"}}}')
    ref = WorkloadRef("Deployment", kubectl.namespace, "next")
    with pytest.raises(GateNotMet, match="no Service has the pods of both"):
        weighing.execute(weighing.plan("set-weight", ref, {"share": 0.25, "beside": "web"}), YES)
    assert counts(kubectl) == (3, 0)
