"""A watcher that takes a stream of signals in batches, to be killed: `signal_worker.py JOURNAL FROM COUNT`.

It begins with the batch that its sender does not know to be stored. For each line that it reads it takes one
batch, twice, as a webhook and a poll tell it, and prints how many signals are stored by then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.model import EVERY_SIGNAL, RuleBook
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.projection import RunsProjection
from tests.unit.incidents.world import alert

ROOT = Path(__file__).parents[3]
BATCH = 250
WORKLOADS = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is in the journal after all kills; of `lost` and `doubled` there must be none."""

    kills: int
    lost: int
    doubled: int
    incidents: int
    doubled_keys: int
    is_intact: bool


def projections() -> tuple[IncidentProjection, RulesProjection, RunsProjection]:
    return IncidentProjection(), RulesProjection(), RunsProjection()


def signal_number(number: int) -> Alert:
    return alert(deployment=f"service-{number % WORKLOADS}", service="", pod=f"pod-{number}")


def work(path: Path, first: int, count: int) -> None:
    clock = SystemClock()
    journal = Journal(path, projections=projections(), clock=clock)
    detector = Detector(journal, clock, "watch", bindings=Bindings((), RuleBook((EVERY_SIGNAL,))))
    for start in range(first, count, BATCH):
        sys.stdin.readline()
        batch = [signal_number(number) for number in range(start, min(start + BATCH, count))]
        detector.ingest(batch, source="alertmanager-webhook")
        detector.ingest(batch, source="alertmanager-api")
        sys.stdout.write(f"{start + len(batch)}\n")
        sys.stdout.flush()
    journal.close()
    sys.stdin.read()  # its sender ends it


def stream_with_kills(path: Path, count: int, kills: int, seed: int) -> Outcome:
    """Let watchers take `count` signals one after another, all but the last killed while they take a batch.

    A watcher has one batch more than it has answered for, so that it is at work when it is killed.
    """
    stored = 0
    for cut in sorted(Random(seed).sample(range(BATCH, count - BATCH, BATCH), kills)):
        with _worker(path, stored, count) as worker:
            stored = _until(worker, stored, cut)
            os.kill(worker.pid, signal.SIGKILL)
            assert worker.wait() == -signal.SIGKILL
    with _worker(path, stored, count) as worker:
        assert _until(worker, stored, count) == count
    return _outcome(path, count, kills)


def _until(worker: subprocess.Popen[str], stored: int, target: int) -> int:
    """Hand batches over until so many signals are stored, and one more; returns how many are known to be."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("more\n")
    worker.stdin.flush()
    while stored < target:
        worker.stdin.write("more\n")
        worker.stdin.flush()
        stored = int(worker.stdout.readline())
    return stored


@contextmanager
def _worker(path: Path, first: int, count: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.incidents.signal_worker", str(path), str(first), str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # closes its pipes
        try:
            yield process
        finally:
            process.kill()


def _outcome(path: Path, count: int, kills: int) -> Outcome:
    journal = Journal(path, projections=projections(), clock=SystemClock())
    attached = Counter(
        event.data["signal"]["fingerprint"]
        for event in journal.events(kinds=("incident.signal",))
        if event.data["phase"] == "attached"
    )
    incidents = list_incidents(journal, limit=2 * WORKLOADS)
    journal.close()
    expected = {signal_number(number).fingerprint for number in range(count)}
    keys = Counter(one.key for one in incidents)
    return Outcome(
        kills=kills,
        lost=len(expected - attached.keys()),
        doubled=sum(times - 1 for times in attached.values()),
        incidents=len(incidents),
        doubled_keys=sum(times - 1 for times in keys.values()),
        is_intact=verify(path, projections()).intact,
    )


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
