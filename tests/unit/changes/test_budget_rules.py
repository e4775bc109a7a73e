"""Rules of a policy by label and by error budget: what they are about, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.budgets import budgets_of
from maestro_cli.changes.history import get_change
from maestro_cli.changes.left import Left
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.rules import Judgement, judge
from maestro_cli.core.errors import InvalidFile, NoData, PolicyRefused, WaitingForApproval
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.some_world import SomeWorld
from tests.unit.changes.test_gate import plan
from tests.unit.changes.test_rules import ADA, FRIDAY, written

OBJECTIVE = Objective("web", "web", "fraud", 0.99, 2_592_000, Counters("http_total", "http_bad"), {})
SPENT = "budgets: [{name: b, objective: web, left_at_least: 0.1, but: [restart]}]"


def judged(tmp_path: Path, text: str, left: Left | None = None, **values: Any) -> Judgement:
    rules = written(tmp_path, text)
    made = replace(plan(), **values)
    budgets = {} if left is None else {"b": left}
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
        (Left(-2.0), True, False, "the error budget of web is overspent by 200.0%"),
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


HALF_SEEN = "51.0% of its window was seen"


@pytest.mark.parametrize(
    ("left", "refuses", "unknown"),
    [
        (Left(0.9, HALF_SEEN, 0.2, 1.0), False, False),
        (Left(0.9, HALF_SEEN, -400.0, 1.0), True, True),
        (Left(-0.3, HALF_SEEN, -400.0, 0.05), True, False),
    ],
    ids=["enough whatever was not seen", "the bounds cannot decide", "too little whatever was not seen"],
)
def test_what_was_not_seen_refuses_only_where_the_bounds_cannot_decide(
    tmp_path: Path, left: Left, refuses: bool, unknown: bool
) -> None:
    judgement = judged(tmp_path, SPENT, left)
    assert (judgement.refuses, judgement.unknown) == (refuses, unknown)
    if unknown:
        assert HALF_SEEN in judgement.why
        assert "`window: 7d`" in judgement.reason.fix


class TwoWeeksKept(SomeWorld):
    """A Prometheus that keeps two weeks tells nothing of a month."""

    def budget_left(self, objective: Objective) -> Left:
        is_kept = objective.window_seconds <= 14 * 86400
        return Left(0.8) if is_kept else Left(None, "not kept")


def test_a_rule_weighs_the_window_that_it_names(bench: Bench, tmp_path: Path) -> None:
    world = TwoWeeksKept(bench.cluster, objectives={"web": OBJECTIVE})
    text = "budgets: [{name: month, objective: web}, {name: week, objective: web, window: 7d}]"
    assert budgets_of(world, written(tmp_path, text)) == {"month": Left(None, "not kept"), "week": Left(0.8)}


@pytest.mark.parametrize("window", ["soon", "5m", "9999d"])
def test_a_window_that_cannot_be_weighed_is_refused(tmp_path: Path, window: str) -> None:
    with pytest.raises(InvalidFile, match=r"budgets\[0\].window"):
        written(tmp_path, f"budgets: [{{name: b, objective: web, window: {window}}}]")


def test_kinds_that_end_an_outage_are_let_through(tmp_path: Path) -> None:
    judgement = judged(tmp_path, SPENT, Left(-1.0), kind="restart")
    assert (judgement.matched, judgement.why) == (False, "a restart is let through")


def test_two_persons_may_stand_in_for_a_spent_budget_but_not_for_an_unknown_one(tmp_path: Path) -> None:
    text = SPENT.replace("but: [restart]", "two_person: true")
    spent, unknown = judged(tmp_path, text, Left(0.0)), judged(tmp_path, text)
    assert (spent.refuses, spent.asks, unknown.refuses) == (False, True, True)


def test_only_named_objectives_are_asked_for(bench: Bench, tmp_path: Path) -> None:
    world = SomeWorld(bench.cluster, objectives={"web": OBJECTIVE}, left={"web": Left(1.0)})
    assert budgets_of(world, written(tmp_path, "rules: [{name: r}]")) == {}
    rules = written(tmp_path, SPENT + "\nrules: [{name: r}]")
    assert budgets_of(world, rules) == {"b": Left(1.0)}
    assert budgets_of(SomeWorld(bench.cluster), rules)["b"].why.endswith("no objective of that name")


@pytest.mark.parametrize(
    ("left", "more", "error"),
    [
        (Left(-1.0), "", PolicyRefused),
        (Left(None, "silent"), "", NoData),
        (Left(0.9, low=-3.0, high=0.9), "", NoData),
        (Left(-1.0), ", two_person: true", WaitingForApproval),
    ],
    ids=["spent", "not measured", "not seen", "two persons"],
)
def test_the_gate_holds_a_change_by_the_budget(
    bench: Bench, tmp_path: Path, left: Left, more: str, error: type[Exception]
) -> None:
    rules = written(tmp_path, f"budgets: [{{name: b, objective: web{more}}}]")
    world = SomeWorld(bench.cluster, objectives={"web": OBJECTIVE}, left={"web": left})
    pipeline = ChangePipeline(
        bench.journal, world, policy=replace(POLICY, rules=rules), clock=bench.clock, actor="ada"
    )
    with pytest.raises(error):
        pipeline.execute(pipeline.plan("restart", REF), YES)
    assert bench.cluster.marks == []


@pytest.mark.parametrize(
    ("left", "refuses", "unknown"),
    [
        (Left(0.5, low=0.2, high=0.6), False, False),
        (Left(0.5, low=0.05, high=0.6), True, True),
        (Left(0.06, low=0.05, high=0.08), True, False),
    ],
    ids=["enough at least", "perhaps", "too little at most"],
)
def test_what_was_not_seen_is_never_enough_of_a_budget(
    tmp_path: Path, left: Left, refuses: bool, unknown: bool
) -> None:
    found = judged(tmp_path, SPENT, left)
    assert (found.refuses, found.unknown) == (refuses, unknown)
    assert left.words in found.why


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
    budget = "the error budget of web is"
    told = f"{left:.1%} of {budget} left" if left >= 0 else f"{budget} overspent by {-left:.1%}"
    assert told in found.why


BY_STANDING = "budgets: [{name: b, objective: web, by_standing: true}]"


def test_a_rule_by_standing_lets_nothing_through_of_which_some_may_be_left_or_none(tmp_path: Path) -> None:
    found = judged(tmp_path, BY_STANDING, Left(0.9, low=-3.0, high=0.9, window="30d"))
    assert (found.refuses, found.unknown) == (True, True)
    assert "90.0% (none to 90.0% by what was not seen) of the error budget of web of 30d is left" in found.why


@pytest.mark.parametrize(
    ("left", "share", "refuses"),
    [
        (0.9, 0.5, False),
        (0.4, 0.5, True),
        (0.4, 0.1, False),
        (0.4, None, False),
        (0.2, 0.11, True),
    ],
    ids=["normal", "careful", "small", "gives none", "fixes alone"],
)
def test_a_canary_is_small_while_the_budget_stands_careful(
    tmp_path: Path, left: float, share: float | None, refuses: bool
) -> None:
    blast = replace(plan().blast, canary_share=share)
    found = judged(tmp_path, BY_STANDING, Left(left), blast=blast)
    assert found.refuses is refuses
    if refuses:
        assert (found.reason.exit_code, found.reason.fix[:20]) == (20, "give it 0.1 at most,")


def test_a_rule_by_standing_lets_nothing_through_that_is_not_known(tmp_path: Path) -> None:
    found = judged(tmp_path, "budgets: [{name: b, objective: web, by_standing: true}]", Left(None, "gone"))
    assert (found.refuses, found.unknown) == (True, True)


@pytest.mark.parametrize("own", ["left_at_least: 0.5", "two_person: true"])
def test_a_rule_by_standing_has_no_limit_of_its_own(tmp_path: Path, own: str) -> None:
    with pytest.raises(InvalidFile, match="limits of its own"):
        written(tmp_path, f"budgets: [{{name: b, objective: web, by_standing: true, {own}}}]")
