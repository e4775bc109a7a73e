"""What an incident starts, by watchers that race and are killed: taken once, done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.crashpoints import VARIABLE
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.history import RunHistory
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.runbooks.plays import PlayStatus, list_plays
from tests.crash.incidents.errand_worker import PROJECTIONS, work
from tests.unit.incidents.world import alert

pytestmark = pytest.mark.crash
ROOT = Path(__file__).parents[3]
PLAYBOOK = """\
maestro: playbook/v1
id: play
trigger: {incident: {event: opened}}
policy: {mode: auto, max_runs_per_hour: 9}
steps: [{runbook: book}, {runbook: book}]
notifications: [{to: 'env:CHAT', on: [succeeded]}]
"""
RUNBOOK = """\
# Say it

```sh {id=a mutates}
echo "$MAESTRO_RUN" >> ../said
```

```sh {probe=a}
grep -q "$MAESTRO_RUN" ../said
```
"""


def prepare(folder: Path) -> None:
    for name, text in (("playbooks/play.yaml", PLAYBOOK), ("runbooks/book.md", RUNBOOK)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    (folder / "said").touch()
    clock = SystemClock()
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=clock)
    one = alert(starts_at=clock.now())
    Detector(journal, clock, "watch").ingest([one], source="alertmanager-api")
    journal.close()


def watcher(folder: Path, name: str, crash_at: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.crash.incidents.errand_worker", str(folder), name]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, VARIABLE: crash_at})


def ended_well(folder: Path) -> None:
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=SystemClock())
    try:
        (play,) = list_plays(journal)
        runs = RunHistory(journal).list()
    finally:
        journal.close()
    assert (play.status, [run.status for run in runs]) == (PlayStatus.SUCCEEDED, [RunStatus.SUCCEEDED] * 2)
    assert sorted((folder / "said").read_text().split()) == sorted(run.id for run in runs)
    assert (folder / "told").read_text() == "succeeded\n"
    assert verify(folder / "journal.db", PROJECTIONS).intact


@pytest.mark.parametrize(
    "place",
    [
        "playbook.after:begun",
        "errand.held",
        "run.after:step.intended:a",
        "run.after:run.finished",
        "playbook.after:came_to",
    ],
)
def test_one_that_is_killed_is_gone_on_with_by_the_next(tmp_path: Path, place: str) -> None:
    prepare(tmp_path)
    assert watcher(tmp_path, "first", place).wait(180) == -signal.SIGKILL, f"{place} was never reached"
    work(tmp_path, "next")
    ended_well(tmp_path)


def test_of_several_that_look_at_once_one_takes_it(tmp_path: Path) -> None:
    prepare(tmp_path)
    watchers = [watcher(tmp_path, name) for name in "abc"]
    try:
        assert [one.wait(180) for one in watchers] == [0, 0, 0]
    finally:
        for one in watchers:
            one.kill()
            one.wait()
    ended_well(tmp_path)
