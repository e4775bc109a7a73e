"""Whoever merges incidents is killed: each merge is whole, or did not happen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.model import State
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents, signals_of
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[3]
ROUNDS = 4

# Merges one incident after another into the first, and says so after each.
MERGER = """
import sys
from pathlib import Path
from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import State
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal

clock = SystemClock()
journal = Journal(Path(sys.argv[1]), projections=[IncidentProjection()], clock=clock)
desk = IncidentDesk(journal, clock, "ana")
for one in desk.list():
    if one.number > 1 and one.state is State.DETECTED:
        desk.merge(one.id, "1")
        print(one.number, flush=True)
"""


def test_a_merge_whose_process_is_killed_is_whole_or_not_there(tmp_path: Path) -> None:
    from maestro_cli.incidents.intake.detector import Detector
    from tests.unit.incidents.world import alert

    path, clock = tmp_path / "journal.db", SystemClock()
    journal = Journal(path, projections=[IncidentProjection()], clock=clock)
    alerts = [alert(deployment=f"d{n}", service="", pod=f"p{m}") for n in range(60) for m in range(3)]
    Detector(journal, clock, "watch").ingest(alerts, source="alertmanager-api")
    told = 0
    for round_number in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, "-c", MERGER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        for _ in range(3 + round_number):
            told += bool(process.stdout.readline().strip())  # nothing once all are merged
        process.send_signal(signal.SIGKILL)
        told += len(process.stdout.read().split())  # what it said before it was gone
        process.wait(60)
        process.stdout.close()
    incidents = list_incidents(journal)
    first = next(one for one in incidents if one.number == 1)
    gone = [one for one in incidents if one.state is State.MERGED]
    assert 3 < told <= len(gone) <= told + ROUNDS  # one may be durable and not told
    assert {one.merged_into for one in gone} == {first.id}
    for one in incidents:
        assert len(signals_of(journal, one.id)) == (0 if one in gone else 3 + 3 * len(gone) * (one == first))
    assert verify(path, [IncidentProjection()]).intact
    journal.close()
