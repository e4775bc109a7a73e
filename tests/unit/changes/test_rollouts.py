"""How far a rollout is: what is complete, what goes on, and what nothing moves on by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.changes.rollouts import STUCK, Rollout, Stage, read_rollout, rollout_of
from maestro_cli.core.facts.cluster import Container, Pod, Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from tests.unit.changes.bench import Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF

STS = WorkloadRef("StatefulSet", "ml", "fraud")
DS = WorkloadRef("DaemonSet", "ml", "fraud")
NEW, OLD = "fraud-2", "fraud-1"


def revision(number: int, name: str) -> Revision:
    return Revision(number, name, LONG_AGO, 1, 1, (f"i:{number}",), "", {}, name)


REVISIONS = [revision(1, OLD), revision(2, NEW)]


def pod(name: str, revision: str = NEW, *, reason: str = "", ready: bool = True, **more: Any) -> Pod:
    state = "waiting" if reason else "running"
    made = Pod(
        "ml", name, f"uid-{name}", "Running", ready and not reason, "node-a", "", LONG_AGO, False, revision,
        {"controller-revision-hash": revision}, (Container("c", "i:2", not reason, 3, state, reason),),
        owner_kind="ReplicaSet",
    )  # fmt: skip
    return replace(made, **more)


@pytest.fixture
def fraud(bench: Bench) -> Workload:
    """Three of three, rolled out."""
    return bench.cluster.get_workload(REF)


def seen(workload: Workload, pods: Sequence[Pod] = (), waits: Sequence[str] = ()) -> Rollout:
    return rollout_of(workload, REVISIONS, pods, waits)


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({}, Stage.COMPLETE),
        (dict.fromkeys(("replicas_wanted", "replicas", "replicas_updated", "replicas_available"), 0),
         Stage.COMPLETE),
        ({"observed_generation": 1, "generation": 2}, Stage.ROLLING),
        ({"replicas_updated": 2}, Stage.ROLLING),
        ({"replicas_available": 2}, Stage.ROLLING),
        ({"replicas": 4}, Stage.ROLLING),
        ({"replicas_updated": 2, "paused": True}, Stage.PAUSED),
        ({"replicas_updated": 2, "progress_reason": "ProgressDeadlineExceeded"}, Stage.STALLED),
        ({"replicas_updated": 2, "held_back": 1, "held_why": "its partition"}, Stage.COMPLETE),
        ({"replicas_updated": 0, "held_back": 3, "held_why": "OnDelete"}, Stage.HELD),
        ({"replicas_updated": 3, "held_back": 3, "held_why": "OnDelete"}, Stage.COMPLETE),
    ],
    ids=str,
)  # fmt: skip
def test_the_stage_is_what_the_counts_say(fraud: Workload, change: dict[str, Any], stage: Stage) -> None:
    rollout = seen(replace(fraud, **change))
    assert rollout.stage is stage
    if change.get("held_back") and change["replicas_updated"] < 3:
        assert rollout.why == change["held_why"]


@pytest.mark.parametrize("reason", sorted(STUCK))
def test_a_pod_of_the_newest_revision_that_does_not_start_stalls_it(fraud: Workload, reason: str) -> None:
    rolling = replace(fraud, replicas_updated=1)
    rollout = seen(rolling, [pod("a", reason=reason), pod("b", reason=reason)])
    assert (rollout.stage, rollout.why) == (Stage.STALLED, f"a is in {reason}, and 1 other")


def test_what_is_broken_in_an_older_revision_is_about_to_go(fraud: Workload) -> None:
    rolling = replace(fraud, replicas_updated=1)
    assert seen(rolling, [pod("a", OLD, reason="CrashLoopBackOff")]).stage is Stage.ROLLING
    assert seen(rolling, [pod("a", OLD, reason="CrashLoopBackOff")], ["a"]).stage is Stage.STALLED
    assert seen(rolling, [pod("a", reason="ContainerCreating")]).stage is Stage.ROLLING


def test_a_broken_pod_does_not_undo_what_is_complete(fraud: Workload) -> None:
    assert seen(fraud, [pod("a", reason="CrashLoopBackOff")]).stage is Stage.COMPLETE


def test_the_tree_has_the_newest_revision_and_those_with_pods(fraud: Workload) -> None:
    only = seen(fraud, [pod("a")])
    assert [(one.number, one.is_newest, len(one.pods)) for one in only.revisions] == [(2, True, 1)]
    both = seen(fraud, [pod("b", OLD, deleting=True), pod("a", OLD)])
    assert [(one.number, [pod.name for pod in one.pods]) for one in both.revisions] == [
        (2, []),
        (1, ["a", "b"]),
    ]
    assert both.revisions[1].pods[1].state == "Terminating"


@pytest.mark.parametrize("ref", [STS, DS], ids=["sts", "ds"])
def test_pods_of_a_set_belong_to_the_revision_in_their_label(fraud: Workload, ref: WorkloadRef) -> None:
    own: dict[str, Any] = {"owner": "fraud", "owner_kind": ref.kind}
    pods = [pod("a", NEW, **own), pod("b", OLD, **own), pod("c", NEW)]
    rollout = seen(replace(fraud, ref=ref), pods)
    assert [[pod.name for pod in one.pods] for one in rollout.revisions] == [["a"], ["b"]]


def test_it_is_read_from_the_cluster(bench: Bench) -> None:
    rollout = read_rollout(bench.cluster, REF)
    assert (rollout.stage, rollout.wanted, rollout.text) == (
        Stage.COMPLETE, 3, "3 of 3 updated, 3 available, 3 in all",
    )  # fmt: skip
