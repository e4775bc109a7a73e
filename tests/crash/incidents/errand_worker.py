"""A watcher that runs what an incident starts, to be killed: `errand_worker.py FOLDER NAME`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.progress import Quiet
from maestro_cli.core.redaction import Redactor
from maestro_cli.incidents.response.errands import Errands
from maestro_cli.journal.messages import Attempt, Delivery, OutboxProjection, Outcome
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog
from maestro_cli.runbooks.playbooks.running import PlaybookRunner
from maestro_cli.runbooks.plays import list_plays
from maestro_cli.runbooks.runner import RunbookRunner
from tests.crash.incidents import responder
from tests.unit.runbooks.bench import Answers, FileChanges, Systems

PROJECTIONS = (*responder.PROJECTIONS, OutboxProjection())


class Told:
    """Hands messages over by writing what they tell of into `told`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "told"

    def send(self, message: Delivery) -> Attempt:
        with self._file.open("a") as told:
            told.write(f"{message.content['moment']}\n")
        return Attempt(Outcome.DELIVERED, "written")


def work(folder: Path, name: str) -> None:
    """Look until what the incident started has ended."""
    clock = SystemClock()
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=clock)
    runner = RunbookRunner(
        journal,
        metrics=Answers(),
        changes=FileChanges(folder / "changes"),
        systems=Systems(),
        clock=clock,
        actor=name,
        redactor=Redactor(),
    )
    outbox = Outbox(journal, Told(folder), clock=clock, actor=name)
    plays = PlaybookRunner(journal, RunbookCatalog([folder / "runbooks"]), runner, outbox, clock, name)
    errands = Errands(
        journal,
        PlaybookCatalog([folder / "playbooks"]).all(),
        plays,
        judged=lambda found: found,
        clock=clock,
        cancellation=Cancellation(),
        progress=Quiet(),
    )
    patience = threading.Event()
    for _ in range(2400):
        errands.look()
        if all(one.status.final for one in list_plays(journal)):
            break
        patience.wait(0.05)
    errands.stop()
    outbox.deliver_due()
    journal.close()


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
