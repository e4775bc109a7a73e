"""Chaos Mesh in a cluster: its manifests, and faults that are followed by what its controllers say.

Its definitions are made from maestro's tables and its controllers are played; the API server is the real one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from maestro_cli.changes import taking_back
from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.model import Consent
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.faults.mesh_manifest import manifest_of
from maestro_cli.chaos.mesh.fields import GROUP
from maestro_cli.chaos.mesh.following import PAUSE
from maestro_cli.chaos.mesh.kinds import API_VERSION, KINDS
from maestro_cli.chaos.mesh.leftovers import Leftovers, sweep_leftovers
from maestro_cli.chaos.mesh.recipes import RECIPES
from maestro_cli.chaos.mesh.resources import OWNED
from maestro_cli.chaos.mesh.validation import violations
from maestro_cli.core.errors import GateNotMet, MaestroError, Refused, UsageError
from tests.contract.chaos.conftest import Inject
from tests.contract.chaos.injected import Injected
from tests.contract.chaos.played_mesh import PlayedMesh
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import Platform, until
from tests.unit.chaos.mesh.definitions import definitions

REAL = pytest.param("kubernetes", marks=pytest.mark.kubernetes)
pytestmark = [pytest.mark.contract]
real = pytest.mark.parametrize("platform", [REAL], indirect=True)
SHIPPED = sorted((Path(__file__).parents[3] / "deploy" / "chaos").glob("*.yaml"))
WEB = {"labelSelectors": {"app": "web"}}
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLE = {
    "metadata": {"name": "chaos"},
    "rules": [{"apiGroups": [GROUP], "resources": ["*"], "verbs": ["*"]}],
}
BINDING = {
    "metadata": {"name": "chaos"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "chaos"},
    "subjects": [{"kind": "User", "name": "oncall", "apiGroup": "rbac.authorization.k8s.io"}],
}
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def mesh(platform: Platform, http: httpx.Client) -> None:
    """The definitions are there and served, and the identities of the suite may use them."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for definition in definitions():
        made = http.post(path, json=definition)
        assert made.status_code in (201, 409), made.text
    for name, body in (("clusterroles", ROLE), ("clusterrolebindings", BINDING)):
        made = http.post(f"{RBAC}/{name}", json=body)
        assert made.status_code in (201, 409), made.text
    for kind in KINDS.values():
        until(lambda kind=kind: http.get(f"/apis/{API_VERSION}/{kind.plural}").status_code == 200, kind.name)  # type: ignore[misc]


@pytest.fixture
def played(mesh: None, http: httpx.Client, namespace: str) -> Iterator[PlayedMesh]:
    with PlayedMesh(http, namespace).playing() as player:
        yield player
        player.recovers = True
        for one in KINDS.values():
            http.delete(f"/apis/{API_VERSION}/namespaces/{namespace}/{one.plural}")
        until(lambda: not left(http, namespace), "nothing to be left in the namespace")


def left(http: httpx.Client, namespace: str) -> list[str]:
    return [
        f"{kind.name} {one['metadata']['name']}"
        for kind in KINDS.values()
        for one in http.get(f"/apis/{API_VERSION}/namespaces/{namespace}/{kind.plural}").json()["items"]
    ]


@pytest.fixture
def offered(mesh: None, http: httpx.Client, namespace: str) -> Callable[[dict[str, Any]], httpx.Response]:
    """Offer a manifest to the API server, which takes no field that it does not know; nothing is kept."""

    def offer(document: dict[str, Any]) -> httpx.Response:
        plural = KINDS[document["kind"]].plural
        asked = {"dryRun": "All", "fieldValidation": "Strict"}
        made = {**document, "metadata": {**document["metadata"], "namespace": namespace}}
        return http.post(f"/apis/{API_VERSION}/namespaces/{namespace}/{plural}", params=asked, json=made)

    return offer


Offer = Callable[[dict[str, Any]], httpx.Response]


@real
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_api_server_takes_what_is_shipped_and_refuses_it_mutated(offered: Offer, path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    taken = offered(document)
    assert taken.status_code == 201, taken.text
    for change in MUTATIONS:
        wrong = copy.deepcopy(document)
        change(wrong["spec"])
        assert list(violations(wrong)), wrong
        refused = offered(wrong)
        assert refused.status_code in (400, 422), (wrong, refused.text)


MUTATIONS: tuple[Change, ...] = (
    lambda spec: spec.update(durration="60s"),
    lambda spec: spec.pop(next(iter(key for key in ("mode", "entry", "schedule") if key in spec))),
    lambda spec: spec.update({next(iter(spec)): 7}),
)


@real
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_api_server_takes_what_every_fault_makes(
    web: Kubectl, mesh: None, injecting: Inject, offered: Offer, recipe: Any
) -> None:
    said = {name: recipe.options[name].read(text) for name, text in recipe.sample.items()}
    fault = injecting(recipe.name, **said)
    steps = FAULTS[recipe.name].steps(fault.order, fault.candidates[:1], 60.0)
    taken = offered(steps[0].parameters["document"])
    assert taken.status_code == 201, taken.text


@real
def test_a_fault_is_injected_where_chaos_mesh_says_so_and_over_when_it_let_go(
    web: Kubectl, played: PlayedMesh, injecting: Inject, namespace: str, http: httpx.Client
) -> None:
    fault = injecting("mesh-network-delay", milliseconds=100)
    assert "is injected into" in fault.put_in()
    (name,) = fault.residue()
    assert name.startswith("NetworkChaos maestro-network-delay-")
    made = web.get("networkchaos")["items"][0]
    assert made["spec"]["selector"] == {"pods": {namespace: [fault.force.targets[0].ref.name]}}
    assert made["spec"]["duration"] == "90s"
    assert made["metadata"]["labels"][OWNED] == fault.force.changes[0]
    assert fault.take_back() == "2 of 2 pods ready"
    assert left(http, namespace) == []


@real
def test_a_killed_pod_is_gone_by_its_uid(web: Kubectl, played: PlayedMesh, injecting: Inject) -> None:
    fault = injecting("mesh-pod-kill")
    fault.put_in()
    uid = fault.force.targets[0].uid
    until(lambda: uid not in {pod["metadata"]["uid"] for pod in web.get("pods")["items"]}, "its end")
    assert fault.take_back() == "2 of 2 pods ready"


@real
def test_what_selects_nobody_has_no_effect(web: Kubectl, played: PlayedMesh, injecting: Inject) -> None:
    played.selects = False
    fault = injecting("mesh-stress-cpu", workers=1)
    seen = begun(fault)
    until(lambda: "selected no pod" in seen(), "Chaos Mesh to select nobody")
    fault.take_back()


@real
def test_what_cannot_be_injected_says_why(web: Kubectl, played: PlayedMesh, injecting: Inject) -> None:
    played.injects = False
    fault = injecting("mesh-network-loss", share=0.25)
    seen = begun(fault)
    until(lambda: "(no such device)" in seen(), "the reason")
    assert "is not injected into" in seen()
    fault.take_back()


@real
def test_what_was_paused_never_has_an_effect(
    web: Kubectl, played: PlayedMesh, injecting: Inject, namespace: str
) -> None:
    fault = injecting("mesh-network-delay", milliseconds=100)
    fault.put_in()
    web("annotate", "networkchaos", "--all", f"{PAUSE}=true")
    proof = FAULTS["mesh-network-delay"].effect(fault.platform, fault.force)
    assert proof.holds.value == "never"
    assert "is paused" in proof.text
    fault.take_back()


@real
def test_a_finalizer_that_holds_is_told_and_only_let_go_by_force(
    web: Kubectl, played: PlayedMesh, injecting: Inject
) -> None:
    played.recovers = False
    fault = injecting("mesh-network-delay", milliseconds=100)
    fault.put_in()
    undo = fault.pipeline.plan_undo(fault.force.changes[0])
    short = fault.pipeline.plan(undo.kind, undo.target.ref, undo.parameters, timeout_seconds=0.5)
    with pytest.raises(MaestroError) as raised:
        fault.pipeline.execute(short, Consent(given=True))
    said = f"{raised.value.what} {raised.value.why}"
    assert "is being deleted and held by chaos-mesh/records: not recovered in" in said
    assert "the daemon does not answer" in said
    (still,) = fault.residue()
    assert "held by chaos-mesh/records" in still
    mesh = fault.platform.mesh
    assert sweep_leftovers(mesh, fault.pipeline, fault.force.changes, force=True) == Leftovers()
    told = sweep_leftovers(mesh, fault.pipeline, ())
    assert not told.taken
    assert "the daemon does not answer" in told.left[0]
    forced = fault.pipeline.plan("force-mesh-resource", undo.target.ref, undo.parameters)
    assert "may stay" in forced.notes[0]
    freed = sweep_leftovers(mesh, fault.pipeline, (), force=True)
    assert freed == Leftovers((str(undo.target.ref),), ())
    assert fault.residue() == []


@real
def test_an_undo_that_did_not_hold_in_its_time_is_over_once_chaos_mesh_lets_go(
    web: Kubectl, played: PlayedMesh, injecting: Inject, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.recovers = False
    fault = injecting("mesh-network-delay", milliseconds=100)
    fault.put_in()
    (change,) = fault.force.changes

    def hasty(*given: Any) -> Request:
        return replace(Request(*given), timeout_seconds=0.5)

    monkeypatch.setattr(taking_back, "Request", hasty)
    for _ in range(2):
        with pytest.raises(MaestroError, match="did not hold"):
            fault.pipeline.take_back(change, cause="the end")
    played.recovers = True
    until(lambda: not fault.residue(), "Chaos Mesh to let go")
    fault.pipeline.take_back(change, cause="the end")


@real
def test_a_sweep_takes_back_what_changes_of_this_journal_left_and_nothing_else(
    web: Kubectl, played: PlayedMesh, injecting: Inject
) -> None:
    fault = injecting("mesh-network-delay", milliseconds=100)
    fault.put_in()
    other = web.get("networkchaos")["items"][0]
    other["metadata"] = {"name": "other", "labels": {**other["metadata"]["labels"], OWNED: "chg-other"}}
    web.apply({key: other[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    swept = sweep_leftovers(fault.platform.mesh, fault.pipeline, ())
    assert [one.split("/")[-1].startswith("maestro-network-delay") for one in swept.taken] == [True]
    assert [one["metadata"]["name"] for one in web.get("networkchaos")["items"]] == ["other"]
    assert sweep_leftovers(fault.platform.mesh, fault.pipeline, ()) == Leftovers()
    web("delete", "networkchaos", "other")


@real
def test_a_name_that_is_taken_is_refused_and_nothing_of_others_is_deleted(
    web: Kubectl, played: PlayedMesh, injecting: Inject
) -> None:
    fault = injecting("mesh-network-delay", milliseconds=100)
    fault.put_in()
    again = injecting("mesh-network-delay", milliseconds=100)
    (step,) = FAULTS["mesh-network-delay"].steps(again.order, again.candidates[:1], 60.0)
    with pytest.raises(GateNotMet, match="is there already"):
        again.pipeline.plan(step.kind, step.ref, step.parameters)
    name = step.ref.name
    web("label", "networkchaos", name, f"{OWNED}=chg-other", "--overwrite")
    with pytest.raises(MaestroError, match="any more"):
        fault.pipeline.plan_undo(fault.force.changes[0])
    web("delete", "networkchaos", name)


@real
def test_a_workflow_is_over_when_what_it_made_is(
    web: Kubectl, played: PlayedMesh, injecting: Inject, tmp_path: Path, namespace: str
) -> None:
    steps = {"mode": "one", "selector": WEB}
    workflow = {
        "entry": "both",
        "templates": [
            {"name": "both", "templateType": "Parallel", "children": ["slow", "busy"]},
            {
                "name": "slow", "templateType": "NetworkChaos", "deadline": "60s",
                "networkChaos": {**steps, "action": "delay", "delay": {"latency": "100ms"}},
            },
            {
                "name": "busy", "templateType": "StressChaos", "deadline": "60s",
                "stressChaos": {**steps, "stressors": {"cpu": {"workers": 1}}},
            },
        ],
    }  # fmt: skip
    fault = injecting("mesh-manifest", file=written(tmp_path, namespace, "Workflow", workflow))
    assert "is injected into" in fault.put_in()
    chosen = fault.force.targets[0].ref.name
    for made in web.get("networkchaos,stresschaos")["items"]:
        assert made["spec"]["selector"] == {"pods": {namespace: [chosen]}}
    played.recovers = False
    undo = fault.pipeline.plan_undo(fault.force.changes[0])
    short = fault.pipeline.plan(undo.kind, undo.target.ref, undo.parameters, timeout_seconds=2.0)
    with pytest.raises(MaestroError) as raised:
        fault.pipeline.execute(short, Consent(given=True))
    assert "what " in raised.value.why
    until(lambda: any("not recovered" in one for one in fault.residue()), "what it made to be held")
    played.recovers = True
    fault.pipeline.take_back(fault.force.changes[0], cause="the end")
    assert fault.residue() == []


@real
def test_a_schedule_selects_anew_and_is_over_when_what_it_made_is(
    web: Kubectl, played: PlayedMesh, injecting: Inject, tmp_path: Path, namespace: str
) -> None:
    chaos = {"action": "loss", "loss": {"loss": "10"}, "mode": "one", "selector": WEB, "duration": "5s"}
    schedule = {"schedule": "@every 5s", "type": "NetworkChaos", "networkChaos": chaos}
    fault = injecting("mesh-manifest", file=written(tmp_path, namespace, "Schedule", schedule))
    fault.put_in()
    assert web.get("schedule")["items"][0]["spec"]["networkChaos"]["selector"] == WEB
    (step,) = web.get("workflow")["items"][0]["spec"]["templates"]
    assert (step["templateType"], step["deadline"]) == ("Schedule", "90s")
    fault.take_back()


@real
def test_a_manifest_for_more_than_the_target_means_is_refused(
    web: Kubectl, mesh: None, injecting: Inject, tmp_path: Path, namespace: str
) -> None:
    stranger = {"containers": [{"name": "c", "image": "x"}], "nodeSelector": {"no": "where"}}
    web.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other"}, "spec": stranger})
    chaos = {"action": "pod-failure", "mode": "one", "duration": "5s", "selector": WEB}
    fault = injecting("mesh-manifest", file=written(tmp_path, namespace, "PodChaos", chaos))
    web("label", "pod", "other", "app=else")
    assert [one.eligible for one in fault.candidates] == [True, True]
    wide = {**chaos, "selector": {"expressionSelectors": [{"key": "app", "operator": "Exists"}]}}
    with pytest.raises(UsageError, match=f"matches more than .*web.*{namespace}/pod/other"):
        _ = injecting("mesh-manifest", file=written(tmp_path, namespace, "PodChaos", wide)).candidates
    node = web.get("pods", "-l", "app=web")["items"][0]["spec"]["nodeName"]
    narrow = {**chaos, "selector": {**WEB, "nodes": [node]}}
    some = injecting("mesh-manifest", file=written(tmp_path, namespace, "PodChaos", narrow))
    assert [one.eligible for one in some.candidates] == [one.where == node for one in some.candidates]
    with pytest.raises(UsageError, match="for 1 at most"):
        _ = injecting(
            "mesh-manifest", count=2, file=written(tmp_path, namespace, "PodChaos", chaos)
        ).candidates


@real
def test_who_may_not_make_such_things_is_refused(
    web: Kubectl, mesh: None, injecting: Inject, http: httpx.Client
) -> None:
    http.delete(f"{RBAC}/clusterrolebindings/chaos")
    try:
        with pytest.raises(Refused):
            begun(injecting("mesh-network-delay", milliseconds=100))
    finally:
        http.post(f"{RBAC}/clusterrolebindings", json=BINDING)


@pytest.mark.parametrize("platform", ["lite"], indirect=True)
def test_a_cluster_without_chaos_mesh_says_so_in_advance(injecting: Inject, http: httpx.Client) -> None:
    """The light cluster serves no definitions either: whoever makes one is told where to get them."""
    fault = injecting("mesh-network-delay", milliseconds=100)
    lacks = FAULTS["mesh-network-delay"].lacks(fault.platform)
    assert lacks == "the cluster has no Chaos Mesh: its NetworkChaos are not served"
    told = http.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=definitions()[0])
    assert "--cluster kubernetes" in told.json()["message"]
    assert told.json()["kind"] == "Status"


def begun(fault: Injected) -> Callable[[], str]:
    """Put a fault in without waiting for its effect; what is seen of it."""
    name = fault.order.fault
    targets = tuple(fault.candidates[:1])
    (step,) = FAULTS[name].steps(fault.order, targets, 60.0)
    plan = fault.pipeline.plan(step.kind, step.ref, step.parameters)
    fault.in_force = InForce(fault.order, targets, (plan.id,), 60.0, 2)
    fault.pipeline.execute(plan, Consent(given=True))
    return lambda: FAULTS[name].effect(fault.platform, fault.force).text


def written(folder: Path, namespace: str, kind: str, spec: dict[str, Any]) -> Any:
    """What the option `file` reads of such a manifest."""
    document = {
        "apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "made", "namespace": namespace},
        "spec": copy.deepcopy(spec),
    }  # fmt: skip
    path = folder / "chaos.yaml"
    text = yaml.dump(document, Dumper=_Plain)
    path.write_text(text)
    return manifest_of(str(path))


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
