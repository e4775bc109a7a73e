"""What the cluster adapter sends, and what it makes of each answer (recorded shapes of kube-apiserver)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from maestro_cli.core.errors import (
    Busy,
    GateNotMet,
    MaestroError,
    NoData,
    NotFound,
    OutcomeUnknown,
    Refused,
    StalePlan,
    Unreachable,
    UsageError,
)
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.api_server import InvalidObject
from tests.unit.sources.kube_answers import DEPLOYMENT, REF, answering, cluster, ok, replica_set, status


def test_a_workload_is_read_with_nulls_and_unknown_fields() -> None:
    kube, _ = answering(ok(DEPLOYMENT))
    workload = kube.get_workload(REF)
    assert (workload.uid, workload.resource_version, workload.revision) == ("u-1", "42", 2)
    assert (workload.replicas_wanted, workload.replicas_ready, workload.replicas_available) == (3, 2, 0)
    assert workload.selector == "app=fraud,tier notin (a,b),!canary"
    assert not workload.is_rolled_out
    assert workload.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert workload.progress_reason == "ReplicaSetUpdated"
    assert workload.labels == {}
    assert isinstance(workload.annotations["keep/me"], Untrusted)


def test_revisions_are_those_the_workload_controls_newest_last_without_the_hash_label() -> None:
    sets = [replica_set("c", "10"), replica_set("a", "2", **{"kubernetes.io/change-cause": "ship"}),
            replica_set("alien", "99", owner="u-2")]  # fmt: skip
    kube, seen = answering(ok(DEPLOYMENT), ok({"metadata": {}, "items": sets}))
    revisions = kube.list_revisions(REF)
    assert [(item.number, item.name, item.images) for item in revisions] == [
        (2, "a", ("i:2",)),
        (10, "c", ("i:10",)),
    ]
    assert revisions[0].change_cause == "ship"
    assert revisions[0].template["metadata"]["labels"] == {"app": "fraud"}
    assert revisions[0].template_hash == "a"
    assert seen[1].url.params["labelSelector"].startswith("app=fraud")


def test_a_cause_that_the_cluster_copied_from_the_revision_before_is_nobodys() -> None:
    """kubectl leaves the annotation of the last change as it is, and the controller copies it."""
    cause = "kubernetes.io/change-cause"
    mine = {cause: "maestro restart (chg-1m8b4)"}
    ship = {cause: "ship"}
    sets = [replica_set("c", "3", **mine), replica_set("b", "2", **mine), replica_set("d", "4", **ship),
            replica_set("a", "1", **ship)]  # fmt: skip
    kube, _ = answering(ok(DEPLOYMENT), ok({"metadata": {}, "items": sets}))
    assert [item.change_cause for item in kube.list_revisions(REF)] == ["ship", mine[cause], "", "ship"]


def pods(*names: str, token: str = "") -> httpx.Response:
    items = [{"metadata": {"name": name, "namespace": "ml"}} for name in names]
    return ok({"metadata": {"continue": token}, "items": items})


def test_lists_follow_the_continue_token() -> None:
    kube, seen = answering(pods("b", token="T"), pods("a"))
    assert [pod.name for pod in kube.list_pods(None, selector="app=x")] == ["a", "b"]
    assert [request.url.params.get("continue") for request in seen] == [None, "T"]
    assert {request.url.params["limit"] for request in seen} == {"1000"}
    assert seen[0].url.path == "/api/v1/pods"


def test_a_list_that_turns_in_a_circle_is_not_taken_for_whole() -> None:
    kube = cluster(lambda _: pods("a", token="same"))
    with pytest.raises(Unreachable, match="does not answer like") as refused:
        kube.list_pods("ml")
    assert "comes to the same page again" in refused.value.why


EXPIRED = status(410, "Expired", "The provided continue parameter is too old")


def test_an_expired_list_starts_again_by_pages() -> None:
    kube, seen = answering(pods("old", token="T"), EXPIRED, pods("a", token="U"), pods("b"))
    assert [pod.name for pod in kube.list_pods("ml")] == ["a", "b"]
    assert [request.url.params.get("continue") for request in seen] == [None, "T", None, "U"]
    assert {request.url.params["limit"] for request in seen} == {"1000"}


def test_a_list_that_expires_again_is_asked_for_in_one_piece() -> None:
    answers = [pods("old", token="T"), EXPIRED, pods("old", token="T"), EXPIRED, pods("a", "b")]
    kube, seen = answering(*answers)
    assert [pod.name for pod in kube.list_pods("ml")] == ["a", "b"]
    assert "limit" not in seen[4].url.params


def test_a_cluster_without_a_kind_has_none_of_it() -> None:
    unknown = status(501, "NotImplemented", "this cluster has no statefulsets.apps")
    absent = httpx.Response(404, text="404 page not found")
    kube, _ = answering(ok({"metadata": {}, "items": [DEPLOYMENT]}), unknown, absent)
    assert [str(line.ref) for line in kube.inventory.workloads("ml")] == ["ml/deploy/fraud"]


def test_a_page_that_fails_fails_the_list() -> None:
    kube, _ = answering(pods("a", token="T"), status(403, "Forbidden", "no", kind="pods"))
    with pytest.raises(Refused):
        kube.list_pods("ml")


def test_pods_tell_why_a_container_does_not_run() -> None:
    pod = {
        "metadata": {
            "name": "p", "namespace": "ml", "deletionTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"uid": "x", "name": "rs", "kind": "ReplicaSet", "controller": True}],
        },
        "spec": {
            "nodeName": "node-a",
            "containers": [{"name": "server", "image": "i"}, {"name": "new", "image": "n"}],
        },
        "status": {
            "phase": "Running", "podIP": "10.244.1.2",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T00:00:00Z"}],
            "containerStatuses": [{
                "name": "server", "ready": False, "restartCount": 4, "image": "", "imageID": "",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "\x1b[31mback-off"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            }],
        },
    }  # fmt: skip
    kube, _ = answering(ok({"metadata": {}, "items": [pod]}))
    (fact,) = kube.list_pods("ml")
    assert (fact.ready, fact.deleting, fact.owner, fact.node, fact.restarts) == (
        True,
        True,
        "rs",
        "node-a",
        4,
    )
    assert fact.ready_since == datetime(2026, 1, 2, tzinfo=UTC)
    server, new = fact.containers
    assert (server.state, server.reason, server.last_exit_code, server.last_reason) == (
        "waiting", "CrashLoopBackOff", 137, "OOMKilled",
    )  # fmt: skip
    assert isinstance(server.message, Untrusted)
    assert (new.state, new.ready) == ("waiting", False)


def test_events_of_both_generations_are_ordered_and_cut_by_time() -> None:
    events = [
        {"metadata": {"name": "new", "namespace": "ml"}, "eventTime": "2026-01-01T00:00:05.123456Z",
         "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:09.000001Z"}, "reason": "R",
         "involvedObject": {"kind": "Pod", "name": "p"}, "type": "Warning", "message": "m"},
        {"metadata": {"name": "old", "namespace": "ml"}, "firstTimestamp": "2026-01-01T00:00:01Z",
         "lastTimestamp": "2026-01-01T00:00:02Z", "count": 8, "eventTime": None},
        {"metadata": {"name": "bare", "namespace": "ml", "creationTimestamp": "2026-01-01T00:00:03Z"}},
    ]  # fmt: skip
    kube = cluster(lambda _: ok({"metadata": {}, "items": events}))
    assert [(event.name, event.count) for event in kube.list_events("ml")] == [
        ("old", 8),
        ("bare", 1),
        ("new", 3),
    ]
    since = datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)
    assert [event.name for event in kube.list_events(None, since=since)] == ["bare", "new"]


def test_nodes_and_budgets() -> None:
    unknown = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    node = {
        "metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [unknown]},
    }
    budget = {
        "metadata": {"name": "fraud", "namespace": "ml"},
        "spec": {"selector": {"matchLabels": {"app": "fraud"}}, "minAvailable": "50%"},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3},
    }
    kube, _ = answering(ok({"metadata": {}, "items": [node]}), ok({"metadata": {}, "items": [budget]}))
    (fact,) = kube.list_nodes()
    assert (fact.ready, fact.schedulable, fact.zone, fact.reason) == (
        False,
        False,
        "zone-a",
        "NodeStatusUnknown",
    )
    (limit,) = kube.list_disruption_budgets("ml")
    assert (limit.selector, limit.disruptions_allowed, limit.expected_pods) == ("app=fraud", 1, 3)
    assert limit.least_available == "50%"


def test_replace_template_tests_uid_and_version_and_keeps_other_annotations() -> None:
    kube, seen = answering(ok(DEPLOYMENT), ok(DEPLOYMENT))
    template = {"metadata": {"labels": {"app": "fraud", "pod-template-hash": "x"}}, "spec": {}}
    changes = {"kubernetes.io/change-cause": "undo ~/it", "keep/me": None, "absent": None}
    kube.replace_template(
        REF, uid="u-1", resource_version="42", template=template, annotations=changes, dry_run=True
    )
    assert seen[1].method == "PATCH"
    assert dict(seen[1].url.params) == {"fieldManager": "maestro", "dryRun": "All"}
    assert seen[1].headers["content-type"] == "application/json-patch+json"
    assert json.loads(seen[1].content) == [
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "42"},
        {
            "op": "add",
            "path": "/spec/template",
            "value": {"metadata": {"labels": {"app": "fraud"}}, "spec": {}},
        },
        {"op": "remove", "path": "/metadata/annotations/keep~1me"},
        {"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": "undo ~/it"},
    ]


def test_parts_of_the_spec_are_written_in_one_patch_and_nothing_else() -> None:
    kube, seen = answering(ok(DEPLOYMENT), ok(DEPLOYMENT))
    spec = {"replicas": 0, "paused": True}
    kube.write_spec(
        REF, uid="u-1", resource_version="42", spec=spec, annotations={"maestro.io/change": "chg-1"}
    )
    assert [(one["op"], one["path"], one["value"]) for one in json.loads(seen[1].content)[2:]] == [
        ("add", "/spec/paused", True),
        ("add", "/spec/replicas", 0),
        ("add", "/metadata/annotations/maestro.io~1change", "chg-1"),
    ]


def test_an_autoscaler_tells_by_which_shares_of_requests_it_scales_and_by_what_else() -> None:
    def of(name: str, percent: int) -> dict[str, Any]:
        return {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}}

    metrics = [
        {"type": "Resource", "resource": of("cpu", 80)},
        {"type": "ContainerResource", "containerResource": {**of("cpu", 70), "container": "app"}},
        {"type": "Resource", "resource": of("memory", 75)},
        {"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": "500m"}}},
        {"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"averageValue": "3"}}},
        {"type": "Future"},
    ]
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "f"}, "maxReplicas": 9, "metrics": metrics}
    kube, _ = answering(ok({"metadata": {}, "items": [{"metadata": {"name": "h"}, "spec": spec}]}))
    (found,) = kube.list_autoscalers("ml")
    assert (found.cpu_target, dict(found.shares)) == (80, {"cpu": 70, "memory": 75})
    assert found.others == ("Future", "cpu", "queue")


def test_autoscalers_are_read_and_a_cluster_without_them_has_none() -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "fraud"}, "maxReplicas": 9}
    kube, seen = answering(ok({"metadata": {}, "items": [{"metadata": {"name": "h"}, "spec": spec}]}))
    (found,) = kube.list_autoscalers("ml")
    assert (found.target_kind, found.target_name, found.least, found.most) == ("Deployment", "fraud", 1, 9)
    assert (found.shares, found.others) == ({}, ())
    assert seen[0].url.path == "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
    for missing in (httpx.Response(404), status(501, "NotImplemented", "the light cluster has none")):
        kube, _ = answering(missing)
        assert kube.list_autoscalers("ml") == ()


@pytest.mark.parametrize(("uid", "version"), [("other", "42"), ("u-1", "41")])
def test_a_stale_plan_is_refused_before_anything_is_sent(uid: str, version: str) -> None:
    kube, seen = answering(ok(DEPLOYMENT))
    with pytest.raises(StalePlan, match="ml/deploy/fraud"):
        kube.replace_template(REF, uid=uid, resource_version=version, template={}, annotations={})
    assert [request.method for request in seen] == ["GET"]


def test_a_failed_test_of_the_patch_is_a_stale_plan_and_an_invalid_template_is_not() -> None:
    vague = "the server rejected our request due to an error in our request"
    newer = {**DEPLOYMENT, "metadata": {**DEPLOYMENT["metadata"], "resourceVersion": "43"}}
    kube, _ = answering(ok(DEPLOYMENT), status(422, "Invalid", vague), ok(newer))
    with pytest.raises(StalePlan, match="changed since the plan"):
        kube.replace_template(REF, uid="u-1", resource_version="42", template={}, annotations={})
    kube, _ = answering(
        ok(DEPLOYMENT), status(422, "Invalid", "spec.template: Required value"), ok(DEPLOYMENT)
    )
    with pytest.raises(InvalidObject) as caught:
        kube.replace_template(REF, uid="u-1", resource_version="42", template={}, annotations={})
    assert "Required value" in caught.value.why


def test_a_conflict_is_a_stale_plan() -> None:
    conflict = status(409, "Conflict", "Operation cannot be fulfilled: the object has been modified")
    kube, _ = answering(ok(DEPLOYMENT), conflict)
    with pytest.raises(StalePlan):
        kube.write_spec(REF, uid="u-1", resource_version="42", spec={"replicas": 1}, annotations={})


FORBIDDEN = 'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps"'
BUDGET = "Cannot evict pod as it would violate the pod's disruption budget."


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (status(401, "Unauthorized", "Unauthorized"), Refused, "someone"),
        (status(403, "Forbidden", FORBIDDEN, kind="deployments", group="apps"), Refused, "deployments.apps"),
        (status(404, "NotFound", 'deployments.apps "fraud" not found'), NotFound, "fraud"),
        (httpx.Response(404, text="404 page not found"), NotFound, "does not serve /apis/apps"),
        (status(400, "BadRequest", "unable to parse"), UsageError, "unable to parse"),
        (status(429, "TooManyRequests", "too many"), Busy, "too many"),
        (
            status(429, "TooManyRequests", BUDGET, causes=[{"reason": "DisruptionBudget", "message": "2"}]),
            GateNotMet,
            "budget. 2",
        ),
        (status(500, "InternalError", "etcdserver: request timed out"), OutcomeUnknown, "etcdserver"),
    ],
)  # fmt: skip
def test_each_status_becomes_its_error(answer: httpx.Response, kind: type[MaestroError], words: str) -> None:
    kube, _ = answering(ok(DEPLOYMENT), answer)
    with pytest.raises(kind) as caught:
        kube.write_spec(REF, uid="u-1", resource_version="42", spec={"replicas": 1}, annotations={})
    error = caught.value
    assert type(error) is kind
    assert words in f"{error.what} {error.why} {error.fix}"


def test_a_log_that_cannot_be_there_yet_is_no_data() -> None:
    kube, seen = answering(status(400, "BadRequest", 'container "c" in pod "p" is waiting to start'))
    with pytest.raises(NoData, match="no log yet"):
        kube.pod_log("ml", "p", container="c", tail_lines=3, since_seconds=60, previous=True)
    assert dict(seen[0].url.params) == {"container": "c", "tailLines": "3", "sinceSeconds": "60",
                                        "previous": "true", "limitBytes": "262144"}  # fmt: skip


def test_a_log_is_cut_where_the_server_does_not_cut_it() -> None:
    kube, _ = answering(httpx.Response(200, content=b"\xff" + b"x" * 1000))
    text = kube.pod_log("ml", "p", limit_bytes=10)
    assert text == "�" + "x" * 9
    assert isinstance(text, Untrusted)


def test_access_names_resource_group_and_subresource() -> None:
    kube, seen = answering(httpx.Response(201, json={"status": {"allowed": False, "reason": "no role"}}))
    answer = kube.access(
        "patch", "deployments", namespace="ml", group="apps", subresource="scale", name="fraud"
    )
    assert (answer.allowed, answer.resource, answer.reason) == (False, "deployments.apps/scale", "no role")
    assert json.loads(seen[0].content)["spec"]["resourceAttributes"]["subresource"] == "scale"


def test_identity_falls_back_to_the_kubeconfig() -> None:
    kube, _ = answering(
        httpx.Response(201, json={"status": {"userInfo": {"username": "bob"}}}),
        httpx.Response(404, text="no"),
    )
    assert kube.identity() == "bob"
    assert kube.identity() == "someone"


@pytest.mark.parametrize("name", ["../../secrets/x", "a/b", "a?b", "a#b"])
def test_a_hostile_name_stays_one_path_segment(name: str) -> None:
    kube, seen = answering(ok({}), ok({}))
    kube.pod_log("ml", name)
    assert seen[0].url.raw_path.split(b"?")[0].count(b"/") == 7
    with pytest.raises(UsageError):
        kube.pod_log("ml", "..")


def test_the_text_of_a_config_map_is_written_whole_under_its_precondition() -> None:
    config = {
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"},
        "metadata": {"name": "c", "namespace": "ml", "uid": "u-1", "resourceVersion": "42"},
    }  # fmt: skip
    sent: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/namespaces/ml/configmaps/c"
        if request.method == "PATCH":
            sent.extend(json.loads(request.content))
        return httpx.Response(200, json=config)

    api = cluster(handler)
    assert dict(api.get_config_map("ml", "c").data) == {"a": "1", "b": "2"}
    api.write_config_map(
        "ml", "c", uid="u-1", resource_version="42", data={"a": "9", "b": "2"}, annotations={"m/c": "x"}
    )
    assert [(one["op"], one["path"]) for one in sent] == [
        ("test", "/metadata/uid"),
        ("test", "/metadata/resourceVersion"),
        ("add", "/data"),
        ("add", "/metadata/annotations"),
        ("add", "/metadata/annotations/m~1c"),
    ]
    with pytest.raises(StalePlan):
        api.write_config_map("ml", "c", uid="u-1", resource_version="41", data={}, annotations={})
