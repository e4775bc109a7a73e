"""However an experiment is killed, a sweep takes its fault back, once, and nothing of it is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.chaos.history import get_run, list_runs
from maestro_cli.core.crashpoints import VARIABLE
from maestro_cli.journal.verification import verify
from tests.contract.chaos.lab import Lab
from tests.patience import wait_for

pytestmark = pytest.mark.crash

TOLD = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
RUNS = int(os.environ.get("CHAOS_INTERRUPTIONS", "12"))  # 200 by `make test-interruptions`
POINTS = (
    "experiment.before-intended",
    "experiment.after-intended",
    "change.before-planned",
    "change.after-planned",
    "change.after-call",
    "experiment.after-injected",
    "change.after-call#2",
    "experiment.before-undone",
    "experiment.before-finished",
)


def start(folder: Path, hold: float = 0.3, *more: str, at: str = "") -> subprocess.Popen[bytes]:
    """With Ctrl-C as in a terminal: what a shell starts in the background ignores it, as do its children."""
    command = [sys.executable, "-m", "tests.crash.chaos.experiment_worker", str(folder), str(hold), *more]
    return subprocess.Popen(
        command, env={**os.environ, **({VARIABLE: at} if at else {})}, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def children(folder: Path) -> list[int]:
    """Processes that perform experiments of this folder: they write their log there."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (path / "fd" / "1").readlink().is_relative_to(folder)
        except OSError:
            continue
        if is_ours:
            found.append(int(path.name))
    return found


def swept(folder: Path) -> None:
    """Nothing is in force after a sweep, a second one finds nothing, and the journal is whole."""
    lab = Lab(folder)
    for one in lab.sweep():
        assert one.residue == ()
    assert lab.servers.in_force == 0
    assert lab.sweep() == ()
    assert all(run.is_over for run in list_runs(lab.journal))
    assert verify(folder / "journal.db").intact
    wait_for(lambda: children(folder) == [], "the end of the child")
    lab.journal.close()


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_record_it_leaves_what_a_sweep_takes_back(point: str, tmp_path: Path) -> None:
    process = start(tmp_path, at=point)
    assert process.wait(60) == -signal.SIGKILL
    swept(tmp_path)


def ended(folder: Path, seed: int) -> int:
    """What a run ended with that a signal reached at some instant of its life, which the seed draws."""
    chance = random.Random(seed)
    told = TOLD[seed % len(TOLD)]
    process = start(folder, hold=1.0)
    wait_for((folder / "journal.db").exists, "the journal")
    try:
        return process.wait(chance.uniform(0.0, 2.2))
    except subprocess.TimeoutExpired:
        process.send_signal(told)
        return process.wait(60)


@pytest.mark.parametrize("seed", range(RUNS))
def test_interrupted_at_any_instant_by_any_signal_nothing_is_left(seed: int, tmp_path: Path) -> None:
    code = ended(tmp_path, seed)
    # a signal that comes while Python itself ends, all done, ends it as if nobody caught it
    assert code in (0, 130, 143, *(-one for one in TOLD)), code
    if code != -signal.SIGKILL:
        lab = Lab(tmp_path)
        assert lab.servers.in_force == 0, "what is told to end takes its fault back itself"
        lab.journal.close()
    swept(tmp_path)


def test_a_swept_run_says_so_and_another_may_begin(tmp_path: Path) -> None:
    assert start(tmp_path, at="experiment.after-injected").wait(60) == -signal.SIGKILL
    lab = Lab(tmp_path)
    assert lab.servers.in_force == 1
    assert get_run(lab.journal, "latest").status == "interrupted"
    lab.journal.close()
    swept(tmp_path)
    assert start(tmp_path).wait(60) == 0


def test_no_number_of_signals_cuts_rollbacks_short(tmp_path: Path) -> None:
    process = start(tmp_path, 60.0, "rolls back")
    lab = Lab(tmp_path)
    wait_for(lambda: "experiment.injected" in lab.kinds(), "an injection")
    for number in range(5):
        process.send_signal((signal.SIGINT, signal.SIGTERM)[number % 2])
        wait_for(lambda: "experiment.stopping" in lab.kinds(), "the stop")
    assert process.wait(60) in (130, 143)
    assert (tmp_path / "rolled-back").exists()
    (run,) = list_runs(lab.journal)
    assert run.status == "finished"
    assert (Path(run.folder) / "journal.json").exists()
    lab.journal.close()
    swept(tmp_path)
