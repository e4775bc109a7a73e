"""A run ends with the gravest thing that is true of it, and passes when nothing is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.chaos import verdict
from maestro_cli.chaos.arms import Arm, compare
from maestro_cli.chaos.model import (
    FailedOver,
    FailoverBounds,
    Findings,
    Injected,
    Injection,
    Kind,
    Recovery,
    Stop,
    Tolerated,
    Watched,
)
from maestro_cli.chaos.verdict import RULES, Judged, Steady, deviation, judge, steady_of
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from tests.unit.chaos.journals import activity, journal, state

EFFECTIVE = Injection("slow", Injected.EFFECTIVE, "met 12 requests")
WELL = Findings(injections=(EFFECTIVE,), recoveries=(Recovery("slow", True, "3 of 3 pods ready", 1.2),))


@dataclass(frozen=True)
class Case:
    """What makes a rule apply, and what the run then ends with."""

    rule: str
    code: ExitCode
    verdict: Verdict
    journal: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)

    def judged(self, more: Case | None = None) -> Judged:
        over = more or Case("", ExitCode.OK, Verdict.PASS)
        return judge(
            journal(**{**over.journal, **self.journal}), replace(WELL, **{**over.findings, **self.findings})
        )


def stopped(kind: Kind) -> dict[str, Any]:
    return {"stop": Stop(kind, "because")}


PODS = (("pod-0",), ("pod-1",))
BOTH_BAD = compare(Arm(PODS[0], 60, 100), Arm(PODS[1], 60, 100), 0.05, 10.0)
ONE_BAD = compare(Arm(PODS[0], 60, 100), Arm(PODS[1], 0, 100), 0.05, 10.0)
UNCOUNTED = compare(Arm(PODS[0], 60, 100), Arm(PODS[1], None, None), 0.05, 10.0)


def failed_over(rto: float | None, rpo: float | None, *, is_felt: bool = True) -> dict[str, Any]:
    """Within an RTO of 60 s and an RPO of 10 s, or not."""
    bounds, at = FailoverBounds(60.0, 10.0), datetime(2026, 10, 1, tzinfo=UTC)
    made = FailedOver("east", "west", at, at, is_felt, rto, rpo, ("", ""), 9, 8, bounds)
    return {"failover": made}


TIDY = {"type": "action", "name": "tidy", "provider": {"type": "process", "path": "true"}}
FAIL, OPEN = Verdict.FAIL, Verdict.INDETERMINATE
# In the order of their precedence.
CASES = (
    Case("residue", ExitCode.UNDO_FAILED, FAIL, findings={"residue": ("latency in ml/pod/a",)}),
    Case("undo", ExitCode.UNDO_FAILED, FAIL, findings={"undo_failures": ("slow: refused",)}),
    Case("undo", ExitCode.UNDO_FAILED, FAIL, {"rollbacks": [activity("action", "failed")]}),
    Case("undo", ExitCode.UNDO_FAILED, FAIL, {"experiment": {"rollbacks": [TIDY]}}),
    Case("stop", ExitCode.STOP_CONDITION, FAIL, findings=stopped(Kind.CONDITION)),
    Case("stop", ExitCode.STOP_CONDITION, FAIL, findings=stopped(Kind.BURN)),
    Case("interrupted", ExitCode.SIGINT, OPEN, findings=stopped(Kind.SIGINT)),
    Case("interrupted", ExitCode.SIGTERM, OPEN, findings=stopped(Kind.SIGTERM)),
    Case("interrupted", ExitCode.SIGINT, OPEN, findings=stopped(Kind.ASKED)),
    Case("interrupted", ExitCode.TIMEOUT, OPEN, findings=stopped(Kind.DEADLINE)),
    Case("interrupted", ExitCode.SIGINT, OPEN, {"status": "interrupted"}),
    Case("gate", ExitCode.GATE_NOT_MET, FAIL, {"before": "missed", "during": (), "after": None}),
    Case("gate", ExitCode.GATE_NOT_MET, OPEN, {"before": "none", "during": (), "after": None}),
    Case(
        "gate", ExitCode.GATE_NOT_MET, OPEN,
        findings={"injections": (Injection("slow", Injected.REFUSED, "incident #1 is open"),)},
    ),
    Case(
        "injection", ExitCode.ACTION_FAILED, OPEN,
        findings={"injections": (EFFECTIVE, Injection("more", Injected.REFUSED, "incident #1 is open"))},
    ),
    Case("injection", ExitCode.ACTION_FAILED, OPEN, findings={"declared": ("slow", "more")}),
    Case(
        "injection", ExitCode.ACTION_FAILED, OPEN,
        findings={"injections": (Injection("slow", Injected.INEFFECTIVE, "met nobody"),)},
    ),
    Case(
        "injection", ExitCode.ACTION_FAILED, OPEN,
        findings={"injections": (Injection("slow", Injected.NO_TARGETS, "nothing matches"),)},
    ),
    Case("injection", ExitCode.ACTION_FAILED, OPEN, {"run": [activity("action", "failed")]}),
    Case("worker", ExitCode.ACTION_FAILED, OPEN, findings={"worker": "it was killed by SIGKILL"}),
    Case("worker", ExitCode.ACTION_FAILED, OPEN, {"status": "aborted"}),
    Case("during", ExitCode.CONDITION_NOT_MET, FAIL, {"during": ("met", "missed", "met")}),
    Case("after", ExitCode.CONDITION_NOT_MET, FAIL, {"after": "missed"}),
    Case(
        "recovery", ExitCode.CONDITION_NOT_MET, FAIL,
        findings={"recoveries": (Recovery("slow", False, "2 of 3 pods ready"),)},
    ),
    Case("deviated", ExitCode.CONDITION_NOT_MET, FAIL, {"deviated": True}),
    Case("hour", ExitCode.NO_DATA, OPEN, {"during": ("met", "missed", "met")}, {"arms": BOTH_BAD}),
    Case("hour", ExitCode.NO_DATA, OPEN, {"after": "missed"}, {"arms": BOTH_BAD}),
    Case("during", ExitCode.CONDITION_NOT_MET, FAIL, {"during": ("met", "missed")}, {"arms": ONE_BAD}),
    Case("during", ExitCode.CONDITION_NOT_MET, FAIL, {"during": ("met", "missed")}, {"arms": UNCOUNTED}),
    Case(
        "recovery", ExitCode.CONDITION_NOT_MET, FAIL,
        findings={"recoveries": (Recovery("slow", False, "2 of 3 pods ready"),), "arms": BOTH_BAD},
    ),
    Case("failover", ExitCode.CONDITION_NOT_MET, FAIL, findings=failed_over(60.5, 1.0)),
    Case("failover", ExitCode.CONDITION_NOT_MET, FAIL, findings=failed_over(1.0, 10.5)),
    Case("failover", ExitCode.CONDITION_NOT_MET, FAIL, findings=failed_over(None, 1.0)),
    Case("failover", ExitCode.CONDITION_NOT_MET, FAIL, findings=failed_over(None, None)),
    Case("no data", ExitCode.NO_DATA, OPEN, findings=failed_over(1.0, None)),
    Case("no data", ExitCode.NO_DATA, OPEN, findings=failed_over(None, 1.0, is_felt=False)),
    Case("blind", ExitCode.NO_DATA, OPEN, findings=stopped(Kind.BLIND)),
    Case(
        "no data", ExitCode.NO_DATA, OPEN,
        findings={"watched": (Watched("errors > 1", 5, 0, 0), Watched("late > 1", 0, 1, 1))},
    ),
    Case("no data", ExitCode.NO_DATA, OPEN, findings={"watched": (Watched("errors > 1", 7, 1, 1),)}),
    Case("no data", ExitCode.NO_DATA, OPEN, {"during": ("met", "none")}),
    Case("no data", ExitCode.NO_DATA, OPEN, {"during": ()}),
    Case("no data", ExitCode.NO_DATA, OPEN, {"after": "none"}),
    Case("no data", ExitCode.NO_DATA, OPEN, {"after": None}),
    Case("no data", ExitCode.NO_DATA, OPEN, {"before": None}),
    Case("no data", ExitCode.NO_DATA, OPEN, findings={"recoveries": ()}),
    Case("no data", ExitCode.NO_DATA, OPEN, {"run": [activity("probe", "failed")]}),
)  # fmt: skip
RANKS = (
    {ExitCode.UNDO_FAILED}, {ExitCode.STOP_CONDITION}, {ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.TIMEOUT},
    {ExitCode.GATE_NOT_MET}, {ExitCode.ACTION_FAILED}, {ExitCode.CONDITION_NOT_MET}, {ExitCode.NO_DATA},
)  # fmt: skip


def rank(code: ExitCode) -> int:
    return next(place for place, codes in enumerate(RANKS) if code in codes)


def test_what_nothing_speaks_against_passes_with_the_whole_coverage() -> None:
    judged = judge(journal(), WELL)
    assert (judged.verdict, judged.exit_code, judged.reasons) == (Verdict.PASS, ExitCode.OK, ())
    assert judged.coverage == 1.0


OURS = {"type": "python", "module": "maestro_cli.chaos.actions", "func": "undo"}


@pytest.mark.parametrize(
    ("declared", "ended", "began", "missing"),
    [
        ([TIDY], ["tidy"], True, 0),
        ([TIDY, TIDY], ["tidy"], True, 1),
        ([{"ref": "tidy"}], ["tidy"], True, 0),
        ([{"ref": "tidy"}], [], True, 1),
        ([TIDY], [], False, 0),  # nothing was done
        ([{**TIDY, "provider": OURS}], [], True, 0),  # the parent does it
    ],
)
def test_a_rollback_that_was_not_carried_out_to_its_end_failed(
    declared: list[Any], ended: list[str], began: bool, missing: int
) -> None:
    rollbacks = [activity("action", "succeeded", name) for name in ended] + [activity("action", None, "tidy")]
    made = journal(rollbacks=rollbacks, experiment={"rollbacks": declared})
    made["run"] = [activity("action", None)] if began else []
    assert [one.rule for one in judge(made, WELL).reasons] == ["undo"] * missing


def test_a_gap_between_answers_is_none_for_a_stop_condition() -> None:
    told = (Watched("errors > 1", 7, 2, 0), Watched("late > 1", 0, 0, 0))
    assert judge(journal(), replace(WELL, watched=told)).passed


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{int(case.code)}")
def test_each_thing_alone_ends_the_run_with_its_code(case: Case) -> None:
    judged = case.judged()
    assert (judged.exit_code, judged.verdict) == (case.code, case.verdict)
    assert case.rule in {reason.rule for reason in judged.reasons}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_verdict_that_forgot_one_of_its_rules_would_be_noticed(
    rule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict, "RULES", tuple(one for one in RULES if one is not rule))
    assert any(case.judged().exit_code is not case.code for case in CASES)


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(CASES, 2)])
def test_of_two_things_the_graver_decides(one: Case, other: Case) -> None:
    clash = set(one.journal) & set(other.journal) or set(one.findings) & set(other.findings)
    said = {*one.journal, *other.journal, *one.findings, *other.findings}
    explained = (
        {"deviated", "after"}, {"status", "stop"}, {"run", "stop"}, {"declared", "stop"}, {"worker", "stop"},
    )  # fmt: skip
    explains = any(pair <= said for pair in explained)
    if clash or {"before", "arms"} & said or explains:
        return  # the one says what the other means
    codes = sorted((one.code, other.code), key=rank)
    assert rank(one.judged(other).exit_code) == rank(codes[0])


looks = st.lists(st.sampled_from(["met", "missed", "none"]), max_size=12)


@given(looks, st.sampled_from(["met", "missed", "none"]), st.sampled_from(["met", "missed", "none", None]))
def test_nothing_but_looks_that_were_met_passes(during: list[str], before: str, after: str | None) -> None:
    judged = judge(journal(before=before, during=during, after=after), WELL)
    all_met = bool(during) and {*during, before, after} == {"met"}
    assert judged.passed is all_met
    if "missed" in during and before == "met":
        assert judged.exit_code is ExitCode.CONDITION_NOT_MET
    assert 0 <= judged.coverage <= 1


@pytest.mark.parametrize(
    ("words", "misses", "in_a_row", "deviates"),
    [
        ("++++", 0.0, 3, False),
        ("+-++", 0.0, 3, True),
        ("+-++", 0.25, 3, False),
        ("--++", 0.25, 3, True),
        ("+++---+++++++++++++", 0.5, 3, True),
        ("+++--?-+++++++++++++", 0.5, 3, True),
        ("+++--+-+++++++++++++", 0.5, 3, False),
        ("????", 0.0, 1, False),
    ],
)
def test_too_many_misses_or_too_many_in_a_row_deviate(
    words: str, misses: float, in_a_row: int, deviates: bool
) -> None:
    told = {"+": Steady.MET, "-": Steady.MISSED, "?": Steady.NO_DATA}
    assert bool(deviation([told[one] for one in words], Tolerated(1.0, misses, in_a_row))) is deviates


def test_a_probe_that_raised_is_no_data_and_one_outside_its_tolerance_a_miss() -> None:
    assert steady_of(state("none")) is Steady.NO_DATA
    assert steady_of(state("missed")) is Steady.MISSED
    assert steady_of(None) is Steady.NO_DATA
    assert steady_of({"steady_state_met": False, "probes": []}) is Steady.NO_DATA


def asked_over_http(tolerance: Any, raised: str, kind: str = "http") -> dict[str, Any]:
    run = {
        "activity": {"type": "probe", "name": "answers", "tolerance": tolerance, "provider": {"type": kind}},
        "status": "failed",
        "exception": ["Traceback", f"chaoslib.exceptions.ActivityFailed: {raised}\n"],
    }
    return {"steady_state_met": False, "probes": [run]}


REFUSED = "failed to connect to http://fraud/: HTTPConnectionPool(…): [Errno 111] Connection refused'))"
SLOW = "activity took too long to complete"


@pytest.mark.parametrize(
    ("tolerance", "raised", "seen"),
    [
        (200, REFUSED, Steady.MISSED),
        ([200, 204], SLOW, Steady.MISSED),
        ({"type": "range", "target": "status", "range": [200, 299]}, REFUSED, Steady.MISSED),
        (200, "failed to connect to http://fraud/: Failed to resolve 'fraud'", Steady.NO_DATA),
        (200, "failed to connect to https://fraud/: certificate verify failed", Steady.NO_DATA),
        ({"type": "jsonpath", "path": "$.data.result", "target": "body"}, REFUSED, Steady.NO_DATA),
        ({"type": "regex", "target": "body", "pattern": "ok"}, SLOW, Steady.NO_DATA),
        (True, REFUSED, Steady.NO_DATA),
        ([], REFUSED, Steady.NO_DATA),
        (None, REFUSED, Steady.NO_DATA),
    ],
)
def test_a_service_that_was_asked_for_its_status_and_does_not_serve_is_a_miss(
    tolerance: Any, raised: str, seen: Steady
) -> None:
    assert steady_of(asked_over_http(tolerance, raised)) is seen
    assert steady_of(asked_over_http(tolerance, raised, "python")) is Steady.NO_DATA


def test_an_activity_that_a_stop_interrupted_did_not_fail() -> None:
    judged = judge(
        journal(run=[activity("action", None)]), replace(WELL, stop=Stop(Kind.CONDITION, "errors > 1"))
    )
    assert {reason.rule for reason in judged.reasons} == {"stop"}


def test_what_was_not_asked_after_a_stop_is_no_probe_without_data() -> None:
    judged = judge(journal(after=None), replace(WELL, stop=Stop(Kind.CONDITION, "errors > 1")))
    assert [one.what for one in judged.reasons] == [
        "stop condition: errors > 1",
        "the steady state was not looked at after the method: it was ended before",
    ]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("chaoslib.exceptions.ActivityFailed: RuntimeError: no data; no one value", "no data; no one value"),
        ("chaoslib.exceptions.ActivityFailed: KeyError: 'rate'", "KeyError: 'rate'"),
        ("no data: NaN", "no data: NaN"),
        ("RuntimeError: ", "RuntimeError:"),
    ],
)  # fmt: skip
def test_reasons_are_told_without_the_classes_of_python_that_say_nothing(raised: str, words: str) -> None:
    run = activity("action", "failed") | {"exception": ["Traceback\n", f"{raised}\n"]}
    judged = judge(journal(run=[run]), WELL)
    assert [one.what for one in judged.reasons] == [f"an action failed: hurt: {words}"]


def answered(kind: str, provider: str, output: object) -> dict[str, Any]:
    told = {"type": kind, "name": "do it", "provider": {"type": provider}}
    return {"activity": told, "status": "succeeded", "output": output}


NO = [
    ("process", {"status": 1, "stdout": "", "stderr": ""}, "do it: it exited with 1"),
    ("http", {"status": 500, "body": ""}, "do it: HTTP 500"),
]


@pytest.mark.parametrize(("provider", "output", "told"), NO, ids=["process", "http"])
def test_an_action_that_says_no_failed_whatever_chaos_toolkit_calls_it(
    provider: str, output: dict[str, Any], told: str
) -> None:
    action = answered("action", provider, output)
    judged = judge(journal(run=[action]), Findings())
    assert (judged.exit_code, judged.reasons[0].what) == (ExitCode.ACTION_FAILED, f"an action failed: {told}")
    undone = judge(journal(rollbacks=[action]), Findings())
    assert (undone.exit_code, undone.reasons[0].what) == (ExitCode.UNDO_FAILED, f"undo failed: {told}")


@pytest.mark.parametrize(
    ("kind", "provider", "output"),
    [
        ("probe", "process", {"status": 1}),
        ("action", "process", {"status": 0}),
        ("action", "http", {"status": 204}),
        ("action", "python", {"status": 1}),
        ("action", "process", "1"),
    ],
)
def test_what_says_yes_or_is_judged_elsewhere_did_not_fail(kind: str, provider: str, output: object) -> None:
    assert judge(journal(run=[answered(kind, provider, output)]), Findings()).passed


def test_an_action_that_was_stopped_did_not_say_no_by_itself() -> None:
    action = answered("action", "process", {"status": -15})
    judged = judge(journal(run=[action]), Findings(stop=Stop(Kind.BLIND, "no data")))
    assert "injection" not in [one.rule for one in judged.reasons]
