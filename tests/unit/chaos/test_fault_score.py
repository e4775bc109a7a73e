"""A response is scored from the fault's true start, and never passes where the truth is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.chaos.drills.fault_score import FaultScore, score_faults
from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import Outcome
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.verdict import Verdict

START = datetime(2027, 1, 1, tzinfo=UTC)
TARGET = WorkloadRef("Deployment", "ml", "fraud")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


FAULT = InjectedFault("flt-1", "hang", "fraud", None, at(0), at(600), "me", "", at(90), "kill-all", 40)
GOOD = Outcome(
    incident="inc-1", detected_at=at(30), triaged_at=at(40), mitigated_at=at(91), resolved_at=at(120),
    suspect_kind="pod", suspect_subject="pod ml/fraud-abc",
)  # fmt: skip


def scored(fault: InjectedFault | None = FAULT, outcome: Outcome = GOOD, now: float = 1000) -> FaultScore:
    return score_faults([] if fault is None else [fault], outcome, TARGET, at(now))


def test_a_good_response_passes_and_is_timed_from_the_true_start() -> None:
    good = scored()
    assert good.judgement.verdict is Verdict.PASS
    assert good.misses == ()
    assert [(phase.name, phase.seconds) for phase in good.phases] == [
        ("detected", 30.0), ("triaged", 40.0), ("mitigated", 90.0), ("resolved", 120.0)
    ]  # fmt: skip
    assert good.cause_is_right


@pytest.mark.parametrize(
    ("change", "miss"),
    [
        ({"suspect_kind": "node", "suspect_subject": "node a"}, "the wrong cause was blamed"),
        ({"suspect_subject": "pod ml/other-abc"}, "the wrong cause was blamed"),
        ({"suspect_subject": "pod web/fraud-abc"}, "the wrong cause was blamed"),
        ({"suspect_kind": "release", "suspect_subject": str(TARGET)}, "the wrong cause was blamed"),
        ({"suspect_kind": "", "suspect_subject": ""}, "the wrong cause was blamed"),
        ({"resolved_at": None}, "resolved never happened"),
        ({"triaged_at": at(601)}, "triaged took longer than its budget"),
    ],
)
def test_each_fault_of_a_response_fails_it(change: dict[str, Any], miss: str) -> None:
    found = scored(outcome=replace(GOOD, **change))
    assert found.judgement.verdict is Verdict.FAIL
    assert found.misses == (miss,)


def test_it_was_mitigated_when_the_fault_truly_ended_whatever_was_said() -> None:
    late = replace(FAULT, ends=at(3000), ended=at(1900))
    found = scored(late, replace(GOOD, mitigated_at=at(40)))
    assert found.misses == ("mitigated took longer than its budget",)
    assert scored(outcome=replace(GOOD, mitigated_at=None)).judgement.verdict is Verdict.PASS


def test_a_fault_that_time_ended_was_ended_by_nobody() -> None:
    found = scored(replace(FAULT, ended_because="time"))
    assert found.misses == ("nobody ended the fault: its time was over",)


def test_a_fault_that_is_still_on_fails_the_response() -> None:
    found = scored(replace(FAULT, ended=None, ended_because="", hits=None), now=130)
    assert found.judgement.verdict is Verdict.FAIL
    assert found.misses == ("the fault is still on",)


@pytest.mark.parametrize(
    "fault",
    [
        None,
        replace(FAULT, began=at(31)),
        replace(FAULT, began=at(-900), ended=at(-300)),
        replace(FAULT, hits=0),
        replace(FAULT, ended=None, ended_because="", hits=None),
    ],
    ids=["none", "later", "long before", "met nobody", "end not recorded"],
)
def test_where_the_truth_is_not_known_nothing_passes(fault: InjectedFault | None) -> None:
    found = scored(fault)
    assert found.judgement.verdict is Verdict.INDETERMINATE
    assert found.judgement.coverage == 0


def test_nothing_passes_for_an_incident_that_was_never_opened_or_names_no_workload() -> None:
    assert scored(outcome=Outcome()).judgement.verdict is Verdict.INDETERMINATE
    assert score_faults([FAULT], GOOD, None, at(1000)).judgement.verdict is Verdict.INDETERMINATE


def test_a_fault_of_one_version_may_be_blamed_on_the_release_that_brought_it() -> None:
    release = replace(GOOD, suspect_kind="release", suspect_subject=str(TARGET), suspect_revision=2)
    assert scored(replace(FAULT, version=2), release).judgement.verdict is Verdict.PASS
    assert scored(FAULT, release).judgement.verdict is Verdict.FAIL


def test_a_dependency_is_to_be_blamed_for_its_own_faults_alone() -> None:
    blames = replace(GOOD, suspect_kind="dependency", suspect_subject="dependency store")
    assert scored(replace(FAULT, kind="dependency"), blames).cause_is_right
    assert not scored(replace(FAULT, kind="dependency")).cause_is_right
    assert not scored(FAULT, blames).cause_is_right


def test_of_several_the_earliest_that_was_on_counts_and_the_others_are_named() -> None:
    other = replace(FAULT, id="flt-2", began=at(10), version=2)
    found = score_faults([other, FAULT], GOOD, TARGET, at(1000))
    assert found.fault == FAULT
    assert found.others == (other,)
