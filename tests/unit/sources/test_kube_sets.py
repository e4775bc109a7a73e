"""Stateful and daemon sets as the adapter reads and writes them (recorded shapes of kube-apiserver 1.37)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from maestro_cli.core.errors import Refused, UsageError
from maestro_cli.core.refs import WorkloadRef
from tests.unit.sources.kube_answers import answering, ok, status

STS = WorkloadRef("StatefulSet", "ml", "web")
DS = WorkloadRef("DaemonSet", "ml", "log")
DEPLOY = WorkloadRef("Deployment", "ml", "fraud")


def template(version: int) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": f"i:{version}"}]},
    }


def an_object(ref: WorkloadRef, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": ref.name, "namespace": "ml", "uid": "u-1", "resourceVersion": "9", "generation": 3,
        },
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template(2), **spec},
        "status": {"observedGeneration": 3, **status},
    }  # fmt: skip


def stateful(updated: int = 3, replicas: int = 3, **spec: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), replicas)
    status = {**counts, "updatedReplicas": updated, "updateRevision": "web-b", "currentRevision": "web-a"}
    return an_object(STS, status, replicas=3, podManagementPolicy="OrderedReady", **spec)


def daemon(updated: int = 2, available: int = 2, **spec: Any) -> dict[str, Any]:
    status = {"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberReady": available,
              "numberAvailable": available, "updatedNumberScheduled": updated}  # fmt: skip
    return an_object(DS, status, **spec)


def partition(number: int) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}


def kept(name: str, number: int, owner: str = "u-1", **labels: str) -> dict[str, Any]:
    """A ControllerRevision; its data is a strategic merge patch of the set."""
    return {
        "metadata": {
            "name": name, "namespace": "ml", "labels": {"app": "web", **labels},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"uid": owner, "name": "web", "kind": "StatefulSet", "controller": True}],
        },
        "revision": number,
        "data": {"spec": {"template": {"$patch": "replace", **template(number)}}},
    }  # fmt: skip


def pod(name: str, revision: str, *, ready: bool) -> dict[str, Any]:
    owner = {"uid": "u-1", "name": "web", "kind": "StatefulSet", "controller": True}
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    meta = {"name": name, "namespace": "ml", "labels": {"controller-revision-hash": revision}}
    return {"metadata": {**meta, "ownerReferences": [owner]}, "status": status}


def items(*found: dict[str, Any]) -> Any:
    return ok({"metadata": {}, "items": list(found)})


def test_the_newest_number_is_that_of_its_own_controller_revisions() -> None:
    revisions = items(kept("web-a", 3), kept("web-b", 2), kept("alien", 9, "u-2"))
    kube, seen = answering(ok(stateful()), revisions)
    workload = kube.get_workload(STS)
    assert (workload.ref, workload.revision, workload.update_revision) == (STS, 3, "web-b")
    assert (workload.replicas_updated, workload.ordered, workload.held_back) == (3, True, 0)
    assert workload.is_rolled_out
    assert [request.url.path for request in seen] == [
        "/apis/apps/v1/namespaces/ml/statefulsets/web",
        "/apis/apps/v1/namespaces/ml/controllerrevisions",
    ]


def test_revisions_of_a_set_are_its_templates_with_the_pods_that_run_them() -> None:
    pods = items(pod("web-0", "web-a", ready=True), pod("web-1", "web-b", ready=False))
    kube, _ = answering(ok(stateful()), items(kept("web-b", 2), kept("web-a", 1)), pods)
    first, second = kube.list_revisions(STS)
    assert (first.number, first.replicas, first.replicas_ready) == (1, 1, 1)
    assert (second.number, second.replicas, second.replicas_ready) == (2, 1, 0)
    assert (second.template, second.images, second.template_hash) == (template(2), ("i:2",), "web-b")


def test_the_pods_of_a_daemon_set_know_their_revision_by_its_hash() -> None:
    revision = kept("log-f00", 1, **{"controller-revision-hash": "f00"})
    kube, _ = answering(ok(daemon()), items(revision), items(pod("log-x", "f00", ready=True)))
    (only,) = kube.list_revisions(DS)
    assert (only.template_hash, only.replicas, only.replicas_ready) == ("f00", 1, 1)


@pytest.mark.parametrize(
    ("thing", "held", "rolled"),
    [
        (stateful(updated=1), 0, False),
        (stateful(updated=1, updateStrategy=partition(2)), 2, True),
        (stateful(updated=0, updateStrategy=partition(2)), 2, False),
        (stateful(updated=0, updateStrategy=partition(9)), 3, True),
        (stateful(updated=0, updateStrategy={"type": "OnDelete"}), 3, True),
        (stateful(updated=0, replicas=2, updateStrategy={"type": "OnDelete"}), 3, False),
    ],
)  # fmt: skip
def test_what_a_stateful_set_holds_back_is_no_rollout_under_way(
    thing: dict[str, Any], held: int, rolled: bool
) -> None:
    kube, _ = answering(ok(thing), items())
    workload = kube.get_workload(STS)
    assert (workload.held_back, workload.is_rolled_out) == (held, rolled)
    assert bool(workload.held_why) is bool(held)


@pytest.mark.parametrize(
    ("thing", "held", "rolled"),
    [
        (daemon(), 0, True),
        (daemon(updated=1), 0, False),
        (daemon(available=1), 0, False),
        (daemon(updated=0, updateStrategy={"type": "OnDelete"}), 2, True),
    ],
)
def test_a_daemon_set_is_rolled_out_when_each_node_runs_the_newest(
    thing: dict[str, Any], held: int, rolled: bool
) -> None:
    kube, _ = answering(ok(thing), items())
    workload = kube.get_workload(DS)
    assert (workload.replicas_wanted, workload.held_back, workload.is_rolled_out) == (2, held, rolled)


@pytest.mark.parametrize(("ref", "thing"), [(STS, stateful()), (DS, daemon())], ids=["sts", "ds"])
def test_a_write_to_a_set_is_one_patch_under_its_version(ref: WorkloadRef, thing: dict[str, Any]) -> None:
    kube, seen = answering(ok(thing), ok(thing))
    done = kube.write_spec(
        ref, uid="u-1", resource_version="9", spec={"template": template(5)}, annotations={"a": "b"}
    )
    assert (done.ref, done.revision) == (ref, 0)
    assert seen[-1].method == "PATCH"
    assert [step["path"] for step in json.loads(seen[-1].content)] == [
        "/metadata/uid", "/metadata/resourceVersion", "/spec/template", "/metadata/annotations",
        "/metadata/annotations/a",
    ]  # fmt: skip


def test_what_is_no_workload_is_a_usage_error() -> None:
    kube, _ = answering()
    with pytest.raises(UsageError, match="CronJob"):
        kube.get_workload(WorkloadRef("CronJob", "ml", "db"))


def test_all_workloads_are_those_of_every_kind_that_the_cluster_knows() -> None:
    kube, seen = answering(items(an_object(DEPLOY, {}, replicas=1)), items(stateful()), items(daemon()))
    found = kube.list_all_workloads("ml")
    assert [one.ref for one in found] == [DEPLOY, DS, STS]
    assert [one.replicas_ready for one in found] == [0, 2, 3]
    assert [request.url.path.rpartition("/")[2] for request in seen] == [
        "deployments", "statefulsets", "daemonsets",
    ]  # fmt: skip
    lacks = status(501, "NotImplemented", "the light cluster has none")
    kube, _ = answering(items(an_object(DEPLOY, {}, replicas=1)), httpx.Response(404), lacks)
    assert [one.ref for one in kube.list_all_workloads(None)] == [DEPLOY]


def test_a_kind_that_may_not_be_listed_is_not_taken_for_none() -> None:
    kube, _ = answering(items(), status(403, "Forbidden", "you may not list statefulsets"))
    with pytest.raises(Refused):
        kube.list_all_workloads("ml")


def test_for_looking_the_sets_that_may_not_be_listed_are_left_out_and_deployments_never_are() -> None:
    no = status(403, "Forbidden", "you may not list these")
    kube, _ = answering(items(an_object(DEPLOY, {}, replicas=1)), no, items(daemon()))
    assert [one.ref for one in kube.list_readable_workloads("ml")] == [DEPLOY, DS]
    kube, _ = answering(no)
    with pytest.raises(Refused):
        kube.list_readable_workloads("ml")
