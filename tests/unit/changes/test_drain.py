"""A node that is closed and emptied: which pods go, which stay, what is waited for and what undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.changes.kinds.drain import evicted
from maestro_cli.changes.model import State
from maestro_cli.changes.records import plan_from_data
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ActionFailed, GateNotMet, PolicyRefused, RolledBack, UsageError
from maestro_cli.core.facts.cluster import Pod
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.every_kind import EVICTED
from tests.unit.changes.fake_nodes import NODE

FULL = ["fraud", "app=fraud", 0, 3, 3, 3]


def with_pods(bench: Bench, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Every pod of the node has this in addition."""
    whole = bench.cluster.list_pods_on

    def listed(node: str) -> Sequence[Pod]:
        return [replace(pod, **more) for pod in whole(node)]

    monkeypatch.setattr(bench.cluster, "list_pods_on", listed)


def test_a_plan_tells_every_pod_that_goes_and_what_is_left(bench: Bench) -> None:
    bench.cluster.set(budgets=[["fraud", "app=fraud", 1, 3, 2, 3]])
    plan = bench.pipeline().plan("drain", NODE)
    assert [str(line.path) for line in plan.diff.lines] == [
        "unschedulable", "ml/pod/pod-0", "ml/pod/pod-1", "ml/pod/pod-2",
    ]  # fmt: skip
    blast = plan.blast
    assert (blast.replicas_now, blast.replicas_after, blast.replicas_ended) == (3, 0, 3)
    assert (blast.workloads, blast.namespace_share, blast.nodes_left, blast.zones_left) == (
        1, 1.0, 2, ("z1", "z2"),
    )  # fmt: skip
    assert [budget.name for budget in blast.budgets] == ["fraud"]


def test_each_eviction_is_announced_before_it_is_made(bench: Bench) -> None:
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("drain", NODE), YES)
    assert change.state is State.VERIFIED
    assert bench.cluster.marks == [change.id, *EVICTED]
    events = bench.journal.events(kinds=["change.step_begun", "change.step_taken"])
    assert [event.data["uid"] for event in events] == [
        uid for number in range(3) for uid in [f"pod-uid-{number}"] * 2
    ]
    assert events[0].data["target"] == "ml/pod/pod-0"


def test_what_stays_is_of_daemon_sets_static_or_over(bench: Bench) -> None:
    one = bench.cluster.get_pod("ml", "pod-0")
    stays = [replace(one, owner_kind="DaemonSet"), replace(one, is_static=True), replace(one, phase="Failed")]
    assert evicted([one, *stays]) == [one]


@pytest.mark.parametrize(
    ("more", "option", "flag"),
    [
        ({"owner": "", "owner_kind": ""}, "bare_pods", "--delete-bare-pods"),
        ({"local_data": True}, "empty_dir", "--delete-empty-dir-data"),
    ],
)
def test_what_would_be_lost_goes_only_by_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], option: str, flag: str
) -> None:
    with_pods(bench, monkeypatch, **more)
    pipeline = bench.pipeline()
    with pytest.raises(GateNotMet, match="3 pods would be lost: ml/pod/pod-0, ml/pod/pod-1") as raised:
        pipeline.execute(pipeline.plan("drain", NODE), YES)
    assert flag in raised.value.fix
    assert f"{option}: yes" in raised.value.fix
    assert bench.cluster.marks == []
    named = pipeline.plan("drain", NODE, {option: True})
    assert pipeline.execute(named, YES).state is State.VERIFIED


def test_a_budget_without_headroom_is_waited_for(bench: Bench) -> None:
    bench.cluster.set(budgets=[FULL])

    class Eases:
        """The budget gets headroom once the wait is told."""

        told = ""

        def phase(self, name: str, text: str) -> None: ...

        def update(self, text: str) -> None:
            if "disruption budget" in text:
                Eases.told = text
                bench.cluster.set(budgets=[])

        def note(self, text: str) -> None: ...

    pipeline = bench.pipeline()
    plan = pipeline.plan("drain", NODE)
    assert pipeline.decide(plan, YES).warnings == (
        "disruption budget fraud has no headroom now; the pods under it are waited for",
    )
    assert pipeline.execute(plan, YES, progress=Eases()).state is State.VERIFIED
    assert "ml/pod/pod-2: Cannot evict pod" in Eases.told
    assert bench.cluster.marks == [plan.id, *EVICTED]
    assert bench.kinds(plan.id).count("step_begun") == 3


def test_a_budget_that_never_eases_opens_the_node_again(bench: Bench) -> None:
    bench.cluster.set(budgets=[FULL])
    pipeline = bench.pipeline()
    with pytest.raises(RolledBack) as raised:
        pipeline.execute(pipeline.plan("drain", NODE), YES)
    assert "disruption budget" in raised.value.why
    assert bench.cluster.get_node("node-a").schedulable
    assert not [mark for mark in bench.cluster.marks if mark.startswith("evicted")]


def test_a_node_that_was_closed_is_drained_and_stays_closed(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("cordon", NODE), YES)
    plan = pipeline.plan("drain", NODE)
    assert plan.undo is None
    assert pipeline.execute(plan, YES).state is State.VERIFIED
    assert bench.cluster.marks[1:] == [plan.id, *EVICTED]
    assert not bench.cluster.get_node("node-a").schedulable


def test_a_closed_node_without_pods_is_drained_already(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("drain", NODE), YES)
    with pytest.raises(GateNotMet, match="nothing to change in node/node-a"):
        pipeline.plan("drain", NODE)
    with bench.cluster.state() as state:
        state["nodes"]["node-a"]["unschedulable"] = False
    assert pipeline.plan("drain", NODE).blast.replicas_ended == 0


def test_a_pod_that_came_after_the_plan_is_not_evicted(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("drain", NODE)
    bench.cluster.set(namespace_pods=4)
    with pytest.raises((RolledBack, ActionFailed)) as raised:
        pipeline.execute(plan, YES)
    assert "ml/pod/pod-3 came to the node after the plan" in raised.value.why
    assert [mark for mark in bench.cluster.marks if mark.startswith("evicted")] == EVICTED


def test_the_cap_on_the_blast_radius_is_of_the_worst_namespace(bench: Bench) -> None:
    pipeline = bench.pipeline(max_replicas_share=0.5)
    with pytest.raises(PolicyRefused, match="ends 100% of the namespace's replicas"):
        pipeline.execute(pipeline.plan("drain", NODE), YES)


def test_a_plan_names_the_namespaces_whose_pods_end(bench: Bench) -> None:
    plan = bench.pipeline().plan("drain", NODE)
    assert plan.blast.namespaces == ("ml",)
    assert plan_from_data(plain(plan)).blast == plan.blast


def test_it_needs_to_evict(bench: Bench) -> None:
    bench.cluster.set(denied=["create pods/eviction"])
    pipeline = bench.pipeline()
    assert not pipeline.decide(pipeline.plan("drain", NODE), YES).allowed


def test_what_is_no_choice_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="are true or false"):
        bench.pipeline().plan("drain", NODE, {"empty_dir": "maybe"})


def test_one_pod_is_told_as_one(bench: Bench) -> None:
    bench.cluster.set(namespace_pods=1)
    plan = bench.pipeline().plan("drain", NODE)
    assert plan.summary == "drain node/node-a of 1 pod"
    assert plan.verify.text == "node/node-a takes no new pods, and is rid of 1 pod"


@pytest.mark.parametrize("ready", [False, True])
def test_on_a_node_that_is_not_ready_a_pod_is_gone_once_it_is_told_to_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, ready: bool
) -> None:
    """Its kubelet cannot say that it ended; the one of a ready node can, and is waited for."""
    with bench.cluster.state() as state:
        state["nodes"]["node-a"]["ready"] = ready
    before = bench.cluster.list_pods_on("node-a")
    told: set[str] = set()
    monkeypatch.setattr(bench.cluster, "evict_pod", lambda namespace, name, *, uid: told.add(uid))
    monkeypatch.setattr(
        bench.cluster,
        "list_pods_on",
        lambda node: [replace(pod, deleting=pod.uid in told) for pod in before],
    )
    pipeline = bench.pipeline()
    plan = pipeline.plan("drain", NODE)
    if ready:
        with pytest.raises(RolledBack) as raised:
            pipeline.execute(plan, YES)
        assert "rid of 0 of 3 pods" in raised.value.why
        return
    change = pipeline.execute(plan, YES)
    assert change.state is State.VERIFIED
    assert told == {f"pod-uid-{number}" for number in range(3)}
