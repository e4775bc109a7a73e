"""Watchers that respond, and are stopped or killed at it: one goes on, and nothing is applied twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock, to_rfc3339
from maestro_cli.core.crashpoints import VARIABLE
from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.register import find_incident, list_incidents
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.crash.incidents.responder import PROJECTIONS

pytestmark = pytest.mark.crash
ROOT = Path(__file__).parents[3]

PLAYBOOK = """\
maestro: playbook/v1
id: play
trigger: {alert: {matchers: ['alertname="ErrorBudgetBurn"']}}
policy: {mode: auto, max_runs_per_hour: 9}
steps: [{runbook: book}]
"""
RUNBOOK = """\
---
maestro: runbook/v1
id: book
title: Mend it
---

```sh {id=first mutates timeout=5m}
FIRST
```

```sh {probe=first}
test -e first
```

```change {id=mend}
kind: rollback
target: deploy/fraud
namespace: ml
```
"""
AT_ONCE = "echo first >> first"
# Says which watcher runs it, and ends when the test lets it.
HELD = "echo $PPID > pid.new; mv pid.new pid; until test -e go; do sleep 0.1; done; echo first >> first"


def prepare(folder: Path, first: str) -> None:
    for name, text in (("playbooks/play.yaml", PLAYBOOK), ("runbooks/book.md", RUNBOOK)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text.replace("FIRST", first))


@contextmanager
def watcher(folder: Path, name: str, crash_at: str = "") -> Iterator[subprocess.Popen[str]]:
    """A watcher with `--respond`, as a process; it never outlives the context."""
    log = (folder / f"{name}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.incidents.responder", str(folder), name],
        cwd=ROOT,
        env={**os.environ, VARIABLE: crash_at},
        stderr=log,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def eventually(holds: Callable[[], bool], folder: Path) -> None:
    patience = threading.Event()
    for _ in range(2400):
        if holds():
            return
        patience.wait(0.05)
    logs = "\n".join(f"{path.name}:\n{path.read_text()}" for path in sorted(folder.glob("*.log")))
    raise AssertionError(f"it did not come to hold within two minutes\n{logs}")


@contextmanager
def record(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=SystemClock())
    try:
        yield journal
    finally:
        journal.close()


def is_over(journal: Journal) -> bool:
    return any(incident.state is State.POSTMORTEM for incident in list_incidents(journal))


def ended_well(folder: Path, journal: Journal) -> Incident:
    """One incident, one run, each effect once, and a record that holds."""
    (incident,) = list_incidents(journal)
    assert incident.state is State.POSTMORTEM
    assert (folder / "changes" / "world").read_text().count("\n") == 1
    assert (folder / "runbooks" / "first").read_text() == "first\n"
    assert len(journal.events(kinds=("run.started",))) == 1
    assert len(journal.events(kinds=("incident.mitigated",))) == 1
    assert len(journal.events(kinds=("incident.postmortem_published",))) == 1
    assert journal.events(kinds=("incident.handed_over",)) == []
    assert verify(journal.path, PROJECTIONS).intact
    return incident


@pytest.mark.parametrize(
    "place",
    [
        "response.begun",
        "run.before:run.started",
        "run.after:run.started",
        "run.after:step.intended:first",
        "run.before:step.finished:first",
        "run.after:step.intended:mend",
        "run.before:step.finished:mend",
        "run.before:run.finished",
        "run.after:run.finished",
    ],
)
def test_a_response_killed_anywhere_is_gone_on_with_by_the_next_watcher(tmp_path: Path, place: str) -> None:
    prepare(tmp_path, AT_ONCE)
    with watcher(tmp_path, "first", place) as first:
        assert first.wait(120) == -signal.SIGKILL, f"{place} was never reached"
    with record(tmp_path) as journal, watcher(tmp_path, "next"):
        eventually(lambda: is_over(journal), tmp_path)
        ended_well(tmp_path, journal)


def polls(folder: Path) -> list[int]:
    """How often each of the two has looked at the alerts."""
    files = [folder / f"{name}.polls" for name in "ab"]
    return [path.stat().st_size if path.exists() else 0 for path in files]


def test_of_two_watchers_one_responds_and_the_other_goes_on_when_it_is_killed(tmp_path: Path) -> None:
    prepare(tmp_path, HELD)
    pid = tmp_path / "runbooks" / "pid"
    with (
        watcher(tmp_path, "a") as one,
        watcher(tmp_path, "b") as other,
        record(tmp_path) as journal,
    ):
        try:
            eventually(pid.exists, tmp_path)
            at_work = {one.pid: one, other.pid: other}[int(pid.read_text())]
            enough = [was + 20 for was in polls(tmp_path)]
            eventually(lambda: all(map(int.__gt__, polls(tmp_path), enough)), tmp_path)
            meanwhile = len(journal.events(kinds=("incident.response_begun",)))
            at_work.kill()
            assert at_work.wait() == -signal.SIGKILL
        finally:
            (tmp_path / "runbooks" / "go").touch()
        eventually(lambda: is_over(journal), tmp_path)
        incident = ended_well(tmp_path, journal)
        begun = [event.actor for event in journal.events(kinds=("incident.response_begun",))]
    assert meanwhile == 1, "while one responds the other begins nothing"
    assert sorted(begun) == ["a", "b"]
    assert incident.owner == begun[-1]


def test_a_watcher_that_is_told_to_stop_stops_and_the_next_goes_on(tmp_path: Path) -> None:
    prepare(tmp_path, HELD)
    pid = tmp_path / "runbooks" / "pid"
    with watcher(tmp_path, "first") as first:
        eventually(pid.exists, tmp_path)
        first.send_signal(signal.SIGTERM)
        assert first.wait(120) == 0
    pid.unlink()
    with record(tmp_path) as journal:
        assert find_incident(journal, "latest").state is State.MITIGATING
        assert (
            journal.query("SELECT name FROM leases WHERE until > ?", (to_rfc3339(SystemClock().now()),)) == []
        )
        (tmp_path / "runbooks" / "go").touch()
        with watcher(tmp_path, "next"):
            eventually(lambda: is_over(journal), tmp_path)
            ended_well(tmp_path, journal)
