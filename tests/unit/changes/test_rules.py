"""Each rule of a policy says whether it matched and why; the gate refuses with its file and line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.gate import Findings, decide
from maestro_cli.changes.model import Gate
from maestro_cli.changes.policy import Policy, UndoPolicy, policy_for
from maestro_cli.changes.policy_file import PolicyRules, load_policy
from maestro_cli.changes.records import decision_error
from maestro_cli.changes.rules import Caller, Judgement, judge
from maestro_cli.config.settings import Context
from maestro_cli.core.errors import InvalidFile, PolicyRefused, WaitingForApproval
from maestro_cli.core.refs import ObjectRef
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.test_gate import OPEN, plan

HEAD = "schema: maestro.policy/1\n"
FRIDAY = datetime(2026, 11, 27, 18, tzinfo=UTC)
ADA = Caller("ada")


def written(tmp_path: Path, text: str) -> PolicyRules:
    path = tmp_path / "policy.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_policy(path)


def judged(tmp_path: Path, text: str, caller: Caller = ADA, **values: Any) -> Judgement:
    """What the only rule of this text says of a rollback of ml/deploy/fraud that ends 3 of 10 replicas."""
    (judgement,) = judge(written(tmp_path, text), plan(**values), caller, FRIDAY)
    return judgement


@pytest.mark.parametrize(
    ("text", "matched", "refuses", "why"),
    [
        ("namespaces: [ml, shop]", True, False, "namespace ml may be changed"),
        ("namespaces: [shop]", True, True, "namespace ml is not among shop"),
        ("namespaces: []", True, True, "namespace ml is not among none"),
        ("rules: [{name: r, kinds: [scale]}]", False, False, "it is about scale, and this is a rollback"),
        ("rules: [{name: r, targets: ['shop/*']}]", False, False, "this changes ml/deploy/fraud"),
        ("rules: [{name: r, targets: ['ml/deploy/*']}]", True, False, "nothing in it speaks against"),
        ("rules: [{name: r, who: ['ad*']}]", True, False, "nothing in it speaks against"),
        ("rules: [{name: r, who: [grace]}]", True, True, "ada is not among grace"),
        ("rules: [{name: r, who: []}]", True, True, "ada is not among nobody"),
        ("rules: [{name: r, max_share: 0.3}]", True, False, "nothing in it speaks against"),
        ("rules: [{name: r, max_share: 0.2}]", True, True, "ends 30% of the namespace's pods, at most 20%"),
        ("rules: [{name: r, max_replicas: 3}]", True, False, "nothing in it speaks against"),
        ("rules: [{name: r, max_replicas: 2}]", True, True, "it ends 3 replicas, at most 2 may"),
        (
            "freezes: [{name: f, cron: '0 16 * * fri', duration: 64h}]",
            True, True, "frozen from 2026-11-27 16:00 to 2026-11-30 08:00 UTC",
        ),
        (
            "freezes: [{name: f, cron: '0 16 * * fri', duration: 2h}]",
            False, False, "at Fri 18:00 UTC it does not hold",
        ),
        (
            "freezes: [{name: f, cron: '0 18 * * fri', duration: 1h, zone: Europe/Berlin}]",
            False, False, "at Fri 19:00 Europe/Berlin it does not hold",
        ),
        (
            "freezes: [{name: f, cron: '* * * * *', duration: 1h, but: [rollback]}]",
            False, False, "a rollback is let through",
        ),
    ],
)  # fmt: skip
def test_a_rule_says_whether_it_matched_and_why(
    tmp_path: Path, text: str, matched: bool, refuses: bool, why: str
) -> None:
    judgement = judged(tmp_path, text)
    assert (judgement.matched, judgement.refuses, judgement.asks) == (matched, refuses, False)
    assert why in judgement.why
    assert judgement.place == f"{tmp_path}/policy.yaml:2"


def test_the_clusters_word_on_who_it_is_goes_before_the_name(tmp_path: Path) -> None:
    text = "rules: [{name: r, who: [ada]}]"
    assert judged(tmp_path, text, Caller("ada", "intern@corp")).refuses
    assert not judged(tmp_path, text, Caller("root", "ada")).refuses


def test_what_is_not_known_does_not_pass_a_cap(tmp_path: Path) -> None:
    made = plan()
    made = replace(made, blast=replace(made.blast, namespace_share=None))
    (judgement,) = judge(written(tmp_path, "rules: [{name: r, max_share: 1.0}]"), made, ADA, FRIDAY)
    assert judgement.refuses


def test_a_node_is_not_held_by_the_list_of_namespaces(tmp_path: Path) -> None:
    made = plan()
    made = replace(made, target=replace(made.target, ref=NODE))
    (judgement,) = judge(written(tmp_path, "namespaces: [shop]"), made, ADA, FRIDAY)
    assert (judgement.matched, judgement.refuses) == (False, False)


@pytest.mark.parametrize("ref", [NODE, REF], ids=str)
def test_what_ends_in_another_namespace_is_held_by_the_list_of_them(tmp_path: Path, ref: ObjectRef) -> None:
    made = plan(blast={"namespaces": ("ml", "shop")})
    made = replace(made, target=replace(made.target, ref=ref))
    (judgement,) = judge(written(tmp_path, "namespaces: [ml]"), made, ADA, FRIDAY)
    assert (judgement.refuses, judgement.why) == (True, "namespace shop is not among ml")
    (judgement,) = judge(written(tmp_path, "namespaces: [ml, shop]"), made, ADA, FRIDAY)
    assert (judgement.matched, judgement.refuses) == (True, False)


def test_the_gate_refuses_20_and_names_the_rule_with_its_line(tmp_path: Path) -> None:
    rules = written(tmp_path, "rules:\n  - name: few\n    max_replicas: 1\n  - name: fine\n")
    decision = decide(plan(), OPEN, YES, Findings(judged=judge(rules, plan(), ADA, FRIDAY)))
    error = decision_error(decision)
    assert (error.exit_code, [reason.code for reason in decision.reasons]) == (20, ["policy"])
    assert error.what == "the policy's rule 'few' refuses this change"
    assert error.why == f"{tmp_path}/policy.yaml:3: it ends 3 replicas, at most 1 may"


def test_a_two_person_rule_waits_and_a_refusal_goes_before_it(tmp_path: Path) -> None:
    both = "rules:\n  - {name: two, two_person: true}\n"
    waits = decide(plan(), OPEN, YES, Findings(judged=judge(written(tmp_path, both), plan(), ADA, FRIDAY)))
    assert waits.outcome is Gate.WAITING
    assert "policy.yaml:3: the policy's rule 'two' asks for two" in waits.reasons[0].why
    both += "  - {name: nobody, who: []}\n"
    rules = written(tmp_path, both)
    refused = decide(plan(), OPEN, YES, Findings(judged=judge(rules, plan(), ADA, FRIDAY)))
    assert refused.outcome is Gate.REFUSED


@pytest.mark.parametrize(
    ("text", "line", "key", "fix"),
    [
        ("rule: []", 2, "rule", "did you mean 'rules'?"),
        ("rules:\n  - {name: r, kinds: [rolback]}", 3, "rules[0].kinds[0]", "did you mean 'rollback'?"),
        ("rules:\n  - {name: r, two_persons: true}", 3, "rules[0].two_persons", "did you mean 'two_person'?"),
        ("rules:\n  - {name: r}\n  - {name: r}", 4, "rules[1].name", "a name of its own"),
        ("rules:\n  - {name: r, max_share: 1.5}", 3, "rules[0].max_share", ""),
        ("rules:\n  - {name: r, approvers: [ada]}", 3, "rules[0].approvers", "add two_person: true"),
        ("namespaces: [mӏ]", 2, "namespaces[0]", "a-z"),
        ("rules:\n  - {name: r, targets: [ml/deployment/x]}", 3, "rules[0].targets[0]", "write ml/deploy/x"),
        ("rules:\n  - {name: r, targets: ['ml/*', deploy/x]}", 3, "rules[0].targets[1]", "write */deploy/x"),
        ("budgets:\n  - {name: b, objective: o, targets: [x]}", 3, "budgets[0].targets[0]", "*/deploy/x"),
        ("freezes:\n  - {name: f, cron: '0 1 30 2 *', duration: 1h}", 3, "freezes[0].cron", "0 16 * * fri"),
        ("freezes:\n  - {name: f, cron: '0 25 * * *', duration: 1h}", 3, "freezes[0].cron", "0 16 * * fri"),
        ("freezes:\n  - {name: f, cron: '0 1 * * *', duration: 1x}", 3, "freezes[0].duration", "64h"),
        ("freezes:\n  - {name: f, cron: '0 1 * * *', duration: 32d}", 3, "freezes[0].duration", ""),
        (
            "freezes:\n  - {name: f, cron: '0 1 * * *', duration: 1h, zone: Europe/Berln}",
            3, "freezes[0].zone", "Europe/Berlin",
        ),
    ],
)  # fmt: skip
def test_a_wrong_policy_names_file_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, fix: str
) -> None:
    with pytest.raises(InvalidFile) as raised:
        written(tmp_path, text)
    assert raised.value.where == f"{tmp_path}/policy.yaml:{line}"
    assert raised.value.key == key
    assert fix in raised.value.fix


@pytest.mark.parametrize(
    "target",
    ["*", "ml*", "ml/*", "*/fraud", "ml/deploy/*", "*/sts/?", "node/a", "server/serving", "ml/configmap/x",
     "silence/deployment=x", "ml/service/x", "clusterrole/x", "[mn]l/helm/x"],
)  # fmt: skip
def test_a_target_that_something_can_be_called_is_taken(tmp_path: Path, target: str) -> None:
    assert written(tmp_path, f"rules:\n  - {{name: r, targets: ['{target}']}}\n").content.rules


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("schema: maestro.policy/2\n", encoding="utf-8")
    with pytest.raises(InvalidFile, match="not one of the choices"):
        load_policy(path)


@pytest.mark.parametrize("switch", ["read_only", "protected"])
def test_a_file_can_only_make_a_context_stricter(tmp_path: Path, switch: str) -> None:
    written(tmp_path, f"{switch}: true\n")
    strict = policy_for("x", Context(policy=str(tmp_path / "policy.yaml")), {})
    assert getattr(strict, switch) is True
    written(tmp_path, f"{switch}: false\n")
    context = Context(policy=str(tmp_path / "policy.yaml"), read_only=True, protected=True)
    assert getattr(policy_for("x", context, {}), switch) is True


def test_without_its_policy_file_nothing_is_changed(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="cannot be read"):
        policy_for("x", Context(policy=str(tmp_path / "gone.yaml")), {})


def test_a_change_under_a_policy_is_refused_and_waits_as_it_says(bench: Bench, tmp_path: Path) -> None:
    rules = written(tmp_path, "rules:\n  - {name: two, kinds: [scale], two_person: true, who: [ada]}\n")
    ada, eve = bench.pipeline(rules=rules), bench.pipeline(rules=rules, actor="eve")
    with pytest.raises(PolicyRefused, match="'two' refuses"):
        eve.execute(eve.plan("scale", REF, {"replicas": 4}), YES)
    with pytest.raises(WaitingForApproval):
        ada.execute(ada.plan("scale", REF, {"replicas": 4}), YES)
    assert bench.cluster.marks == []
    assert ada.execute(ada.plan("restart", REF), YES).applied_at is not None


def test_only_those_named_may_approve(bench: Bench, tmp_path: Path) -> None:
    rules = written(tmp_path, "rules:\n  - {name: two, two_person: true, approvers: ['*@leads']}\n")
    ada = bench.pipeline(rules=rules)
    plan = ada.plan("restart", REF)
    with pytest.raises(WaitingForApproval):
        ada.execute(plan, YES)

    def second(actor: str) -> Approvals:
        return Approvals(bench.journal, bench.world, policy=ada.policy, clock=bench.clock, actor=actor)

    with pytest.raises(PolicyRefused, match="eve may not approve") as raised:
        second("eve").check(plan.id)
    assert "policy.yaml:3: the policy's rule 'two' names who may" in raised.value.why
    grace = second("grace@leads")
    grace.approve(grace.check(plan.id))
    assert ada.recover(plan.id).applied_at is not None


@pytest.mark.parametrize("undo", list(UndoPolicy))
def test_the_file_says_what_becomes_of_a_change_that_did_not_hold(tmp_path: Path, undo: UndoPolicy) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"schema: maestro.policy/1\nundo: {undo.value}\n")
    assert policy_for("x", Context(policy=str(file)), {}).undo is undo


def test_an_approval_under_another_policy_counts_only_by_the_requesters(bench: Bench, tmp_path: Path) -> None:
    """Eve's own configuration names no policy; what she approves there is held against the rule here."""
    rules = written(tmp_path, "rules:\n  - {name: two, two_person: true, approvers: ['*@leads']}\n")
    ada = bench.pipeline(rules=rules)
    plan = ada.plan("restart", REF)
    with pytest.raises(WaitingForApproval):
        ada.execute(plan, YES)

    def second(actor: str, policy: Policy) -> Approvals:
        return Approvals(bench.journal, bench.world, policy=policy, clock=bench.clock, actor=actor)

    eve = second("eve", replace(ada.policy, rules=None))
    eve.approve(eve.check(plan.id))
    with pytest.raises(WaitingForApproval, match="second person") as raised:
        ada.recover(plan.id)
    assert "eve approved it, and is none of those whom the rule 'two' names" in raised.value.why
    assert bench.cluster.marks == []
    grace = second("grace@leads", ada.policy)
    grace.approve(grace.check(plan.id))
    assert ada.recover(plan.id).applied_at is not None
