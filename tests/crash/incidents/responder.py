"""A watcher that responds, to be stopped and killed: `responder.py FOLDER NAME`.

Everything is real but the outside: alerts fire until the world was changed once, triage sees a recorded
platform, and changes are counted in files.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.facts.alerts import Alert
from maestro_cli.core.redaction import Redactor
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.watch import Watch
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.report.postmortem import PostMortem
from maestro_cli.incidents.response import lookout
from maestro_cli.incidents.response.duty import Duty
from maestro_cli.incidents.response.response import Crew, Response
from maestro_cli.incidents.triage.investigate import Triage
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks import PlaybookCatalog
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.incidents.platform import Recorded
from tests.unit.incidents.world import alert
from tests.unit.runbooks.bench import Answers, FileChanges, Systems

PROJECTIONS = (IncidentProjection(), RunsProjection())


class Feed:
    """Fires until the world was changed; each poll adds a byte to `polls`."""

    def __init__(self, changes: FileChanges, polls: Path) -> None:
        self._changes = changes
        self._polls = polls

    def alerts(self) -> tuple[Alert, ...]:
        with self._polls.open("a") as polls:
            polls.write(".")
        return () if self._changes.world else (alert(),)


class Lines:
    def phase(self, name: str, text: str) -> None:
        self.note(f"{name}: {text}")

    def update(self, text: str) -> None: ...

    def note(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")


def main(folder: Path, name: str) -> None:
    lookout.LOOK_SECONDS = 0.05
    clock, cancellation = SystemClock(), Cancellation()

    def handle(_number: int, _frame: Any) -> None:
        cancellation.cancel(terminated=True)

    signal.signal(signal.SIGTERM, handle)
    journal = Journal(folder / "journal.db", projections=PROJECTIONS, clock=clock)
    changes = FileChanges(folder / "changes")
    desk = IncidentDesk(journal, clock, name)
    runner = RunbookRunner(
        journal,
        metrics=Answers(),
        changes=changes,
        systems=Systems(),
        clock=clock,
        actor=name,
        redactor=Redactor(),
    )

    def write_postmortem(ref: str) -> Path:
        written = PostMortem(journal, clock, name).write(ref, folder / "postmortem.md")
        desk.publish_postmortem(ref, path=str(written.path), sha256=written.sha256)
        return written.path

    crew = Crew(
        desk,
        Triage(Recorded(), None, clock),
        PlaybookCatalog([folder / "playbooks"]),
        RunbookCatalog([folder / "runbooks"]),
        runner,
        write_postmortem,
    )
    duty = Duty(
        journal, Response(crew, journal, clock, name), name, clock=clock, cancellation=cancellation,
        progress=Lines(),
    )  # fmt: skip
    Watch(
        Detector(journal, clock, name),
        Feed(changes, folder / f"{name}.polls"),
        poll_seconds=0.1,
        webhook=None,
        clock=clock,
        cancellation=cancellation,
        duty=duty,
    ).run()
    journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
