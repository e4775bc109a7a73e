"""Escalations by watchers that race and are killed: each step is raised once, and none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.crashpoints import VARIABLE
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from tests.crash.incidents.escalation_worker import work
from tests.unit.incidents.people_room import PROJECTIONS
from tests.unit.incidents.world import alert

pytestmark = pytest.mark.crash
ROOT = Path(__file__).parents[3]
FILE = """maestro: oncall/v1
people: {ana: {channels: ["env:ANA"]}, ben: {channels: ["env:BEN"]}}
policies:
  all:
    steps:
      - {tell: [person:ana]}
      - {after: 1ms, tell: [person:ana, person:ben]}
      - {after: 2ms, tell: [channel:env:BOSS]}
"""


def prepare(folder: Path) -> None:
    (folder / "oncall.yaml").write_text(FILE, encoding="utf-8")
    clock = SystemClock()
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=clock)
    Detector(journal, clock, "watch").ingest([alert(starts_at=clock.now())], source="alertmanager-api")
    journal.close()


def watcher(folder: Path, name: str, crash_at: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.crash.incidents.escalation_worker", str(folder), name]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, VARIABLE: crash_at})


def everybody_was_told_once(folder: Path) -> None:
    clock = SystemClock()
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=clock)
    try:
        steps = [event.data["step"] for event in journal.events(kinds=("incident.escalated",))]
        kinds = [event.kind for event in journal.events()]
        messages = Outbox(journal, cast("Any", None), clock=clock, actor="test").messages(limit=-1)
    finally:
        journal.close()
    assert steps == [1, 2, 3]
    assert [kinds.count(f"incident.escalation_{word}") for word in ("begun", "exhausted")] == [1, 1]
    assert [one.channel for one in reversed(messages)] == ["env:ANA", "env:ANA", "env:BEN", "env:BOSS"]
    assert verify(folder / "journal.db", PROJECTIONS).intact


@pytest.mark.parametrize(
    "place",
    [
        "escalation.begun",
        "escalation.before:raised",
        "escalation.after:raised",
        "escalation.before:raised#2",
        "escalation.after:raised#3",
    ],
)
def test_what_a_killed_watcher_left_is_told_by_the_next(tmp_path: Path, place: str) -> None:
    prepare(tmp_path)
    assert watcher(tmp_path, "first", place).wait(120) == -signal.SIGKILL
    work(tmp_path, "second")
    everybody_was_told_once(tmp_path)


def test_watchers_that_race_tell_everybody_once(tmp_path: Path) -> None:
    prepare(tmp_path)
    racing = [watcher(tmp_path, f"watch, {number}") for number in range(3)]
    assert [one.wait(120) for one in racing] == [0, 0, 0]
    everybody_was_told_once(tmp_path)
