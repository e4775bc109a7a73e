"""Rules of a policy by label and by error budget: what they are about, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.budgets import budgets_of, left_of
from maestro_cli.changes.history import get_change
from maestro_cli.changes.left import Left
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.rules import Judgement, judge
from maestro_cli.core.errors import InvalidFile, NoData, PolicyRefused, Unreachable, WaitingForApproval
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.some_world import SomeWorld
from tests.unit.changes.test_gate import plan
from tests.unit.changes.test_rules import ADA, FRIDAY, written

AT = datetime(2026, 3, 1, tzinfo=UTC)
OBJECTIVE = Objective("web", "web", "fraud", 0.99, 2_592_000, Counters("http_total", "http_bad"), {})
SPENT = "budgets: [{name: b, objective: web, left_at_least: 0.1, but: [restart]}]"


class Ratio:
    """A Prometheus that knows one error ratio, or raises."""

    def __init__(self, *values: float, error: Exception | None = None) -> None:
        self.values, self.error = values, error
        self.asked: list[str] = []

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        self.asked.append(promql)
        if self.error is not None:
            raise self.error
        return Instant(promql, AT, tuple(Sample({}, value, AT) for value in self.values))

    def query_range(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Any:
        raise AssertionError("not asked")


def judged(tmp_path: Path, text: str, left: Left | None = None, **values: Any) -> Judgement:
    rules = written(tmp_path, text)
    made = replace(plan(), **values)
    budgets = {} if left is None else {"web": left}
    (judgement,) = judge(rules, made, ADA, FRIDAY, budgets)
    return judgement


@pytest.mark.parametrize(
    ("selector", "matched"),
    [("app=fraud", True), ("app=fraud,tier in (web,api)", True), ("tier=db", False), ("!app", False)],
)
@pytest.mark.parametrize(
    "text", ["rules: [{{name: r, who: [], selector: '{}'}}]",
             "freezes: [{{name: f, cron: '0 16 * * fri', duration: 64h, selector: '{}'}}]",
             "budgets: [{{name: b, objective: web, selector: '{}'}}]"],
)  # fmt: skip
def test_a_rule_is_about_what_has_its_labels(tmp_path: Path, text: str, selector: str, matched: bool) -> None:
    labels = {"app": "fraud", "tier": "web"}
    judgement = judged(tmp_path, text.format(selector), Left(-1.0), labels=labels)
    assert (judgement.matched, judgement.refuses) == (matched, matched)
    if not matched:
        assert judgement.why == f"it is about what has the labels {selector}, and ml/deploy/fraud has not"


def test_the_labels_are_those_of_the_plan_and_bound_by_its_digest(bench: Bench) -> None:
    bench.cluster.set(labels={"app": "fraud"})
    made = bench.pipeline().plan("restart", REF)
    assert made.labels == {"app": "fraud"}
    with pytest.raises(Exception, match="not what its digest says"):
        bench.pipeline().execute(replace(made, labels={}), YES)
    bench.pipeline().execute(made, YES)
    assert get_change(bench.journal, made.id).plan.labels == {"app": "fraud"}


def test_a_selector_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"rules\[0\].selector.*is not a label requirement"):
        written(tmp_path, "rules: [{name: r, selector: 'app in fraud'}]")


@pytest.mark.parametrize(
    ("left", "refuses", "unknown", "why"),
    [
        (Left(0.5), False, False, "50.0% of the error budget of web is left"),
        (Left(0.1), False, False, "10.0% of the error budget of web is left"),
        (Left(0.09), True, False, "9.0% of the error budget of web is left, more than 10% is wanted"),
        (Left(-2.0), True, False, "-200.0% of the error budget"),
        (Left(None, "silent"), True, True, "what is left of the error budget of web is not known: silent"),
        (None, True, True, "it was not measured"),
    ],
)
def test_a_spent_budget_refuses_and_an_unknown_one_does_too(
    tmp_path: Path, left: Left | None, refuses: bool, unknown: bool, why: str
) -> None:
    judgement = judged(tmp_path, SPENT, left)
    assert (judgement.refuses, judgement.unknown) == (refuses, unknown)
    assert why in judgement.why
    if refuses:
        assert judgement.reason.exit_code == (15 if unknown else 20)


def test_kinds_that_end_an_outage_are_let_through(tmp_path: Path) -> None:
    judgement = judged(tmp_path, SPENT, Left(-1.0), kind="restart")
    assert (judgement.matched, judgement.why) == (False, "a restart is let through")


def test_two_persons_may_stand_in_for_a_spent_budget_but_not_for_an_unknown_one(tmp_path: Path) -> None:
    text = SPENT.replace("but: [restart]", "two_person: true")
    spent, unknown = judged(tmp_path, text, Left(0.0)), judged(tmp_path, text)
    assert (spent.refuses, spent.asks, unknown.refuses) == (False, True, True)


@pytest.mark.parametrize(
    ("metrics", "left", "why"),
    [
        (Ratio(0.005), 0.5, ""),
        (Ratio(0.02), -1.0, ""),
        (Ratio(float("nan")), None, "Prometheus has no data for it"),
        (Ratio(), None, "Prometheus has no data for it"),
        (Ratio(0.1, 0.2), None, "Prometheus has no data for it"),
        (Ratio(error=Unreachable("it is silent")), None, "it is silent"),
        (None, None, "context test has no prometheus"),
    ],
)
def test_what_is_left_is_measured_over_the_window(
    bench: Bench, metrics: Ratio | None, left: float | None, why: str
) -> None:
    found = left_of(SomeWorld(bench.cluster, metrics), OBJECTIVE)
    assert (found.share if found.share is None else round(found.share, 9), found.why) == (left, why)
    if metrics is not None:
        assert "http_bad[30d]" in metrics.asked[0]


def test_only_named_objectives_are_asked_for(bench: Bench, tmp_path: Path) -> None:
    metrics = Ratio(0.0)
    world = SomeWorld(bench.cluster, metrics, objectives={"web": OBJECTIVE})
    assert budgets_of(world, written(tmp_path, "rules: [{name: r}]")) == {}
    assert metrics.asked == []
    rules = written(tmp_path, SPENT + "\nrules: [{name: r}]")
    assert budgets_of(world, rules) == {"web": Left(1.0)}
    assert budgets_of(SomeWorld(bench.cluster, metrics), rules)["web"].why.endswith(
        "no objective of that name"
    )


def test_a_rule_by_standing_asks_for_what_is_left_whatever_was_not_seen(bench: Bench, tmp_path: Path) -> None:
    metrics, left = Ratio(0.0), Left(None, "0.1% of its window was seen")
    world = SomeWorld(bench.cluster, metrics, objectives={"web": OBJECTIVE}, left={"web": left})
    rules = written(tmp_path, "budgets: [{name: b, objective: web, by_standing: true}]")
    assert budgets_of(world, rules) == {"web": left}
    assert metrics.asked == []


@pytest.mark.parametrize(
    ("ratio", "more", "error"),
    [(0.02, "", PolicyRefused), (float("nan"), "", NoData), (0.02, ", two_person: true", WaitingForApproval)],
)
def test_the_gate_holds_a_change_by_the_budget(
    bench: Bench, tmp_path: Path, ratio: float, more: str, error: type[Exception]
) -> None:
    rules = written(tmp_path, f"budgets: [{{name: b, objective: web{more}}}]")
    world = SomeWorld(bench.cluster, Ratio(ratio), objectives={"web": OBJECTIVE})
    pipeline = ChangePipeline(
        bench.journal, world, policy=replace(POLICY, rules=rules), clock=bench.clock, actor="ada"
    )
    with pytest.raises(error):
        pipeline.execute(pipeline.plan("restart", REF), YES)
    assert bench.cluster.marks == []


@pytest.mark.parametrize(
    ("left", "refuses", "asks"),
    [(0.9, False, False), (0.3, False, False), (0.2, False, True), (0.0, True, False), (-1.0, True, False)],
    ids=["normal", "careful", "fixes alone", "spent", "overspent"],
)
def test_a_rule_by_standing_has_the_limits_of_the_budget_policy(
    tmp_path: Path, left: float, refuses: bool, asks: bool
) -> None:
    found = judged(tmp_path, "budgets: [{name: b, objective: web, by_standing: true}]", Left(left))
    assert (found.refuses, found.asks) == (refuses, asks)
    assert f"{left:.1%} of the error budget of web is left" in found.why


def test_a_rule_by_standing_lets_nothing_through_that_is_not_known(tmp_path: Path) -> None:
    found = judged(tmp_path, "budgets: [{name: b, objective: web, by_standing: true}]", Left(None, "gone"))
    assert (found.refuses, found.unknown) == (True, True)


@pytest.mark.parametrize("own", ["left_at_least: 0.5", "two_person: true"])
def test_a_rule_by_standing_has_no_limit_of_its_own(tmp_path: Path, own: str) -> None:
    with pytest.raises(InvalidFile, match="limits of its own"):
        written(tmp_path, f"budgets: [{{name: b, objective: web, by_standing: true, {own}}}]")
