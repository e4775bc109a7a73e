"""A watcher that escalates, to be killed: `escalation_worker.py FOLDER NAME`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any, cast

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.progress import Quiet
from maestro_cli.incidents.people.escalating import Escalations
from maestro_cli.incidents.people.oncall_file import read_oncall
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from tests.unit.incidents.people_room import PROJECTIONS


def work(folder: Path, name: str) -> None:
    """Look until everybody was told."""
    clock = SystemClock()
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=clock)
    outbox = Outbox(journal, cast("Any", None), clock=clock, actor=name)
    watcher = Escalations(
        journal, outbox, lambda: read_oncall(folder / "oncall.yaml"), lambda: cast("Any", None), name,
        clock=clock, cancellation=Cancellation(), progress=Quiet(),
    )  # fmt: skip
    patience = threading.Event()
    for _ in range(2400):
        watcher.look()
        if journal.events(kinds=("incident.escalation_exhausted",)):
            break
        patience.wait(0.05)
    watcher.stop()
    journal.close()


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
