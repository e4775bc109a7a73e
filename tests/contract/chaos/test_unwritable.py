"""A fault whose undo is on record is taken back also when nothing more can be recorded."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from maestro_cli.chaos import running
from maestro_cli.chaos.history import get_run
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, CannotRecord, ExitCode, GateNotMet, NotKept
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.verdict import Verdict
from tests.contract.chaos.lab import Lab, data, experiment
from tests.patience import wait_for

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]
FRAUD = WorkloadRef("Deployment", "ml", "fraud")
FULL = "database or disk is full"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, rules=ExperimentRules(["ml"], cap="50%", whole=True))


def fill(lab: Lab) -> None:
    """No page more for the journal, as on a full disk, and none of those it has is free."""
    with lab.journal._lock:
        pages = lab.journal._db.execute("PRAGMA page_count").fetchone()[0]
        lab.journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with suppress(CannotRecord):
        while True:
            lab.journal.append("test.filling", "test/disk", "the disk", {"text": "x" * 100})


def make_room(lab: Lab) -> None:
    with lab.journal._lock:
        lab.journal._db.execute("PRAGMA max_page_count = 1073741823")


@pytest.mark.parametrize("fault", ["server-latency", "scale-to-zero"])
@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_full_disk_keeps_no_fault_in_force(lab: Lab, fault: str, is_interrupted: bool) -> None:
    cancellation = Cancellation()

    def filled() -> None:
        wait_for(lambda: "experiment.injected" in lab.kinds(), "an injection")
        fill(lab)
        if is_interrupted:
            cancellation.cancel()

    filling = threading.Thread(target=filled, daemon=True)
    filling.start()
    with pytest.raises(NotKept, match="its end cannot be written down") as told:
        lab.run(experiment(data(fault, hold=4.0)), cancellation=cancellation)
    filling.join()
    assert FULL in told.value.why
    assert "taken back: it" in told.value.why
    if is_interrupted:
        assert told.value.exit_code is ExitCode.SIGINT, "what is worse than no data stays so"
    elif fault == "server-latency":
        assert "it found PASS (0), and without a record no pass counts" in told.value.why
        assert told.value.exit_code is ExitCode.NO_DATA
    assert lab.servers.in_force == 0
    assert lab.cluster.get_workload(FRAUD).replicas_wanted == 3

    with pytest.raises(CannotRecord, match="swept cannot be written down"):
        lab.sweep()
    make_room(lab)
    (swept,) = lab.sweep()
    assert swept.residue == ()
    assert get_run(lab.journal, "latest").status == "swept"
    assert lab.sweep() == ()


@pytest.mark.parametrize("is_file", [False, True], ids=["the journal", "its folder"])
def test_nothing_is_injected_whose_end_could_not_be_written_down(lab: Lab, is_file: bool) -> None:
    if is_file:
        lab.means.folders.write_text("no folder")
    else:
        fill(lab)
    with pytest.raises(GateNotMet, match="cannot be written down; nothing was injected"):
        lab.run(experiment(data()))
    assert lab.servers.read()["ever"] == []


def test_a_sweep_takes_back_on_a_full_disk_and_says_that_it_is_not_written(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.servers.script(stuck=True)
    lab.run(experiment(data()))
    assert lab.servers.in_force == 1
    lab.servers.script()
    fill(lab)
    with pytest.raises(CannotRecord) as told:
        lab.sweep()
    assert lab.servers.in_force == 0, told.value.why


def test_a_journal_that_another_process_holds_at_the_end_is_no_refusal(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """75 would read as if nothing had been injected, and a gate may waive it."""
    append = lab.journal.append

    def held(kind: str, *given: object) -> object:
        if kind == "experiment.finished":
            raise Busy("the journal is held by another process")
        return append(kind, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(lab.journal, "append", held)
    with pytest.raises(NotKept, match="its end cannot be written down") as told:
        lab.run(experiment(data("server-latency", hold=2.0)))
    assert told.value.exit_code is ExitCode.NO_DATA


def test_a_journal_that_cannot_be_asked_for_a_while_costs_no_verdict(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = itertools.count()

    def held(*_: object) -> str:
        if next(asked) < 20:
            raise Busy("the journal is held by another process")
        return ""

    monkeypatch.setattr(running, "asked_of", held)
    assert lab.run(experiment(data("server-latency", hold=2.0))).judged.verdict is Verdict.PASS
    assert next(asked) > 1
