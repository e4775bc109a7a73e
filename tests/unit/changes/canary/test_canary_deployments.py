"""A canary that is a Deployment beside the stable one: told by pods, started and ended by replicas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.changes.canary import register
from maestro_cli.changes.canary.examination import crashing_pods, examine, traffic_of
from maestro_cli.changes.canary.model import Canary, Rules, Verb
from maestro_cli.changes.model import Plan
from maestro_cli.core.errors import GateNotMet, NotFound
from maestro_cli.core.facts.cluster import Container
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.refs import WorkloadRef
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import BESIDE, REF
from tests.unit.changes.some_world import SomeWorld

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=10)
ASKED = {"share": 0.5, "beside": "stable"}
CANARY = Canary("can-1", REF, "", 0, 0, 0.5, "ada", Rules(), "chg-1", SINCE, beside="stable")


class ByPod:
    """A Prometheus that answers each question from the first text that it holds, by ReplicaSet."""

    def __init__(self, answers: Mapping[str, Mapping[str, float]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.asked.append(promql)
        found = next((answer for text, answer in self._answers.items() if text in promql), {})
        samples = tuple(Sample({"replica_set": name}, value, NOW) for name, value in found.items())
        return Instant(promql, NOW, samples)

    def query_range(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> tuple[()]:
        raise AssertionError("only instants are asked for")


BAD = {
    '5.."': {"fraud-2": 60.0, "stable-2": 9.0, "fraud-1": 500.0},
    "requests_total{": {"fraud-2": 900.0, "stable-2": 900.0, "fraud-1": 900.0, "other-1": 9000.0},
    "_count{": {"fraud-2": 900.0, "stable-2": 900.0},
    "_bucket{": {"fraud-2": 890.0, "stable-2": 890.0},
    "_sum{": {"fraud-2": 9.0, "stable-2": 9.0},
}


def start(bench: Bench) -> Plan:
    plan = bench.pipeline().plan("set-weight", REF, {"share": 0.25, "beside": "stable"})
    register.started(bench.journal, "ada", plan, Rules())
    bench.pipeline().execute(plan, YES)
    return plan


def test_answers_are_counted_by_the_pods_of_the_revision_that_each_runs_now(bench: Bench) -> None:
    metrics = ByPod(BAD)
    traffic = traffic_of(SomeWorld(bench.cluster, prometheus=metrics), REF, "", "stable")
    mine, usual = traffic.tallies(CANARY.arms, Rules(), SINCE, NOW)
    assert (mine.requests, mine.errors, usual.requests, usual.errors) == (900, 60, 900, 9)
    assert all('namespace="ml"' in asked and "model=" not in asked for asked in metrics.asked)
    assert all("replica_set" in asked and "version" not in asked for asked in metrics.asked)


def test_traffic_of_others_in_the_namespace_is_none_of_both(bench: Bench) -> None:
    metrics = ByPod({"rate(": {"fraud-2": 5.0, "stable-2": 15.0, "other-1": 400.0}, **BAD})
    rate, bad = traffic_of(SomeWorld(bench.cluster, prometheus=metrics), REF, "", "stable").rate(NOW)
    assert rate == 20.0
    assert bad == pytest.approx(69 / 1800)


def test_one_that_fails_more_often_is_to_be_taken_back(bench: Bench) -> None:
    world = SomeWorld(bench.cluster, prometheus=ByPod(BAD))
    assert examine(world, CANARY, NOW, None).decision.verb is Verb.ABORT
    good = {**BAD, '5.."': {"fraud-2": 12.0, "stable-2": 12.0}}
    found = examine(SomeWorld(bench.cluster, prometheus=ByPod(good)), CANARY, NOW, None)
    assert next(one for one in found.decision.criteria if one.name == "errors").judgement.passed


def test_the_crashes_of_the_stable_ones_pods_are_not_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Container("server", "i", False, 9, "waiting", reason="CrashLoopBackOff")
    pods = [replace(one, containers=(loop,)) for one in bench.cluster.list_pods("ml")]
    mixed = [*pods[:1], *(replace(one, owner="stable-2") for one in pods[1:])]
    monkeypatch.setattr(bench.cluster, "list_pods", lambda namespace, *, selector="": mixed)
    assert crashing_pods(bench.world, REF) == ("pod-0",)


def test_it_is_found_by_its_deployment_until_it_is_ended(bench: Bench) -> None:
    plan = start(bench)
    found = register.get_running(bench.journal, REF, "")
    assert (found.change, found.beside, found.stable_ref) == (plan.id, "stable", BESIDE)
    assert (found.name, found.stable_name) == ("ml/deploy/fraud", "ml/deploy/stable")
    with pytest.raises(GateNotMet, match="ml/deploy/fraud is a canary of ml/deploy/stable already"):
        register.started(bench.journal, "ada", bench.pipeline().plan("set-weight", REF, ASKED), Rules())
    for other, beside in ((BESIDE, "fraud"), (WorkloadRef("Deployment", "ml", "third"), "fraud")):
        with pytest.raises(GateNotMet, match="ml/deploy/fraud is a canary of ml/deploy/stable already"):
            register.check_free(bench.journal, other, "", beside)
    register.check_free(bench.journal, WorkloadRef("Deployment", "ml", "third"), "", "stable")
    register.check_free(bench.journal, WorkloadRef("Deployment", "shop", "stable"), "", "fraud")
    ending = bench.pipeline().plan("set-weight", REF, {**ASKED, "share": 0})
    register.ending(bench.journal, "ada", found, ending, "aborted")
    bench.pipeline().execute(ending, YES)
    with pytest.raises(NotFound, match="ml/deploy/fraud is no canary"):
        register.get_running(bench.journal, REF, "")
    assert bench.cluster.get_workload(REF).replicas_wanted == 0
