"""What a run cost of a budget is in its journal, its record and its status, beside what was foretold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.left import Left
from maestro_cli.chaos.ci.journals import read_outcome
from maestro_cli.chaos.history import get_run
from maestro_cli.chaos.ledger import events_of
from maestro_cli.output.renderers.experiment_runs import run_document
from maestro_cli.slo.measuring.stretch import Spent
from maestro_cli.slo.objectives import Counters, Objective
from tests.contract.chaos.lab import Lab, data, experiment

MONTH = 2592000.0
KNOWN = {"a": Objective("a", "", "fraud", 0.999, MONTH, Counters("all", bad="bad"), {})}


def lab(folder: Path, **parts: Any) -> Lab:
    made: dict[str, Any] = {
        "objectives": KNOWN, "left": {"a": Left(0.5, low=0.5, high=0.5)},
        "spent_by": lambda objective: Spent(0.001, "", 0.0005, 0.002, 90.0, 1.0),
        "left_later": {"a": Left(0.499, low=0.498, high=0.499)},
    }  # fmt: skip
    return Lab(folder, **{**made, **parts})


def test_what_a_run_cost_is_kept_with_it_and_told_of_it(tmp_path: Path) -> None:
    around = lab(tmp_path)
    report = around.run(experiment(data(objectives=["a"])))
    (told,) = report.journal["maestro"]["actual_burn"]
    (foretold,) = report.journal["maestro"]["predicted_burn"]
    assert (told["share"], told["share_of_left"], told["words"]) == (
        0.001,
        0.002,
        "49.9% (49.8% to 49.9% by what was not seen)",
    )
    assert told["foretold"] == foretold["share"] == pytest.approx(20 / 3 / (MONTH * 0.001), rel=1e-6)
    (ended,) = [one for one in events_of(around.journal, report.run) if one.kind == "experiment.finished"]
    assert ended.data["burned"] == [told]
    document = run_document(get_run(around.journal, report.run))
    assert document["actual_burn"] == [told]
    assert document["predicted_burn"] == [foretold]


def test_it_is_measured_from_the_plan_to_the_end_once_nothing_is_in_force(tmp_path: Path) -> None:
    around = lab(tmp_path)
    at_work: list[tuple[str, ...]] = []

    def spent(objective: Objective) -> Spent:
        at_work.append(tuple(one["id"] for one in around.servers.read()["faults"]))
        return Spent(0.0)

    around.spent_by = spent
    report = around.run(experiment(data(objectives=["a"])))
    ((name, began, ended),) = around.asked_spent
    assert (name, began) == ("a", report.proposal.at)
    assert (ended - began).total_seconds() > 0.5, "the fault was held so long"
    assert at_work == [()]


def test_where_prometheus_tells_nothing_the_verdict_stands_and_the_burn_is_not_known(tmp_path: Path) -> None:
    around = lab(tmp_path, spent_by=lambda objective: Spent(None, "no data"), left_later={})
    report = around.run(experiment(data(objectives=["a"])))
    assert report.judged.passed
    (told,) = report.journal["maestro"]["actual_burn"]
    assert (told["share"], told["share_of_left"]) == (None, None)
    assert told["why"] == "no data; what is left is not known: nobody says"


def test_a_run_that_was_killed_tells_what_was_foretold_and_that_its_burn_is_not_known(tmp_path: Path) -> None:
    around = lab(tmp_path)
    report = around.run(experiment(data(objectives=["a"])))
    (begun,) = [one for one in events_of(around.journal, report.run) if one.kind == "experiment.started"]
    around.journal.append("experiment.started", "experiment/exp-killed", "ana", begun.data)
    (told,) = run_document(get_run(around.journal, "exp-killed"))["actual_burn"]
    assert (told["share"], told["why"]) == (None, "the run is interrupted")
    assert told["foretold"] == begun.data["burns"][0]["share"]


def test_one_that_names_no_objective_has_none(tmp_path: Path) -> None:
    report = lab(tmp_path).run(experiment(data()))
    assert report.journal["maestro"]["actual_burn"] == []


def test_a_gate_that_is_handed_the_journal_reads_it(tmp_path: Path) -> None:
    report = lab(tmp_path).run(experiment(data(objectives=["a"])))
    (told,) = read_outcome(report.folder / "journal.json").ours["actual_burn"]
    assert told["share"] == 0.001
