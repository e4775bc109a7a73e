"""Rules of a policy are about everything that a change reaches, whatever object it was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from maestro_cli.changes.model import Plan, Reached, Unread, plan_digest
from maestro_cli.changes.records import plan_from_data, plan_to_data
from maestro_cli.changes.rules import Judgement, judge
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import Refused, WaitingForApproval
from maestro_cli.core.refs import ObjectRef, ref_of, serving_ref, silence_ref
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.every_kind import EXAMPLES, Example
from tests.unit.changes.fake_autoscalers import HPA
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.fake_pods import POD
from tests.unit.changes.test_gate import plan
from tests.unit.changes.test_helm_rollback import HELM, FakeReleases, release
from tests.unit.changes.test_helm_rollback import pipeline as helm_pipeline
from tests.unit.changes.test_rules import ADA, FRIDAY, written

BY_NAME = "targets: ['ml/deploy/fraud*']"
BY_LABEL = "selector: 'money in (yes)'"
ELSEWHERE = ref_of("Deployment", "shop", "cart")
# All but what hides alerts, or only says whether a node takes pods.
REACHING = [one for one in EXAMPLES if one.kind not in ("silence", "unsilence", "cordon", "uncordon")]


@pytest.fixture(autouse=True)
def _labelled(bench: Bench) -> None:
    bench.cluster.set(labels={"money": "yes"})


def two(about: str) -> str:
    return f"rules: [{{name: two, two_person: true, {about}}}]"


def verdict(tmp_path: Path, text: str, made: Plan) -> Judgement:
    """What the only rule of this text says."""
    (judgement,) = judge(written(tmp_path, text), made, ADA, FRIDAY)
    return judgement


def reaching(*reaches: Reached, unread: tuple[Unread, ...] = (), ref: ObjectRef = NODE) -> Plan:
    made = plan(blast={"reaches": reaches, "unread": unread})
    return replace(made, target=replace(made.target, ref=ref))


@pytest.mark.parametrize("rule", [BY_NAME, BY_LABEL], ids=["by name", "by label"])
@pytest.mark.parametrize("example", REACHING, ids=str)
def test_a_rule_for_a_workload_holds_every_kind_that_reaches_it(
    bench: Bench, tmp_path: Path, example: Example, rule: str
) -> None:
    example.prepare(bench.cluster)
    changes = bench.pipeline(rules=written(tmp_path, two(rule)))
    with pytest.raises(WaitingForApproval, match="second person"):
        changes.execute(changes.plan(example.kind, example.ref, example.parameters), YES)
    assert bench.cluster.marks == []


@pytest.mark.parametrize("rule", [BY_NAME, BY_LABEL], ids=["by name", "by label"])
@pytest.mark.parametrize("hidden", [False, True], ids=["seen", "not seen"])
def test_a_rule_for_a_workload_holds_a_rollback_of_its_release(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, hidden: bool
) -> None:
    """Also when only something beside the workload differs, and when its labels may not be read."""
    beside = release(2, version=1)  # another Secret, the same Deployment
    helm = FakeReleases(release(1), beside, release(3, "failed"))
    if hidden:
        monkeypatch.setattr(bench.cluster, "get_workload", _forbidden)
    changes = helm_pipeline(bench, helm, rules=written(tmp_path, two(rule)))
    made = changes.plan("helm-rollback", HELM, {"to_revision": 1})
    with pytest.raises(WaitingForApproval):
        changes.execute(made, YES)
    assert not [one for one in helm.asked if not one[1]]


def test_what_of_a_manifest_cannot_be_read_passes_no_rule(bench: Bench, tmp_path: Path) -> None:
    odd = [replace(release(n), manifest=f"{release(n).manifest}---\n- {{odd: true}}\n") for n in (1, 2)]
    made = helm_pipeline(bench, FakeReleases(*odd)).plan("helm-rollback", HELM)
    assert len(made.blast.unread) == 1
    assert made.blast.unread[0].what.endswith("in the manifest of ml/helm/fraud")
    assert made.blast.unread[0].what in made.blast.blind
    assert verdict(tmp_path, two("targets: ['shop/*']"), made).asks
    assert verdict(tmp_path, "namespaces: [ml]", made).refuses


def test_an_autoscaler_reaches_a_workload_that_may_not_be_read(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.cluster, "get_workload", _forbidden)
    made = bench.pipeline().plan("scale-hpa", HPA, {"max": 9})
    assert verdict(tmp_path, two(BY_NAME), made).asks
    assert verdict(tmp_path, two(BY_LABEL), made).asks
    assert not verdict(tmp_path, two("targets: ['shop/*']"), made).asks


def _forbidden(*_: object, **__: object) -> NoReturn:
    raise Refused("deployments may not be read")


@pytest.mark.parametrize(("kind", "ref"), [("drain", NODE), ("delete-pod", POD)], ids=["drain", "delete-pod"])
def test_pods_whose_workload_may_not_be_read_pass_no_rule_for_workloads(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, ref: ObjectRef
) -> None:
    monkeypatch.setattr(bench.cluster, "list_all_workloads", _forbidden)
    made = bench.pipeline().plan(kind, ref)
    assert "workloads of ml: whose pods end is not known" in made.blast.blind
    judgement = verdict(tmp_path, two(BY_NAME), made)
    assert (judgement.asks, judgement.matched) == (True, True)
    assert judgement.why.startswith("it may be about this, for want of the workloads of ml: ")
    assert verdict(tmp_path, "namespaces: [ml]", made).refuses is False


def test_a_lone_server_passes_no_rule_for_some_targets_and_no_list_of_namespaces(
    bench: Bench, tmp_path: Path
) -> None:
    made = reaching(ref=serving_ref())
    assert verdict(tmp_path, two(BY_NAME), made).asks
    assert verdict(tmp_path, two(BY_LABEL), made).asks
    assert verdict(
        tmp_path, f"freezes: [{{name: f, cron: '* * * * *', duration: 1h, {BY_NAME}}}]", made
    ).refuses
    judgement = verdict(tmp_path, "namespaces: [ml]", made)
    assert (judgement.refuses, judgement.why) == (
        True, "nothing shows that the namespace of server/serving is among ml",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("matchers", "refuses"),
    [
        ("alertname=Slow,namespace=ml", False),
        ("alertname=Slow", True),
        ("alertname=Slow,namespace=shop", True),
        ("alertname=Slow,namespace=~ml", True),
        ("alertname=Slow,namespace!=shop", True),
        ("alertname=Slow,namespace=", True),
    ],
)
def test_a_silence_is_inside_only_where_its_matchers_pin_it(
    tmp_path: Path, matchers: str, refuses: bool
) -> None:
    made = reaching(ref=silence_ref(matchers))
    assert verdict(tmp_path, "namespaces: [ml]", made).refuses is refuses


def test_what_is_reached_in_another_namespace_is_held_by_the_list_of_them(tmp_path: Path) -> None:
    made = reaching(Reached(ELSEWHERE, {}))
    judgement = verdict(tmp_path, "namespaces: [ml]", made)
    assert (judgement.refuses, judgement.why) == (True, "namespace shop is not among ml")
    assert not verdict(tmp_path, "namespaces: [shop]", made).refuses
    assert verdict(tmp_path, "namespaces: [shop]", reaching(unread=(Unread("manifest"),))).refuses


def test_name_and_labels_have_to_be_those_of_one_object(tmp_path: Path) -> None:
    rule = two("targets: ['shop/*'], selector: team=risk")
    other = ref_of("Deployment", "ml", "fraud")
    apart = reaching(Reached(ELSEWHERE, {"team": "web"}), Reached(other, {"team": "risk"}))
    judgement = verdict(tmp_path, rule, apart)
    assert (judgement.matched, judgement.why) == (
        False,
        "it is about shop/* with the labels team=risk, and this changes node/node-a, shop/deploy/cart,"
        " ml/deploy/fraud",
    )
    judgement = verdict(tmp_path, rule, reaching(Reached(ELSEWHERE, {"team": "risk"})))
    assert (judgement.matched, judgement.asks) == (True, True)
    assert judgement.why == "it reaches shop/deploy/cart: a second person has to approve it"
    judgement = verdict(tmp_path, rule, reaching(Reached(ELSEWHERE)))
    assert judgement.why.startswith("it reaches shop/deploy/cart, whose labels are not known: ")


def test_a_freeze_and_a_budget_are_about_what_is_reached(tmp_path: Path) -> None:
    made = reaching(Reached(ELSEWHERE, {}))
    freeze = "freezes: [{name: f, cron: '* * * * *', duration: 1h, targets: ['shop/*']}]"
    assert verdict(tmp_path, freeze, made).why.startswith("it reaches shop/deploy/cart: frozen from ")
    budget = verdict(tmp_path, "budgets: [{name: b, objective: o, targets: ['shop/*']}]", made)
    assert (budget.refuses, budget.unknown) == (True, True)
    assert not verdict(tmp_path, freeze.replace("shop/", "web/"), made).matched


def test_what_is_reached_is_bound_by_the_digest_and_kept(bench: Bench) -> None:
    made = bench.pipeline().plan("drain", NODE)
    assert plan_from_data(plain(plan_to_data(made))).blast == made.blast
    assert plan_digest(plan_from_data(plan_to_data(made))) == made.digest
    other = replace(made, blast=replace(made.blast, reaches=made.blast.reaches[1:]))
    assert plan_digest(other) != made.digest
    unread = replace(made, blast=replace(made.blast, unread=(Unread("x", "ml"),)))
    assert plan_from_data(plan_to_data(unread)).blast == unread.blast
    assert plan_digest(unread) != made.digest
