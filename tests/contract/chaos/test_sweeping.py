"""A sweep takes back what runs left, one run after another, and never what came after."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from maestro_cli.chaos import sweeping
from maestro_cli.chaos.history import get_run, unfinished_runs, working_run
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.core.errors import ExitCode, MaestroError
from tests.contract.chaos.lab import Lab, data, experiment

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def stuck(lab: Lab) -> str:
    """A run whose fault could not be taken back."""
    lab.servers.script(stuck=True)
    report = lab.run(experiment(data()))
    assert report.judged.exit_code is ExitCode.UNDO_FAILED
    return report.run


def test_what_cannot_be_taken_back_is_told_and_not_called_taken_back(lab: Lab) -> None:
    run = stuck(lab)
    (swept,) = lab.sweep()
    assert (swept.run, swept.left) == (run, ())
    assert swept.residue
    assert unfinished_runs(lab.journal) == [run]
    with pytest.raises(MaestroError, match="alone"):
        lab.run(experiment(data()))


def test_what_somebody_answers_for_is_in_no_other_runs_way(lab: Lab) -> None:
    run = stuck(lab)
    (swept,) = sweeping.sweep(
        lab.journal, lab.world, lab.pipeline, lab.clock, run=run, leave="the pod goes tonight"
    )
    assert swept.residue == ()
    assert swept.left
    assert unfinished_runs(lab.journal) == []
    assert lab.sweep() == ()
    lab.servers.script()
    assert lab.run(experiment(data())).judged.passed
    (event,) = [one for one in lab.journal.events() if one.kind == "experiment.left"]
    assert (event.actor, event.data["why"]) == ("ana", "the pod goes tonight")


def test_a_defect_in_an_undo_costs_neither_the_verdict_nor_a_later_sweep(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ValueError("no JSON")

    with monkeypatch.context() as patched:
        patched.setattr(lab.servers, "end", broken)
        report = lab.run(experiment(data()))
        assert report.judged.exit_code is ExitCode.UNDO_FAILED
        assert "ValueError" in " ".join(report.findings.undo_failures)
        assert "not taken back: it: " in " ".join(report.journal["maestro"]["residue"])
        (swept,) = lab.sweep()
        assert swept.residue
    (again,) = lab.sweep()
    assert (again.faults, again.residue) == (("it",), ())


def test_a_run_that_began_since_is_left_to_who_works_on_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins between the two looks of a sweep."""
    begun: list[str] = []

    def looked(journal: object) -> str:
        if not begun:
            ledger = ExperimentLedger(lab.journal, "exp-began", "bob")
            lab.journal.append("experiment.started", "experiment/exp-began", "bob", {
                "name": "n", "title": "t", "file": "f", "digest": "d", "seed": 1, "targets": {},
                "control": [], "burns": [], "duration_seconds": None, "folder": "",
            })  # fmt: skip
            begun.append(ledger.run)
        return working_run(lab.journal)

    monkeypatch.setattr(sweeping, "working_run", looked)
    assert lab.sweep() == ()
    assert get_run(lab.journal, "exp-began").status == "interrupted"  # nobody works on it here
