"""Revisions, progress, deletion order and budgets as pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.local.controllers import progress, revisions
from maestro_cli.local.controllers.disruption import desired_healthy, still_disrupted
from maestro_cli.local.controllers.ranking import doomed_first
from maestro_cli.local.controllers.scheduler import misfit
from maestro_cli.local.objects import condition, timestamp

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def template(image: str = "app:1", **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": image}], **more},
    }


def deployment(replicas: int = 3, **more: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "web"}}
    spec = {"replicas": replicas, "selector": selector, "template": template(), **more}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "ml", "uid": "d", "generation": 2, "annotations": {}},
        "spec": spec,
    }


def replica_set(
    name: str, revision: int, wanted: int = 0, *, image: str = "app:1", **status: Any
) -> dict[str, Any]:
    made = revisions.build_replica_set(deployment(), name, wanted, {revisions.REVISION: str(revision)})
    made["metadata"] |= {"name": name, "uid": name, "generation": 1}
    made["metadata"]["creationTimestamp"] = f"2026-01-0{revision}T00:00:00Z"
    made["spec"]["template"] = template(image)
    made["status"] = {"observedGeneration": 1, **status}
    return made


def test_equal_templates_have_equal_names_whatever_was_left_out() -> None:
    plain, spelled = template(), template(volumes=[], nodeSelector={})
    spelled["metadata"]["labels"]["pod-template-hash"] = "x"
    assert revisions.same_template(plain, spelled)
    assert revisions.template_hash(template(), 0) == revisions.template_hash(template(volumes=[]), 0)
    assert revisions.template_hash(template(), 0) != revisions.template_hash(template(), 1)
    assert revisions.template_hash(template(), 0) != revisions.template_hash(template("app:2"), 0)
    assert not revisions.same_template(template(), template("app:2"))


def test_the_oldest_equal_replica_set_is_the_new_one() -> None:
    sets = [replica_set("b", 2), replica_set("a", 1), replica_set("c", 3, image="app:2")]
    found = revisions.find_new(deployment(), sets)
    assert found is not None
    assert found["metadata"]["name"] == "a"


def test_a_returning_replica_set_gets_the_next_number_and_remembers_its_old_one() -> None:
    returning, others = replica_set("a", 9), [replica_set("b", 1)]
    others[0]["metadata"]["annotations"][revisions.REVISION] = "10"
    wanted = revisions.new_annotations(deployment(), returning, others)
    assert (wanted[revisions.REVISION], wanted[revisions.HISTORY]) == ("11", "9")
    returning["metadata"]["annotations"] = wanted
    again = revisions.new_annotations(deployment(), returning, others)
    assert again == wanted, "a second look changes nothing"


def test_annotations_are_copied_but_for_those_of_kubectl_and_the_controller() -> None:
    made = deployment()
    made["metadata"]["annotations"] = {
        "kubernetes.io/change-cause": "why",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        revisions.REVISION: "7",
    }
    copied = {"kubernetes.io/change-cause": "why", revisions.REVISION: "1"}
    assert revisions.new_annotations(made, None, []) == copied


def test_history_keeps_the_newest_and_spares_what_still_has_pods() -> None:
    old = [replica_set(f"rs{n}", n) for n in (1, 2, 3, 4)]
    old[0]["status"]["replicas"] = 1
    names = [one["metadata"]["name"] for one in revisions.surplus_history(old, 2)]
    assert names == ["rs2"], "what still has pods is kept, and nothing goes in its place"
    assert revisions.surplus_history(old, 4) == []


def status_with(progressing: dict[str, Any] | None, **counts: int) -> dict[str, Any]:
    return {"conditions": [progressing] if progressing else [], **counts}


def progressing(reason: str, status: str = "True", age_seconds: int = 0) -> dict[str, Any]:
    return progress.new_condition("Progressing", status, reason, "", NOW - timedelta(seconds=age_seconds))


def told(made: dict[str, Any], sets: list[dict[str, Any]]) -> dict[str, Any]:
    status = progress.rollout_status(made, sets, sets[-1], NOW)
    return {"status": status}


def test_the_deadline_counts_from_the_last_progress() -> None:
    stuck = replica_set("new", 2, 1, replicas=1)
    made = deployment(progressDeadlineSeconds=10)
    counts = {"replicas": 1, "updatedReplicas": 1}
    made["status"] = status_with(progressing("ReplicaSetUpdated", age_seconds=9), **counts)
    found = condition(told(made, [stuck]), "Progressing")
    assert found is not None
    assert found["status"] == "True"
    made["status"] = status_with(progressing("ReplicaSetUpdated", age_seconds=10), **counts)
    found = condition(told(made, [stuck]), "Progressing")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_progress_moves_the_update_time_but_not_the_transition() -> None:
    made = deployment()
    before = progressing("NewReplicaSetCreated", age_seconds=60)
    made["status"] = status_with(before, replicas=1, updatedReplicas=1)
    found = condition(told(made, [replica_set("new", 2, 3, replicas=2)]), "Progressing")
    assert found is not None
    assert (found["reason"], found["lastUpdateTime"]) == ("ReplicaSetUpdated", timestamp(NOW))
    assert found["lastTransitionTime"] == before["lastTransitionTime"]


def test_completion_and_what_a_finished_rollout_ignores() -> None:
    full = replica_set("new", 2, 3, replicas=3, readyReplicas=3, availableReplicas=3)
    made = deployment()
    made["status"] = status_with(progressing("ReplicaSetUpdated"), replicas=3, updatedReplicas=3)
    found = condition(told(made, [full]), "Progressing")
    assert found is not None
    assert found["reason"] == "NewReplicaSetAvailable"
    finished = progressing("NewReplicaSetAvailable", age_seconds=9999)
    made["status"] = status_with(finished, replicas=3, updatedReplicas=3)
    lame = replica_set("new", 2, 3, replicas=3, readyReplicas=1, availableReplicas=1)
    found = condition(told(made, [lame]), "Progressing")
    assert found is not None
    assert found["reason"] == "NewReplicaSetAvailable", "a finished rollout cannot time out"
    available = condition(told(made, [lame]), "Available")
    assert available is not None
    assert available["status"] == "False"


def pod(name: str, *, age: int = 1000, **more: Any) -> dict[str, Any]:
    since = timestamp(NOW - timedelta(seconds=age))
    status = {
        "phase": more.get("phase", "Running"),
        "conditions": [
            {"type": "Ready", "status": str(more.get("ready", True)), "lastTransitionTime": since}
        ],
        "containerStatuses": [{"restartCount": more.get("restarts", 0)}],
    }
    meta = {"name": name, "uid": name, "creationTimestamp": since, "annotations": more.get("annotations", {})}
    return {
        "metadata": meta,
        "spec": {"nodeName": more.get("node", "n1"), "containers": []},
        "status": status,
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pod("a", node=""), pod("b", ready=False, phase="Pending")),
        (pod("a", phase="Pending", ready=False), pod("b", ready=False)),
        (pod("a", ready=False), pod("b")),
        (pod("a", annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}), pod("b", age=1)),
        (pod("a", age=3), pod("b", age=5000)),
        (pod("a", restarts=4), pod("b", restarts=1)),
    ],
)
def test_deletion_order(first: dict[str, Any], second: dict[str, Any]) -> None:
    for order in ([first, second], [second, first]):
        assert [one["metadata"]["name"] for one in doomed_first(order, order, NOW)] == ["a", "b"]


def test_the_more_crowded_node_gives_first() -> None:
    pods = [pod("a", node="n1"), pod("b", node="n2"), pod("c", node="n2")]
    assert doomed_first(pods, pods, NOW)[-1]["metadata"]["name"] == "a"


@pytest.mark.parametrize(
    ("spec", "expected", "pods", "answer"),
    [
        ({"maxUnavailable": 1}, 3, 3, (3, 2)),
        ({"maxUnavailable": "34%"}, 3, 3, (3, 1)),
        ({"maxUnavailable": "100%"}, 3, 3, (3, 0)),
        ({"minAvailable": "50%"}, 3, 3, (3, 2)),
        ({"minAvailable": 2}, 3, 5, (5, 2)),
    ],
)
def test_percentages_of_budgets_round_up(
    spec: dict[str, Any], expected: int, pods: int, answer: tuple[int, int]
) -> None:
    assert desired_healthy(spec, expected, pods) == answer


def test_evictions_are_forgotten_after_two_minutes_or_with_their_pod() -> None:
    status = {
        "disruptedPods": {
            "fresh": timestamp(NOW - timedelta(seconds=100)),
            "stale": timestamp(NOW - timedelta(seconds=121)),
            "gone": timestamp(NOW),
        }
    }
    assert list(still_disrupted(status, [pod("fresh"), pod("stale")], NOW)) == ["fresh"]


def node(**more: Any) -> dict[str, Any]:
    status = {
        "conditions": [{"type": "Ready", "status": more.get("ready", "True")}],
        "allocatable": {"cpu": "2", "memory": "1Gi", "pods": "2"},
    }
    spec = {name: more[name] for name in ("unschedulable", "taints") if name in more}
    return {"metadata": {"name": "n1", "labels": {"zone": "a"}}, "spec": spec, "status": status}


TAINTED = node(taints=[{"key": "k", "effect": "NoSchedule"}])


@pytest.mark.parametrize(
    ("wants", "where", "crowd", "reason"),
    [
        ({}, node(), 0, ""),
        ({}, node(ready="False"), 0, "node(s) were not ready"),
        ({}, node(unschedulable=True), 0, "node(s) were unschedulable"),
        ({}, node(), 2, "Too many pods"),
        ({"nodeSelector": {"zone": "b"}}, node(), 0, "node(s) didn't match Pod's node affinity/selector"),
        ({}, TAINTED, 0, "node(s) had untolerated taint {k: }"),
        ({"tolerations": [{"key": "k", "operator": "Exists"}]}, TAINTED, 0, ""),
        ({}, node(taints=[{"key": "k", "effect": "PreferNoSchedule"}]), 0, ""),
        ({"containers": [{"resources": {"requests": {"cpu": "2500m"}}}]}, node(), 0, "Insufficient cpu"),
    ],
)  # fmt: skip
def test_where_a_pod_fits(wants: dict[str, Any], where: dict[str, Any], crowd: int, reason: str) -> None:
    made = {"metadata": {"name": "p"}, "spec": {"containers": [], **wants}}
    assert misfit(made, where, [pod(str(n)) for n in range(crowd)]) == reason
