"""What a change does to those who are served, and that an approval is void when that is no longer so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.history import get_change
from maestro_cli.changes.left import Left
from maestro_cli.changes.model import BudgetHeadroom, Plan, State, plan_digest
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.served import OpenIncident
from maestro_cli.changes.shown import changed_since
from maestro_cli.core.errors import StalePlan, WaitingForApproval
from maestro_cli.core.facts.cluster import DisruptionBudget
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF, reading, template
from tests.unit.changes.fake_configs import SETTINGS
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.fake_pods import POD
from tests.unit.changes.some_world import SomeWorld

OBJECTIVE = Objective(
    "web", "web", "fraud", 0.99, 2_592_000, Counters("http_total", "http_bad"),
    {"namespace": "ml", "deployment": "fraud"},
)  # fmt: skip
HERE = OpenIncident("incident #1", "ml", "ml/deploy/fraud")
TYPED = replace(YES, typed_context="staging")


class Surroundings:
    """A context whose incidents and error budget a test moves."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.left = Left(0.5, low=0.4, high=0.5, window="30d")
        self.incidents: Sequence[OpenIncident] = ()

    @property
    def world(self) -> SomeWorld:
        return SomeWorld(
            self.bench.cluster,
            objectives={"web": OBJECTIVE},
            incidents=self.incidents,
            left={"web": self.left},
        )

    def pipeline(self, **policy: Any) -> ChangePipeline:
        rules = replace(POLICY, **policy)
        return ChangePipeline(
            self.bench.journal, self.world, policy=rules, clock=self.bench.clock, actor="ada"
        )

    def plan(self, kind: str, ref: Any = REF, parameters: dict[str, Any] | None = None) -> Plan:
        return self.pipeline().plan(kind, ref, parameters)

    def waiting(self, kind: str = "restart", ref: Any = REF) -> str:
        """A change that waits for a second person."""
        pipeline = self.pipeline(protected=True)
        plan = pipeline.plan(kind, ref)
        with pytest.raises(WaitingForApproval):
            pipeline.execute(plan, TYPED)
        return plan.id

    def approve(self, change_id: str) -> None:
        desk = Approvals(
            self.bench.journal, self.world, policy=replace(POLICY, protected=True), clock=self.bench.clock,
            actor="grace",
        )  # fmt: skip
        desk.approve(desk.check(change_id))


@pytest.fixture
def around(bench: Bench) -> Surroundings:
    return Surroundings(bench)


def shares(plan: Plan) -> list[tuple[str, float, tuple[str, ...] | None]]:
    assert plan.blast.impact is not None
    return [(one.service, one.share, one.zones_left) for one in plan.blast.impact.traffic]


def test_a_workloads_share_is_that_of_the_endpoints_that_end(around: Surroundings) -> None:
    assert shares(around.plan("restart")) == [("ml/fraud", 1.0, ())]
    assert shares(around.plan("scale", REF, {"replicas": 2})) == [("ml/fraud", 0.3333, None)]
    assert shares(around.plan("scale", REF, {"replicas": 5})) == []
    assert shares(around.plan("pause")) == []


def test_what_ends_without_being_named_is_said_not_to_be_known(around: Surroundings) -> None:
    around.bench.cluster.ship(reading(template(2)))
    plan = around.plan("set-config", SETTINGS, {"key": "LEVEL", "value": "debug", "rollout": True})
    assert plan.blast.replicas_ended > 0
    said = [text for text in plan.blast.blind if "the share of traffic is not known" in text]
    why = "the share of traffic is not known (which pods end is not known)"
    assert said == [f"endpoints of {SETTINGS}: {why}"]


def test_a_pod_and_a_node_say_in_which_zones_endpoints_are_left(around: Surroundings) -> None:
    assert shares(around.plan("delete-pod", POD)) == [("ml/fraud", 0.3333, ("z1",))]
    assert shares(around.plan("drain", NODE)) == [("ml/fraud", 1.0, ())]


def test_what_ends_no_pod_takes_no_traffic(around: Surroundings) -> None:
    assert shares(around.plan("set-config", SETTINGS, {"key": "A", "value": "b"})) == []


def test_the_budget_that_is_left_and_what_is_burnt_at_worst(around: Surroundings) -> None:
    plan = around.plan("restart")
    assert plan.blast.impact is not None
    (touched,) = plan.blast.impact.budgets
    assert touched.objective == "web"
    assert touched.left == pytest.approx(0.5)
    # all of the traffic for 20 s, of the 25,920 s that one per cent of thirty days are
    assert touched.burn == pytest.approx(20 / 25_920, rel=1e-3)


def test_incidents_of_the_target_are_named_and_others_are_not(around: Surroundings) -> None:
    elsewhere = OpenIncident("incident #2", "ml", "ml/deploy/other")
    somewhere = OpenIncident("incident #3", "ml", "")
    around.incidents = [HERE, elsewhere, somewhere, OpenIncident("incident #4", "shop", "")]
    plan = around.plan("restart")
    assert plan.blast.impact is not None
    assert plan.blast.impact.incidents == ("incident #1", "incident #3")


def test_what_cannot_be_read_is_said_and_never_zero(around: Surroundings) -> None:
    around.bench.cluster.set(denied=["endpointslices"])
    around.left = Left(None, "Prometheus is silent")
    plan = around.plan("restart")
    assert plan.blast.impact is not None
    assert shares(plan) == []
    (touched,) = plan.blast.impact.budgets
    assert (touched.left, touched.burn) == (None, None)
    said = "; ".join(plan.blast.blind)
    assert "the share of traffic is not known" in said
    assert "error budget of web: Prometheus is silent" in said


def test_the_impact_is_part_of_the_plan_and_of_its_record(around: Surroundings) -> None:
    around.incidents = [HERE]
    pipeline = around.pipeline()
    plan = pipeline.plan("restart", REF)
    assert plan.digest == plan_digest(plan)
    without = replace(plan, blast=replace(plan.blast, impact=None))
    assert plan_digest(without) != plan.digest
    pipeline.execute(plan, YES)
    assert get_change(around.bench.journal, plan.id).plan == plan


def test_an_error_budget_that_burns_on_voids_no_approval(around: Surroundings) -> None:
    """An outage spends it while its rescue waits; what has to be left, the policy says."""
    change_id = around.waiting()
    around.approve(change_id)
    around.left = Left(-4.0)
    assert around.pipeline(protected=True).recover(change_id).state is State.VERIFIED


@pytest.mark.parametrize(
    ("moved", "why"),
    [
        ("incident", "incident #1 was opened since"),
        ("headroom", "disruption budget fraud has no headroom any more"),
    ],
)
@pytest.mark.parametrize("approved", [True, False])
def test_an_approval_is_void_when_what_was_shown_changed(
    around: Surroundings, moved: str, why: str, approved: bool
) -> None:
    """Before it is given, and between it and the carrying out."""
    around.bench.cluster.set(budgets=[["fraud", "app=fraud", 1, 3, 2, 3]])
    change_id = around.waiting()
    if approved:
        around.approve(change_id)
    if moved == "incident":
        around.incidents = [HERE]
    else:
        around.bench.cluster.set(budgets=[["fraud", "app=fraud", 0, 2, 2, 3]])
    go_on = around.pipeline(protected=True).recover if approved else around.approve
    with pytest.raises(StalePlan, match="is no longer so; nothing was done") as raised:
        go_on(change_id)
    assert raised.value.why == why
    assert around.bench.cluster.marks == []
    change = get_change(around.bench.journal, change_id)
    assert (change.state, change.nothing_done) == (State.FAILED, True)


@pytest.mark.parametrize(
    ("spent", "said"), [("shop", ["disruption budget fraud of shop has no headroom any more"]), ("ml", [])]
)
def test_a_budget_is_looked_at_again_in_its_own_namespace(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, spent: str, said: list[str]
) -> None:
    """One of the same name elsewhere is another one."""
    change = get_change(around.bench.journal, around.waiting())
    shown = BudgetHeadroom("fraud", 1, 3, 2, 3, "shop")
    blast = replace(change.plan.blast, budgets=(shown,))
    change = replace(change, plan=replace(change.plan, blast=blast))

    def listed(namespace: str | None) -> Sequence[DisruptionBudget]:
        left = 0 if namespace == spent else 1
        return [DisruptionBudget(str(namespace), "fraud", "app=fraud", left, 2 + left, 2, 3)]

    monkeypatch.setattr(around.bench.cluster, "list_disruption_budgets", listed)
    found = changed_since(around.world, around.bench.journal, change, around.bench.clock.now())
    assert [text for text in found if "budget" in text] == said


def test_a_larger_share_of_the_traffic_voids_it(around: Surroundings) -> None:
    """Of three endpoints one was to end; now it is one of two."""
    change_id = around.waiting("delete-pod", POD)
    with around.bench.cluster.state() as state:
        state["frozen"] = True
        state["ended"].append("pod-uid-2")
    with pytest.raises(StalePlan) as raised:
        around.approve(change_id)
    assert raised.value.why == "it would end 50% of the endpoints of ml/fraud, and 33% was shown"


def test_what_cannot_be_read_any_more_voids_nothing(around: Surroundings) -> None:
    change_id = around.waiting()
    around.bench.cluster.set(denied=["endpointslices"])
    around.left = Left(None, "no")
    around.approve(change_id)
