"""Test cases fail when something speaks against a pass, and only then; what was not reached is skipped."""

from __future__ import annotations

import pytest

from maestro_cli.chaos.ci.cases import State, cases_of
from maestro_cli.chaos.ci.outcome import not_run, outcome_of, refused
from maestro_cli.chaos.model import Experiment, Injected, Injection, Recovery
from maestro_cli.core.errors import ExitCode, PolicyRefused
from maestro_cli.core.verdict import Verdict
from tests.unit.chaos.ci.outcomes import outcome, performed
from tests.unit.chaos.test_verdict import BOTH_BAD, CASES, Case

BAD = (State.FAILED, State.ERROR)
PLACES: dict[str, str | tuple[str, ...]] = {
    "residue": "residue", "undo": "rollback.", "stop": "during.stop-condition",
    "interrupted": "during.to-its-end", "gate": "gate.steady-state", "injection": "inject.",
    "worker": "inject.performance", "during": "during.steady-state", "after": "after.steady-state",
    "failover": "after.failover", "recovery": "after.recovery", "deviated": "during.steady-state",
    "blind": "during.data", "no data": "during.data", "hour": ("during.steady-state", "after.steady-state"),
}  # fmt: skip


def states(journal: dict[str, object]) -> dict[str, State]:
    return {one.name: one.state for one in cases_of(outcome_of("x", "x", journal))}


def test_a_pass_fails_nowhere_and_looked_everywhere() -> None:
    found = {one.name: one.state for one in cases_of(outcome())}
    assert {*found.values()} == {State.PASSED}
    assert {name.split(".")[0] for name in found} == {
        "gate", "inject", "during", "after", "rollback", "residue",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{int(case.code)}")
def test_whatever_speaks_against_a_pass_is_told_by_the_case_of_its_kind(case: Case) -> None:
    made = outcome(case.journal, case.findings)
    told = {one.name: one.why for one in cases_of(made) if one.state in BAD}
    assert [name for name in told if name.startswith(PLACES[case.rule])]
    for against in made.against:
        assert any(against.what in why for why in told.values())


def test_what_could_not_be_measured_is_an_error_and_what_was_bad_a_failure() -> None:
    missed = performed({"before": "missed", "during": (), "after": None}, {"injections": ()})
    unknown = performed({"before": "none", "during": (), "after": None}, {"injections": ()})
    assert states(missed)["gate.steady-state"] is State.FAILED
    assert states(unknown)["gate.steady-state"] is State.ERROR
    assert states(performed({"during": ("met", "missed")}))["during.steady-state"] is State.FAILED
    ineffective = {"injections": (Injection("slow", Injected.INEFFECTIVE, "met nobody"),)}
    assert states(performed(findings=ineffective))["inject.slow"] is State.ERROR


def test_a_miss_of_a_bad_hour_is_an_error_and_no_failure() -> None:
    hour = performed({"during": ("met", "missed"), "after": "missed"}, {"arms": BOTH_BAD})
    assert State.FAILED not in states(hour).values()
    assert [states(hour)[name] for name in PLACES["hour"]] == [State.ERROR, State.ERROR]


def test_after_a_missed_gate_nothing_has_passed() -> None:
    found = states(
        performed({"before": "missed", "during": (), "after": None}, {"injections": (), "recoveries": ()})
    )
    later = {state for name, state in found.items() if not name.startswith(("gate.", "inject.hurt"))}
    assert later == {State.SKIPPED}


def test_what_was_refused_or_not_run_has_passed_nothing() -> None:
    experiment = Experiment("slow", "Slow", "d", "slow.yaml", "d", {"method": []})
    no = refused(experiment, PolicyRefused("context lab is read-only"))
    assert (no.verdict, no.exit_code) == (Verdict.INDETERMINATE, ExitCode.POLICY_REFUSED)
    told = {one.name: one.state for one in cases_of(no)}
    assert told.pop("gate.guard") is State.FAILED
    assert {*told.values()} == {State.SKIPPED}
    waiting = not_run(experiment, "the one before ended with 13")
    assert [one.name for one in cases_of(waiting) if one.state in BAD] == ["gate.not-run"]


def test_a_journal_that_chaos_toolkit_wrote_alone_is_judged_by_its_activities() -> None:
    alone = {name: part for name, part in performed({"during": ("missed",)}).items() if name != "maestro"}
    made = outcome_of("x", "x", alone)
    assert (alone["status"], alone["deviated"]) == ("completed", False)
    assert (made.verdict, made.exit_code) == (Verdict.FAIL, ExitCode.CONDITION_NOT_MET)


@pytest.mark.parametrize("part", [{"verdict": "PASS"}, {"code": 0}, {"reasons": []}])
def test_a_part_that_contradicts_itself_is_refused(part: dict[str, object]) -> None:
    bad = performed({"after": "missed"})
    with pytest.raises(ValueError, match="cannot be"):
        outcome_of("x", "x", {**bad, "maestro": {**bad["maestro"], **part}})


def test_a_recovery_that_nobody_waited_for_is_an_error_and_no_failure() -> None:
    cut = Recovery("slow", False, "its proof was not waited for", None, is_cut_short=True)
    assert states(performed(findings={"recoveries": (cut,)}))["after.recovery.slow"] is State.ERROR


def test_a_pass_whose_rollback_exited_with_a_failure_is_not_believed() -> None:
    passed = performed()
    rollback = {
        "activity": {"type": "action", "name": "tidy", "provider": {"type": "process", "path": "sh"}},
        "status": "succeeded",
        "output": {"status": 1},
    }
    with pytest.raises(ValueError, match="'tidy' failed: it exited with 1"):
        outcome_of("x", "x", {**passed, "rollbacks": [rollback]})


def test_what_was_not_taken_back_is_residue_whether_or_not_anything_is_found_of_it() -> None:
    """Somebody wrote something else over it: neither the fault is there, nor what was there before."""
    made = outcome(findings={"undo_failures": ("slow: somebody changed it since",)})
    found = {one.name: one for one in cases_of(made)}
    assert found["residue"].state is State.FAILED
    assert found["residue"].why == "not taken back: slow: somebody changed it since"
    assert found["residue"].exit_code is ExitCode.UNDO_FAILED


def test_a_rollback_that_failed_says_why() -> None:
    made = performed()
    undo = {"name": "take it back", "type": "action", "provider": {"type": "python"}}
    why = "chaoslib.exceptions.ActivityFailed: somebody changed it since"
    made["rollbacks"] = [{"activity": undo, "status": "failed", "exception": ["Traceback\n", why]}]
    made["maestro"] |= {"verdict": "FAIL", "code": 13}
    made["maestro"]["reasons"] = [{"rule": "undo", "what": "undo failed: take it back", "code": 13}]
    found = {one.name: one for one in cases_of(outcome_of("x", "x", made))}
    case = found["rollback.take it back"]
    assert (case.state, case.why) == (State.ERROR, "somebody changed it since")
    assert case.exit_code is ExitCode.UNDO_FAILED


def test_each_case_ends_with_the_code_of_what_is_bad_in_it() -> None:
    """And not with the gravest of the run."""
    ineffective = Injection("slow", Injected.INEFFECTIVE, "met nobody")
    made = outcome(
        {"during": ("none", "met")},
        {"injections": (ineffective,), "undo_failures": ("slow: no",), "recoveries": ()},
    )
    codes = {one.name: one.exit_code for one in cases_of(made) if one.state in BAD}
    assert codes == {
        "inject.slow": ExitCode.ACTION_FAILED, "during.data": ExitCode.NO_DATA,
        "rollback.undo": ExitCode.UNDO_FAILED, "residue": ExitCode.UNDO_FAILED,
    }  # fmt: skip
