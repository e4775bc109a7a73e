"""Several watchers, and watchers that die: one incident, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify

pytestmark = pytest.mark.crash

ROUNDS = 20

# Waits for a line on stdin before each delivery, so that both processes start it at once.
WATCHER = """
import sys
from pathlib import Path
from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal
from tests.unit.incidents.world import alert

clock = SystemClock()
journal = Journal(Path(sys.argv[1]), projections=[IncidentProjection()], clock=clock)
detector = Detector(journal, clock, sys.argv[2])
print("ready", flush=True)
for line in sys.stdin:
    number, count = line.split()
    alerts = [alert(deployment=f"service-{number}", service="", pod=f"p{n}") for n in range(int(count))]
    report = detector.ingest(alerts, source="alertmanager-api")
    print(len(report.opened), report.attached, report.duplicates, flush=True)
"""


def start(path: Path, name: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().split()]


def stop(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.kill()
        process.communicate()


def test_two_processes_that_race_open_one_incident(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    processes: list[subprocess.Popen[str]] = []
    try:
        processes += [start(path, "watch-a")]
        processes += [start(path, "watch-b")]
        for number in range(ROUNDS):
            for process in processes:
                say(process, f"{number} 5")
            answers = [hear(process) for process in processes]
            assert sum(answer[0] for answer in answers) == 1, answers
            assert sum(answer[1] for answer in answers) == 5, answers
    finally:
        stop(processes)
    journal = Journal(path, projections=[IncidentProjection()], clock=SystemClock())
    incidents = list_incidents(journal)
    assert len(incidents) == ROUNDS
    assert {incident.signals for incident in incidents} == {5}
    assert sorted(incident.number for incident in incidents) == list(range(1, ROUNDS + 1))
    journal.close()
    assert verify(path, [IncidentProjection()]).intact


def test_a_killed_watcher_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Killed at any point of a delivery, the next watcher takes the same answer up."""
    path = tmp_path / "journal.db"
    for number in range(8):
        process = start(path, f"watch-{number}")
        try:
            say(process, f"{number} 150")
            if number % 2:
                hear(process)  # let some deliveries end, cut others off wherever they are
            os.kill(process.pid, signal.SIGKILL)
        finally:
            stop([process])
        survivor = start(path, "survivor")
        try:
            say(survivor, f"{number} 150")
            _, attached, duplicates = hear(survivor)
        finally:
            stop([survivor])
        assert (attached, duplicates) in ((150, 0), (0, 150)), "a delivery is whole or not at all"
    journal = Journal(path, projections=[IncidentProjection()], clock=SystemClock())
    incidents = list_incidents(journal)
    assert len(incidents) == 8
    assert {incident.signals for incident in incidents} == {150}
    journal.close()
    assert verify(path, [IncidentProjection()]).intact
