"""Which objectives guard a workload, and what is asked for where none does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.kinds.set_resources import WATCH_SECONDS
from maestro_cli.changes.left import Left
from maestro_cli.changes.model import plan_digest
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.errors import GateNotMet, NotFound, Refused, StalePlan, UsageError
from maestro_cli.core.facts.cluster import Autoscaler as ClusterAutoscaler
from maestro_cli.core.facts.cluster import ServiceEndpoint
from maestro_cli.core.refs import parse_object_ref, parse_workload_ref
from maestro_cli.cost.rightsizing.advice import Advice
from maestro_cli.cost.rightsizing.evidence import Looked
from maestro_cli.cost.rightsizing.facts import Autoscaler, Fact, Facts
from maestro_cli.cost.rightsizing.guards import BudgetLeft
from maestro_cli.cost.rightsizing.history import Measured
from maestro_cli.cost.rightsizing.krr_rule import KrrSeries
from maestro_cli.cost.rightsizing.model import MIB, ContainerId, Size, WorkloadId
from maestro_cli.cost.rightsizing.sizing import advise
from maestro_cli.journal.store import Journal
from maestro_cli.services.costs.rightsizing import RightsizingWanted, _with_autoscalers
from maestro_cli.services.costs.rightsizing_changes import (
    NO_OBJECTIVE,
    RESIZED_LATELY,
    Course,
    plans_rightsizing,
)
from maestro_cli.services.costs.rightsizing_cluster import ClusterSeen, Guards
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import YES, Bench, TickingClock
from tests.unit.changes.fake_cluster import REF, FakeCluster, template
from tests.unit.cost.rightsizing.usages import DAY, usage

V2 = WorkloadId("shop", "Deployment", "checkout-v2")
OWNERS = {("shop", "checkout-v2-1"): V2, ("shop", "cart-1"): WorkloadId("shop", "Deployment", "cart")}
COUNTERS = Counters("asked_total", "failed_total")
FRAUD = WorkloadId("ml", "Deployment", "fraud")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock, cluster = TickingClock(), FakeCluster()
    cluster.ship(template(1), "release 1")
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    yield Bench(journal, cluster, clock)
    journal.close()


def objective(service: str) -> Objective:
    return Objective(service, "", service, 0.99, 2592000.0, COUNTERS, {"namespace": "shop"})


@dataclass
class Context:
    """A FAKE context: its objectives, what is left of them, and a cluster that tells endpoints or refuses."""

    objectives: dict[str, Objective]
    endpoints: list[ServiceEndpoint] | None = field(default_factory=list)
    has_cluster: bool = True

    @property
    def context(self) -> Any:
        return SimpleNamespace(cluster=object() if self.has_cluster else None)

    @property
    def cluster(self) -> Any:
        return self

    def list_endpoints(self, namespace: str) -> list[ServiceEndpoint]:
        if self.endpoints is None:
            raise Refused("endpointslices are forbidden")
        return self.endpoints

    def budget_left(self, one: Objective) -> Left:
        return Left(0.1, low=0.1, high=0.1)


def guards(context: Context) -> Guards:
    return Guards(cast("Any", context), OWNERS)


def test_an_objective_is_found_by_the_service_that_has_the_pods() -> None:
    behind = [ServiceEndpoint("checkout", "checkout-v2-1", False)]
    context = Context({"a": objective("checkout")}, behind)
    assert guards(context).of(V2) == [BudgetLeft("checkout", 0.1)]
    assert guards(context).of(WorkloadId("shop", "Deployment", "cart")) == []
    assert guards(replace(context, endpoints=[])).of(V2) == []


def test_where_services_may_not_be_read_one_that_may_be_about_it_forbids_cuts() -> None:
    context = Context({"a": objective("checkout"), "b": objective("cart")}, None)
    (found,) = guards(context).of(V2)  # cart is a workload, and its objective is known to be about that
    assert (found.objective, found.share) == ("checkout", None)
    assert "endpointslices are forbidden" in found.why
    assert [one.share for one in guards(context).of(WorkloadId("shop", "Deployment", "cart"))] == [0.1, None]


def test_without_a_cluster_names_of_workloads_are_all_there_is_and_that_is_said() -> None:
    found = guards(Context({"a": objective("cart")}, has_cluster=False))
    assert found.of(V2) == []
    assert "not of Services" in found.notes[0]


def advice(*budgets: BudgetLeft, size: Size | None = None) -> Advice:
    main = ContainerId(FRAUD, "server")
    facts = Facts({main: size or Size(2.0, None, 2048 * MIB, None)}, {FRAUD: 3}, endings=frozenset({main}))
    return advise(FRAUD, [Measured(main, usage(), KrrSeries(), 1.0, 1.0)], facts, budgets, Looked(14 * DAY))


def services(bench: Bench, item: Advice) -> Any:
    return SimpleNamespace(
        workload_ref=lambda *_: REF,
        rightsizing=lambda _: SimpleNamespace(items=(item,)),
        policy=SimpleNamespace(verify_timeout_seconds=20.0),
        changes=bench.pipeline(),
        cluster=bench.cluster,
        journal=bench.journal,
        clock=bench.clock,
    )


def test_a_cut_that_no_objective_guards_is_accepted_by_name(bench: Bench) -> None:
    plan = next(plans_rightsizing(services(bench, advice()), "ml/deploy/fraud", RightsizingWanted()))
    assert [risk.code for risk in plan.risks] == [NO_OBJECTIVE]
    assert plan.digest == plan_digest(plan)
    assert plan.verify.timeout_seconds == 20.0 + WATCH_SECONDS
    with pytest.raises(GateNotMet, match="no objective guards ml/deploy/fraud"):
        bench.pipeline().execute(plan, YES)
    assert bench.cluster.marks == []


def test_a_guarded_cut_and_a_raise_are_not_asked_about(bench: Bench) -> None:
    for item in (advice(BudgetLeft("fraud", 0.9)), advice(size=Size(0.1, None, 100 * MIB, None))):
        plan = next(plans_rightsizing(services(bench, item), "ml/deploy/fraud", RightsizingWanted()))
        assert plan.risks == ()


def test_a_cut_by_what_was_used_under_another_size_is_accepted_by_name(bench: Bench) -> None:
    """Else what is halved at most in one change is halved again each minute."""
    item = advice(BudgetLeft("fraud", 0.9))
    of = services(bench, item)

    def risks(least: str) -> list[str]:
        plan = next(plans_rightsizing(of, "ml/deploy/fraud", RightsizingWanted(least_history=least)))
        assert plan.digest == plan_digest(plan)
        return [risk.code for risk in plan.risks]

    assert risks("7d") == []
    plan = next(plans_rightsizing(of, "ml/deploy/fraud", RightsizingWanted()))
    bench.pipeline().execute(plan, YES)
    item = advice(BudgetLeft("fraud", 0.9), size=Size(3.0, None, 3072 * MIB, None))
    of.rightsizing = lambda _: SimpleNamespace(items=(item,))
    assert risks("7d") == [RESIZED_LATELY]
    of.rightsizing = lambda _: SimpleNamespace(items=(advice(size=Size(0.1, None, 100 * MIB, None)),))
    assert RESIZED_LATELY not in risks("7d")  # a raise
    of.rightsizing = lambda _: SimpleNamespace(items=(item,))
    bench.clock.pass_time(hours=1)
    assert (risks("1h"), risks("2h")) == ([], [RESIZED_LATELY])


@dataclass
class Scaling(Context):
    """A FAKE context whose cluster tells its autoscalers, or refuses to."""

    autoscalers: list[ClusterAutoscaler] | None = field(default_factory=list)

    def list_autoscalers(self, namespace: str | None) -> list[ClusterAutoscaler]:
        if self.autoscalers is None:
            raise Refused("horizontalpodautoscalers are forbidden")
        return [one for one in self.autoscalers if namespace in (None, one.namespace)]


def with_autoscalers(context: Scaling, **told: Autoscaler) -> tuple[Facts, tuple[str, ...]]:
    facts = Facts(autoscalers={WorkloadId("ml", "Deployment", name): of for name, of in told.items()})
    return _with_autoscalers(facts, ClusterSeen(cast("Any", context)), {FRAUD})


def test_autoscalers_that_no_metrics_tell_of_are_asked_for_in_the_cluster() -> None:
    mine, other = (
        ClusterAutoscaler("ml", name, "Deployment", name, 2, 4, shares={"cpu": 80}, others=("queue",))
        for name in ("fraud", "cart")
    )
    facts, notes = with_autoscalers(Scaling({}, autoscalers=[mine, other]))
    asked = Autoscaler("fraud", 2, 4, 80, None, ("queue",), is_asked=True)
    assert (facts.autoscalers, facts.autoscalers_untold, notes) == ({FRAUD: asked}, "", ())
    told = Autoscaler("fraud", 2, 4, 60)
    facts, _ = with_autoscalers(Scaling({}, autoscalers=[mine]), fraud=told)
    assert facts.autoscalers == {FRAUD: told}


def test_where_autoscalers_may_not_be_read_nothing_is_cut() -> None:
    facts, notes = with_autoscalers(Scaling({}, autoscalers=None))
    assert "horizontalpodautoscalers are forbidden" in notes[0]
    main = ContainerId(FRAUD, "server")
    facts = replace(
        facts, sizes={main: Size(2.0, None, 2048 * MIB, None)}, replicas={FRAUD: 3}, endings=frozenset({main})
    )
    measured = [Measured(main, usage(), KrrSeries(), 1.0, 1.0)]
    (one,) = advise(FRAUD, measured, facts, [BudgetLeft("fraud", 0.9)], Looked(14 * DAY)).containers
    for step in (one.cpu, one.memory):
        assert (step.next, [reason.code for reason in step.reasons]) == (step.now, ["autoscaler-unknown"])
    facts, notes = with_autoscalers(Scaling({}, has_cluster=False))
    assert (facts.autoscalers_untold, len(notes)) == ("", 1)
    facts, notes = with_autoscalers(Scaling({}, autoscalers=None), cart=Autoscaler("cart"))
    assert (facts.autoscalers_untold, notes) == ("", ())  # metrics tell of autoscalers


def scaled(target: float = 60.0) -> Advice:
    main = ContainerId(FRAUD, "server")
    facts = Facts(
        {main: Size(1.0, None, 200 * MIB, None)}, {FRAUD: 3}, {FRAUD: Autoscaler("fraud", 2, 4, target)},
        endings=frozenset({main}),
    )  # fmt: skip
    measured = [Measured(main, usage(0.6), KrrSeries(), 1.0, 1.0)]
    return advise(FRAUD, measured, facts, [BudgetLeft("fraud", 0.9)], Looked(14 * DAY))


def course(bench: Bench, item: Advice, *more: str) -> Course:
    found = services(bench, item)
    found.workload_ref = lambda text, _: parse_workload_ref(text)
    return Course(found, ("ml/deploy/fraud", *more), RightsizingWanted())


def test_what_is_left_is_told_as_commands(bench: Bench) -> None:
    """The target that goes with new resources first: without it an autoscaler scales at another use."""
    one = course(bench, advice(BudgetLeft("fraud", 0.9)))
    look = "--window 14d --least-history 7d"
    plans = one.plans()
    next(plans)
    assert one.rest() == f"maestro cost rightsize apply ml/deploy/fraud {look}"
    assert next(plans, None) is None
    assert not one.rest()
    scaling = course(bench, scaled())
    plans = scaling.plans()
    next(plans)
    assert scaling.rest() == f"maestro cost rightsize apply ml/deploy/fraud {look}"
    next(plans)
    assert scaling.rest() == "maestro set hpa -n ml fraud --cpu 86"


def test_no_workload_is_set_where_another_is_unknown_or_there_twice(bench: Bench) -> None:
    with pytest.raises(NotFound):
        course(bench, advice(), "ml/deploy/nobody")
    with pytest.raises(UsageError, match="named twice"):
        course(bench, advice(), "ml/deployment/fraud")


def test_the_target_of_an_autoscaler_is_set_after_the_resources(bench: Bench) -> None:
    """Requests fall from 1000m to 690m: 60 % of that was, 86 % of this is the same use."""
    pipeline = bench.pipeline()
    plans = course(bench, scaled()).plans()
    first = next(plans)
    assert (first.kind, first.digest) == ("set-resources", plan_digest(first))
    assert "goes from 60 % to 86 % of the CPU request" in first.notes[-1]
    second = next(plans)
    assert (second.kind, second.parameters["cpu"]) == ("scale-hpa", 86)
    pipeline.execute(second, YES)
    assert bench.cluster.get_autoscaler("ml", "fraud").cpu_target == 86
    assert next(plans, None) is None


def test_a_target_that_went_stale_keeps_bounds_that_somebody_moved_and_no_other_target(bench: Bench) -> None:
    plans = course(bench, scaled()).plans()
    next(plans)
    assert next(plans).parameters["max"] == 4
    ref = parse_object_ref("hpa/fraud", namespace="ml")
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("scale-hpa", ref, {"max": 5}), YES)
    assert plans.throw(StalePlan("it changed")).parameters == {"min": 2, "max": 5, "cpu": 86}
    pipeline.execute(pipeline.plan("scale-hpa", ref, {"cpu": 75}), YES)
    with pytest.raises(GateNotMet, match="scales at 75 % and not at 60 %"):
        plans.throw(StalePlan("it changed"))


def test_nothing_is_set_where_the_target_is_another_than_the_metrics_say(bench: Bench) -> None:
    with pytest.raises(GateNotMet, match="scales at 60 % and not at 50 %"):
        next(course(bench, scaled(50.0)).plans())


def test_a_guarded_workload_says_by_what() -> None:
    (fact,) = advice(BudgetLeft("fraud", 0.9)).budgets
    assert fact == Fact("error budget of fraud that is left", "maestro slo budget fraud", 0.9)
