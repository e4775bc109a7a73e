"""What a report of an experiment says is words, never a value of Python."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.chaos.burned import Burned
from maestro_cli.chaos.guard.check import Burn
from maestro_cli.chaos.history import ExperimentRun, FaultRecord
from maestro_cli.core.canonical import plain
from maestro_cli.output.renderers.experiment_reports import report_view
from maestro_cli.output.renderers.experiment_runs import run_view
from maestro_cli.output.renderers.experiments import _burn
from maestro_cli.output.views import Fields, Report
from tests.unit.chaos.journals import journal

OURS = {
    "verdict": "FAIL", "code": 14, "run": "exp-1", "coverage": 1.0, "targets": [], "proof_of_effect": [],
    "proof_of_recovery": [], "stop": None, "residue": [], "seed": 1, "reasons": [],
}  # fmt: skip
RUN = ExperimentRun(
    "exp-1", "slow", "Slow", "slow.yaml", "27e7", "ann", "running", "", 0, None, (), (), 1, (),
    "2026-11-26T02:59:00.000Z", "", "", "", "",
)  # fmt: skip


def rows(**made: Any) -> dict[str, object]:
    blocks = report_view({**journal(**made), "maestro": OURS}).blocks
    return dict(next(one.rows for one in blocks if isinstance(one, Fields)))


def test_a_look_that_was_not_made_is_told_in_words() -> None:
    assert rows(after=None)["steady state"] == "before: met; during: 2 met; after: not looked at"
    assert rows(before=None)["steady state"] == "before: not looked at; during: 2 met; after: met"


@pytest.mark.parametrize(
    ("asked", "stop", "told"),
    [
        ("by ann@vm", "", "asked: by ann@vm"),
        ("by ann@vm", "asked: by ann@vm", "asked: by ann@vm"),
        ("", "", None),
    ],
)
def test_who_asked_for_the_end_is_told_in_the_same_words_before_and_after_it_was_heard(
    asked: str, stop: str, told: str | None
) -> None:
    blocks = run_view(replace(RUN, asked=asked, stop=stop)).blocks
    assert dict(next(one.rows for one in blocks if isinstance(one, Fields)))["stopped"] == told


UNDO = {"rule": "undo", "code": 13, "what": "undo failed: config: somebody changed it since"}
LEFT = {"rule": "residue", "code": 13, "what": "left behind: latency in ml/pod/a"}


@pytest.mark.parametrize(
    ("more", "left", "by"),
    [
        (
            {"reasons": [UNDO], "undo_failures": ["config: somebody changed it since"]},
            "config: somebody changed it since",
            "maestro chaos sweep exp-1;",
        ),
        (
            {
                "reasons": [UNDO, UNDO | {"what": "undo failed: tidy: config: somebody changed it since"}],
                "undo_failures": ["config: somebody changed it since"],
            },
            "config: somebody changed it since",
            "maestro chaos sweep exp-1;",
        ),
        (
            {"reasons": [LEFT], "residue": ["latency in ml/pod/a"]},
            "latency in ml/pod/a",
            "maestro chaos sweep exp-1;",
        ),
        ({"reasons": [UNDO | {"what": "undo failed: tidy: no"}]}, "tidy: no", "hand: "),
        ({}, "nothing", None),
    ],
    ids=[
        "an undo that failed",
        "a rollback says so too",
        "residue",
        "a rollback of the file",
        "nothing",
    ],
)
def test_a_report_names_what_is_left_and_what_clears_it(
    more: dict[str, Any], left: str, by: str | None
) -> None:
    blocks = report_view({**journal(), "maestro": {**OURS, **more}}).blocks
    told = dict(next(one.rows for one in blocks if isinstance(one, Fields)))
    assert told["left behind"] == left
    assert ("cleared by" in told) is (by is not None)
    assert str(told.get("cleared by", "")).startswith(by or "")


@pytest.mark.parametrize(
    ("status", "error", "undone_at", "left"),
    [
        ("finished", "somebody changed it since", "", "config: somebody changed it since"),
        ("interrupted", "", "", "config: in force, as far as the journal knows"),
        ("running", "", "", None),
        ("finished", "", "2026-11-26T03:00:00.000Z", None),
    ],
)
def test_a_run_that_is_over_names_each_fault_that_was_not_taken_back(
    status: str, error: str, undone_at: str, left: str | None
) -> None:
    fault = FaultRecord(
        "config", "config-break", (), "2026-11-26T02:59:00.000Z", "2026-11-26T03:00:00.000Z", "effective",
        "", undone_at, error,
    )  # fmt: skip
    view = run_view(replace(RUN, status=status, faults=(fault,)))
    told = dict(next(one.rows for one in view.blocks if isinstance(one, Fields)))
    assert told["left behind"] == left
    assert view.document["residue"] == ([left] if left else [])
    assert str(told.get("cleared by", "")).startswith("maestro chaos sweep exp-1" if left else "")


def test_a_burn_of_many_budgets_is_told_as_times() -> None:
    """A platform that is some seconds old has seen next to nothing of its window."""
    words = _burn(Burn("fraud-availability", 0.0004, 1.0, words="all", share_of_seen=148.87))
    assert "(149 times by what was seen so far)" in words


BURNED = plain(Burned("a", 0.004, 0.0116, share_of_left=0.008, words="49.0%"))
LINE = "a: 0.4% of its budget, 0.8% of what was left; foretold at worst: 1.2%; left now: 49.0%"


def fields(view: Report) -> dict[str, object]:
    return dict(next(one.rows for one in view.blocks if isinstance(one, Fields)))


def test_a_report_and_a_status_tell_what_each_budget_lost() -> None:
    report = report_view({**journal(), "maestro": {**OURS, "actual_burn": [BURNED]}})
    assert fields(report)["burned meanwhile"] == LINE
    assert report.document["actual_burn"] == [BURNED]
    status = run_view(replace(RUN, status="finished", actual_burn=(BURNED,)))
    assert fields(status)["burned meanwhile"] == LINE
    assert status.document["actual_burn"] == [BURNED]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("running", "the run is running"),
        ("interrupted", "the run is interrupted"),
        ("swept", "the run is swept"),
        ("finished", "it was not measured"),
    ],
)
def test_of_a_run_that_has_no_measured_end_the_burn_is_not_known(status: str, why: str) -> None:
    run = replace(RUN, status=status, predicted_burn=({"objective": "a", "share": 0.0116},))
    line = f"a: not known: {why}; foretold at worst: 1.2%; left now: not known"
    assert fields(run_view(run))["burned meanwhile"] == line
    (told,) = run_view(run).document["actual_burn"]
    assert (told["share"], told["why"]) == (None, why)


def test_one_that_was_refused_burned_nothing_that_could_be_told() -> None:
    run = replace(RUN, status="refused", predicted_burn=({"objective": "a", "share": 0.0116},))
    assert fields(run_view(run))["burned meanwhile"] is None


def test_a_journal_from_before_tells_of_no_burn() -> None:
    assert fields(report_view({**journal(), "maestro": OURS}))["burned meanwhile"] is None
