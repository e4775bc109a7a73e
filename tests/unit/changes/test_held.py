"""What a set does not do by itself is planned, named, and done only where it is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS, kind_named
from maestro_cli.changes.kinds.held import held_back, left_behind, wholly_held
from maestro_cli.changes.kinds.workload import permissions_of
from maestro_cli.changes.kinds.writing import Draft
from maestro_cli.changes.model import Diff
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import Container, Pod, Workload
from maestro_cli.core.refs import WorkloadRef
from tests.unit.changes.bench import Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF, FakeCluster

WEB = WorkloadRef("StatefulSet", "ml", "web")
LOG = WorkloadRef("DaemonSet", "ml", "log")
NOW = LONG_AGO + timedelta(days=1)
DRAFT = Draft({}, "restart ml/sts/web", {}, Diff(), "every replica was started anew", None, ended=3)


def pod(number: int, revision: str = "web-bad", *, ready: bool = False, **more: Any) -> Pod:
    made = Pod(
        "ml", f"web-{number}", f"uid-{number}", "Running", ready, "node-a", "", LONG_AGO, False, "web",
        {"controller-revision-hash": revision}, (), owner_kind="StatefulSet",
    )  # fmt: skip
    return replace(made, **more)


class Pods(FakeCluster):
    """A FAKE cluster that has these pods."""

    def __init__(self, *pods: Pod) -> None:
        super().__init__()
        self.there = pods

    def list_pods(self, namespace: str | None, *, selector: str = "") -> Sequence[Pod]:
        assert (namespace, selector) == ("ml", "app=fraud")
        return self.there


@pytest.fixture
def web(bench: Bench) -> Workload:
    """Three ordered replicas whose newest template is `web-good`."""
    found = bench.cluster.get_workload(REF)
    return replace(found, ref=WEB, ordered=True, update_revision="web-good")


def test_a_pod_that_the_set_would_wait_for_is_named_in_the_plan(web: Workload) -> None:
    cluster = Pods(pod(0, "web-good", ready=True), pod(1), pod(2, deleting=True), pod(3, owner="other"))
    draft = held_back(cluster, web, DRAFT, NOW)
    assert draft.parameters == {"pods": {"uid-1": "ml/pod/web-1"}}
    assert draft.summary == "restart ml/sts/web, and delete 1 pod that it would wait for"
    assert [(str(line.path), line.after) for line in draft.diff.lines] == [("ml/pod/web-1", "made anew")]


@pytest.mark.parametrize(("age", "planned"), [(599, {"uid-1": "ml/pod/web-1"}), (600, None)])
def test_what_crashes_is_planned_even_while_it_runs(
    web: Workload, age: float, planned: dict[str, str] | None
) -> None:
    crashed = (Container("c", "i:1", True, 1, "running"),)
    cluster = Pods(pod(1, ready=True, containers=crashed, ready_since=NOW - timedelta(seconds=age)))
    assert held_back(cluster, web, DRAFT, NOW).parameters.get("pods") == planned
    assert left_behind(cluster, web) == []


def test_a_set_that_replaces_its_pods_at_once_waits_for_none(web: Workload) -> None:
    assert held_back(Pods(pod(1)), replace(web, ordered=False), DRAFT, NOW) == DRAFT


def test_only_what_still_runs_another_template_is_left_behind(web: Workload) -> None:
    cluster = Pods(pod(0, ready=True), pod(1), pod(2, "web-good"))
    assert [one.name for one in left_behind(cluster, web)] == ["web-1"]
    assert left_behind(cluster, replace(web, generation=9, observed_generation=8)) == ()


def test_what_the_partition_holds_back_is_said_and_left_alone(web: Workload) -> None:
    held = replace(web, held_back=2, held_why="its partition is 2")
    draft = held_back(Pods(pod(1), pod(2)), held, DRAFT, NOW)
    assert draft.parameters == {"pods": {"uid-2": "ml/pod/web-2"}}
    assert draft.ended == 1
    assert "2 replicas of 3 will not take it on" in draft.summary
    assert draft.holds.endswith("but 2 replicas: its partition is 2")


def test_a_restart_that_would_reach_no_replica_is_refused(web: Workload) -> None:
    (reason,) = wholly_held(replace(web, held_back=3, held_why="OnDelete"))
    assert (reason.code, reason.why) == ("held-back", "OnDelete")
    assert wholly_held(replace(web, held_back=2)) == ()
    assert wholly_held(web) == ()


@pytest.mark.parametrize(
    ("kind", "ref"), [("pause", WEB), ("resume", WEB), ("pause", LOG), ("resume", LOG), ("scale", LOG)]
)
def test_a_kind_that_a_set_does_not_know_says_why_and_what_to_do(
    bench: Bench, kind: str, ref: WorkloadRef
) -> None:
    with pytest.raises(UsageError) as raised:
        bench.pipeline().plan(kind, ref, {"replicas": 1} if kind == "scale" else {})
    assert str(raised.value.what) == f"{kind} is not for a {ref.kind}, and {ref} is one"
    assert raised.value.why
    assert "{" not in raised.value.fix.replace('{"', "")
    assert ref.name in raised.value.fix or kind == "scale"


@pytest.mark.parametrize("kind", ["rollback", "restart", "scale", "set-image", "set-env"])
def test_the_permissions_are_those_of_the_very_kind_of_workload(kind: str) -> None:
    of_deployments = kind_named(kind, KINDS).permissions
    assert permissions_of("Deployment", of_deployments) == of_deployments
    asked = [str(one) for one in permissions_of("StatefulSet", of_deployments)]
    assert asked[-1] == "patch statefulsets.apps"
    assert "list controllerrevisions.apps" in asked
    assert not any("deployments" in one or "replicasets" in one for one in asked)
    assert str(permissions_of("DaemonSet", of_deployments)[-1]) == "patch daemonsets.apps"
