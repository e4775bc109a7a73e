"""The gate is a pure function; each reason has its code, and all are given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.changes.gate import Findings, decide
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.model import (
    BlastRadius,
    BudgetHeadroom,
    Condition,
    Consent,
    Diff,
    Gate,
    GateReason,
    Plan,
    RecentChange,
    Target,
    Undo,
    plan_digest,
)
from maestro_cli.changes.policy import Policy, policy_for
from maestro_cli.changes.records import decision_error, decision_from_data
from maestro_cli.config.settings import Context
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.cluster import AccessAnswer
from maestro_cli.core.refs import WorkloadRef

REF = WorkloadRef("Deployment", "ml", "fraud")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN = Policy(context="staging")
YES = Consent(given=True)
TIGHT = BudgetHeadroom("fraud", allowed=0, healthy=3, desired_healthy=3, expected=3)


def plan(**values: Any) -> Plan:
    facts = {"after": 3, "ended": 3, **values.pop("blast", {})}
    blast = BlastRadius(1, 3, facts.pop("after"), facts.pop("ended"), 10, 0.3, **facts)
    made = Plan(
        "chg-1", "rollback", Target(REF, "uid", "7", 3, "state"), {"to_revision": 1}, "roll back", Diff(),
        blast,
        Undo("rollback", {"to_revision": 2}, "roll forward"), Condition("rolled out", 300), True,
        "after", NOON,
    )  # fmt: skip
    made = replace(made, **values)
    return replace(made, digest=plan_digest(made))


def against(code: str) -> GateReason:
    return GateReason(code, ExitCode.GATE_NOT_MET, f"{code} speaks against it")


def codes(made: Plan, policy: Policy = OPEN, consent: Consent = YES, **findings: Any) -> list[str]:
    return [reason.code for reason in decide(made, policy, consent, Findings(**findings)).reasons]


def test_nothing_against_it_is_allowed() -> None:
    assert decide(plan(), OPEN, YES, Findings()).outcome is Gate.ALLOWED


def test_every_reason_is_given_and_the_gravest_ends_it() -> None:
    policy = replace(OPEN, read_only=True, protected=True, max_replicas_share=0.2)
    denied = AccessAnswer(False, "patch", "deployments.apps", "no role")
    made = plan(objections=(against("paused"), against("autoscaler")), blast={"budgets": (TIGHT,)})
    decision = decide(made, policy, Consent(given=False), Findings((denied,), against("repeated")))
    assert [reason.code for reason in decision.reasons] == [
        "read-only", "blast-radius", "access", "paused", "autoscaler", "disruption-budget", "repeated",
        "consent", "protected",
    ]  # fmt: skip
    assert decision_error(decision).exit_code == 20
    assert decision_from_data(plain(decision)) == decision


def test_yes_does_not_open_a_protected_context() -> None:
    policy = replace(OPEN, protected=True)
    assert codes(plan(), policy) == ["protected"]
    assert codes(plan(), policy, replace(YES, typed_context="prod")) == ["protected"]
    assert codes(plan(), policy, replace(YES, typed_context="staging")) == []


def test_what_cannot_be_undone_waits_for_a_second_person_in_a_protected_context() -> None:
    policy = replace(OPEN, protected=True)
    decision = decide(plan(undo=None), policy, replace(YES, typed_context="staging"), Findings())
    assert decision.outcome is Gate.WAITING
    assert decision_error(decision).exit_code == 17


def test_no_headroom_is_held_against_a_workload_that_is_well() -> None:
    made = plan(blast={"budgets": (TIGHT,)})
    assert codes(made) == ["disruption-budget"]
    accepting = replace(YES, accepts=frozenset({"disruption-budget"}))
    accepted = decide(made, OPEN, accepting, Findings())
    assert accepted.allowed
    assert "the risk was accepted" in accepted.warnings[0]


def test_no_headroom_never_stops_a_rescue() -> None:
    rescue = decide(plan(was_up=False, blast={"budgets": (TIGHT,)}), OPEN, YES, Findings())
    assert rescue.allowed
    assert "not held against a rescue" in rescue.warnings[0]


def test_headroom_is_that_of_the_tightest_budget() -> None:
    wide = replace(TIGHT, name="wide", allowed=2)
    assert codes(plan(blast={"budgets": (wide,)})) == []
    assert codes(plan(blast={"budgets": (wide, TIGHT)})) == ["disruption-budget"]


@pytest.mark.parametrize(("cap", "refused"), [(1.0, False), (0.3, False), (0.29, True)])
def test_the_cap_on_the_share_of_replicas(cap: float, refused: bool) -> None:
    assert codes(plan(), replace(OPEN, max_replicas_share=cap)) == (["blast-radius"] if refused else [])


def test_a_share_that_cannot_be_read_does_not_pass_a_cap() -> None:
    made = plan()
    made = replace(made, blast=replace(made.blast, namespace_share=None, blind=("pods of ml: unknown",)))
    made = replace(made, digest=plan_digest(made))
    assert codes(made, replace(OPEN, max_replicas_share=0.9)) == ["blast-radius"]
    assert codes(made) == []
    assert decide(made, OPEN, YES, Findings()).warnings == ("could not read the pods of ml: unknown",)


def test_only_a_rollback_that_is_not_pinned_minds_another_within_the_hour() -> None:
    before = RecentChange("chg-0", "rollback", "ada", "verified", NOON)
    found = {name: kind.repetition(plan(), before) for name, kind in KINDS.items()}
    minding = [name for name, reason in found.items() if reason is not None]
    assert minding == ["rollback", "helm-rollback"]
    assert [KINDS[name].repetition(plan(pinned=True), before) for name in minding] == [None, None]


def test_to_leave_nothing_that_answers_is_warned_of() -> None:
    emptied = decide(plan(blast={"ended": 3, "after": 0}), OPEN, YES, Findings())
    assert emptied.warnings == ("ml/deploy/fraud will have no replica left to answer",)
    assert decide(plan(blast={"ended": 0, "after": 0}), OPEN, YES, Findings()).warnings == ()


def test_hostile_words_of_the_cluster_become_visible() -> None:
    denied = AccessAnswer(False, "patch", "deployments.apps", "no\x1b[31m role")
    reason = decide(plan(), OPEN, YES, Findings((denied,))).reasons[0]
    assert "\x1b" not in reason.why


@pytest.mark.parametrize(
    ("context", "environment", "flag", "read_only"),
    [
        (Context(), {}, False, False),
        (Context(read_only=True), {"MAESTRO_READ_ONLY": "0"}, False, True),
        (Context(), {"MAESTRO_READ_ONLY": "1"}, False, True),
        (Context(), {"MAESTRO_READ_ONLY": "No"}, False, False),
        (Context(), {}, True, True),
    ],
)
def test_the_safest_wins(context: Context, environment: dict[str, str], flag: bool, read_only: bool) -> None:
    assert policy_for("x", context, environment, read_only_flag=flag).read_only is read_only
