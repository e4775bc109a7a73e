"""The cluster source against the light cluster API and its controllers, with stock kubectl beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import NotFound, Refused, StalePlan, Unreachable
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.sources.kube import KubeCluster
from maestro_cli.sources.kube.access import library_access
from maestro_cli.sources.kube.api_server import InvalidObject
from maestro_cli.sources.kube.kubeconfig import read_kubeconfig
from maestro_cli.sources.kube.patches import Precondition

from .conftest import RunningCluster, until

pytestmark = pytest.mark.contract
REF = WorkloadRef("Deployment", "ml", "fraud")


@pytest.fixture
def kube(running_cluster: RunningCluster) -> Iterator[KubeCluster]:
    with running_cluster.as_user() as source:
        until(lambda: source.get_workload(REF).revision > 0)
        yield source


def settled(kube: KubeCluster) -> Any:
    """The workload once its controller saw the last change and has nothing more to write."""
    versions: list[str] = []

    def seen() -> Any:
        workload = kube.get_workload(REF)
        versions.append(workload.resource_version)
        quiet = len(versions) > 10 and len(set(versions[-10:])) == 1
        return workload if quiet and workload.observed_generation == workload.generation else None

    return until(seen)


def test_it_tells_who_and_what_it_is(kube: KubeCluster) -> None:
    assert kube.version().startswith("v1.")
    assert kube.identity() == "admin"
    check = kube.check()
    assert (check.ok, check.version) == (True, kube.version())


def test_it_lists_what_there_is(kube: KubeCluster) -> None:
    workload = settled(kube)
    assert [item.ref for item in kube.list_all_workloads(None)] == [REF]
    assert kube.list_all_workloads("default") == ()
    assert (workload.replicas_wanted, workload.selector) == (3, "app=fraud")
    pods = until(lambda: len(found := kube.list_pods("ml", selector="app=fraud")) == 3 and found)
    assert {pod.owner for pod in pods} <= {revision.name for revision in kube.list_revisions(REF)}
    assert kube.list_pods("ml", selector="app=other") == ()
    (node,) = kube.list_nodes()
    assert (node.name, node.zone) == ("node-a", "zone-a")
    (budget,) = kube.list_disruption_budgets("ml")
    assert budget.selector == "app=fraud"
    events = until(lambda: kube.list_events("ml"))
    assert any(event.object_name == "fraud" for event in events)
    assert list(events) == sorted(events, key=lambda event: (event.last_seen_at, event.name))
    assert kube.list_events("ml", since=events[-1].last_seen_at)[-1] == events[-1]


def test_pages_add_up(kube: KubeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(kube)
    whole = until(lambda: len(found := kube.list_pods("ml")) == 3 and found)
    monkeypatch.setattr("maestro_cli.sources.kube.api_server.PAGE_SIZE", 1)
    assert kube.list_pods("ml") == whole


def test_a_release_is_rolled_back_as_kubectl_does(running_cluster: RunningCluster, kube: KubeCluster) -> None:
    before = settled(kube)
    first = kube.list_revisions(REF)[-1]
    running_cluster.kubectl("-n", "ml", "set", "image", "deploy/fraud", "server=maestro.local/model-server:2")
    running_cluster.kubectl("-n", "ml", "annotate", "deploy/fraud", "kubernetes.io/change-cause=ship <2>")
    released = until(lambda: (found := settled(kube)).revision == before.revision + 1 and found)
    revisions = until(lambda: len(found := kube.list_revisions(REF)) > 1 and found)
    assert revisions[-1].images == ("maestro.local/model-server:2",)
    assert revisions[-2].name == first.name
    assert "pod-template-hash" not in json.dumps(dict(revisions[-2].template))

    change: dict[str, Any] = {
        "uid": released.uid,
        "resource_version": released.resource_version,
        "template": first.template,
        "annotations": {"kubernetes.io/change-cause": None, "maestro.io/run": "run-1"},
    }
    tried = kube.replace_template(REF, **change, dry_run=True)
    assert tried.template["spec"]["containers"][0]["image"].endswith(":1")
    assert kube.get_workload(REF).template["spec"]["containers"][0]["image"].endswith(":2")

    done = kube.replace_template(REF, **change)
    assert done.template["spec"]["containers"][0]["image"].endswith(":1")
    assert done.annotations["keep/me"] == "yes"
    assert done.annotations["maestro.io/run"] == "run-1"
    after = until(lambda: (found := settled(kube)).revision == released.revision + 1 and found)
    assert "kubernetes.io/change-cause" not in after.annotations
    assert kube.list_revisions(REF)[-1].name == first.name
    history = running_cluster.kubectl("-n", "ml", "rollout", "history", "deploy/fraud")
    assert str(after.revision) in history

    with pytest.raises(StalePlan, match="changed since the plan"):
        kube.replace_template(REF, **change)
    with pytest.raises(StalePlan, match="another object"):
        kube.replace_template(REF, **{**change, "uid": "0000"})


def test_a_change_under_the_patch_is_a_stale_plan(
    running_cluster: RunningCluster, kube: KubeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes the workload between the read and the patch: the server's own tests refuse it."""
    plan = settled(kube)
    whole = Precondition.check

    def raced(*arguments: Any) -> None:
        monkeypatch.setattr(Precondition, "check", whole)
        running_cluster.kubectl("-n", "ml", "annotate", "--overwrite", "deploy/fraud", "raced=yes")

    monkeypatch.setattr(Precondition, "check", raced)
    change = {"uid": plan.uid, "resource_version": plan.resource_version, "template": plan.template}
    with pytest.raises(StalePlan, match="changed since the plan"):
        kube.replace_template(REF, **change, annotations={"a": "b"})
    assert "a" not in kube.get_workload(REF).annotations


def test_parts_of_the_spec_are_written_under_the_version(kube: KubeCluster) -> None:
    plan = settled(kube)
    change: dict[str, Any] = {"uid": plan.uid, "annotations": {"maestro.io/change": "chg-1"}}
    with pytest.raises(StalePlan):
        kube.write_spec(REF, **change, resource_version="1", spec={"replicas": 5})
    now = {**change, "resource_version": plan.resource_version}
    assert kube.write_spec(REF, **now, spec={"replicas": 5}, dry_run=True).replicas_wanted == 5
    assert kube.get_workload(REF).replicas_wanted == 3
    done = kube.write_spec(REF, **now, spec={"replicas": 4, "paused": True})
    assert (done.replicas_wanted, done.paused, done.template) == (4, True, plan.template)
    assert (done.annotations["maestro.io/change"], done.annotations["keep/me"]) == ("chg-1", "yes")
    again = {**change, "resource_version": settled(kube).resource_version}
    assert kube.write_spec(REF, **again, spec={"replicas": 3, "paused": False}).replicas_wanted == 3
    settled(kube)


def test_a_cluster_that_has_no_autoscalers_says_none(kube: KubeCluster) -> None:
    assert kube.list_autoscalers("ml") == ()


def test_configuration_is_listed_by_its_metadata(running_cluster: RunningCluster, kube: KubeCluster) -> None:
    running_cluster.kubectl("create", "configmap", "settings", "--from-literal=a=1", "-n", "ml")
    running_cluster.kubectl("create", "secret", "generic", "key", "--from-literal=k=hunter2", "-n", "ml")
    found = {one.ref.kind: one.ref.name for one in kube.list_written("ml").objects}
    assert found["Secret"] == "key"
    assert kube.get_config_map("ml", "settings").data == {"a": "1"}
    assert ("ConfigMap", "settings") in {
        (one.ref.kind, one.ref.name) for one in kube.list_written("ml").objects
    }
    with running_cluster.as_user("viewer") as viewer:
        assert [text.partition(":")[0] for text in viewer.list_written("ml").unread] == ["Secret"]


def test_an_invalid_template_changes_nothing(kube: KubeCluster) -> None:
    plan = settled(kube)
    change = {"uid": plan.uid, "resource_version": plan.resource_version, "annotations": {}}
    with pytest.raises(InvalidObject):
        kube.replace_template(REF, **change, template={"metadata": {"labels": {"app": "other"}}, "spec": {}})
    assert settled(kube).template == plan.template


def test_what_is_not_there_is_not_found(kube: KubeCluster) -> None:
    with pytest.raises(NotFound, match="absent"):
        kube.get_workload(WorkloadRef("Deployment", "ml", "absent"))
    with pytest.raises(NotFound):
        kube.list_revisions(WorkloadRef("Deployment", "nowhere", "fraud"))
    with pytest.raises(NotFound):
        kube.pod_log("ml", "absent")
    with pytest.raises(NotFound):
        kube.get_object("/apis/nothing.io/v1/things")


def test_a_viewer_may_look_and_not_touch(running_cluster: RunningCluster, kube: KubeCluster) -> None:
    plan = settled(kube)
    assert kube.access("patch", "deployments", namespace="ml", group="apps", name="fraud").allowed
    with running_cluster.as_user("viewer") as viewer:
        assert viewer.get_workload(REF).uid == plan.uid
        answer = viewer.access("patch", "deployments", namespace="ml", group="apps", subresource="scale")
        assert (answer.allowed, answer.resource) == (False, "deployments.apps/scale")
        with pytest.raises(Refused) as caught:
            viewer.write_spec(
                REF,
                uid=plan.uid,
                resource_version=plan.resource_version,
                spec={"paused": True},
                annotations={},
            )
        assert "deployments" in f"{caught.value.why} {caught.value.fix}"
        assert viewer.identity() == "viewer"


def with_user(running_cluster: RunningCluster, path: Path, user: dict[str, Any], **cluster: Any) -> Path:
    config = json.loads((running_cluster.state / "admin.kubeconfig").read_text(encoding="utf-8"))
    config["users"][0]["user"] = user
    config["clusters"][0]["cluster"].update(cluster)
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def test_wrong_credentials_are_refused(running_cluster: RunningCluster, tmp_path: Path) -> None:
    for user in ({"token": "wrong"}, {}):
        source = KubeCluster(ClusterEndpoint(str(with_user(running_cluster, tmp_path / "config", user))))
        with pytest.raises(Refused):
            source.list_pods("ml")
        source.close()


def test_a_server_that_another_authority_signed_is_not_trusted(
    running_cluster: RunningCluster, tmp_path: Path
) -> None:
    path = with_user(running_cluster, tmp_path / "config", {"token": "x"})
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("certificate-authority", "certificate-authority-data"):
        config["clusters"][0]["cluster"].pop(key, None)
    path.write_text(json.dumps(config), encoding="utf-8")
    source = KubeCluster(ClusterEndpoint(str(path)))
    with pytest.raises(Unreachable) as caught:
        source.list_pods("ml")
    assert "certificate is not trusted" in caught.value.why
    source.close()


def test_the_library_way_works_as_well(running_cluster: RunningCluster) -> None:
    config = read_kubeconfig([running_cluster.state / "admin.kubeconfig"], None)
    source = KubeCluster(ClusterEndpoint(), access=library_access(config))
    assert source.identity() == "admin"
    assert source.list_nodes()
    source.close()
