"""Playbooks that are started besides alerts, tried on: the journal is real, runs are counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.response.errands import Errands
from maestro_cli.journal.model import Projection
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import RunResult, RunStatus
from maestro_cli.runbooks.playbooks.matchers import parse_matcher
from maestro_cli.runbooks.playbooks.model import (
    AlertTrigger,
    Correlation,
    Playbook,
    PlaybookStep,
)
from maestro_cli.runbooks.playbooks.running import PlaybookRunner
from maestro_cli.runbooks.projection import RunsProjection
from tests.unit.incidents.watchers import Notes
from tests.unit.incidents.world import SetClock, alert

STEPS = (PlaybookStep("the-book", {}),)


class Room:
    """A journal with a detector, a desk, and playbooks of which each run is counted."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        projections: tuple[Projection, ...] = (IncidentProjection(), RunsProjection(), RulesProjection())
        self.journal = Journal(folder / "journal.db", projections=projections, clock=self.clock)
        self.detector = Detector(self.journal, self.clock, "watch")
        self.desk = IncidentDesk(self.journal, self.clock, "ana")
        self.notes, self.cancellation = Notes(), Cancellation()
        self.started: list[str] = []
        self.status = RunStatus.SUCCEEDED

    def fires(self, *, firing: bool = True, deployment: str = "fraud", service: str = "fraud") -> None:
        one = alert(firing=firing, deployment=deployment, service=service)
        self.detector.ingest([one], source="alertmanager-api")

    def errands(
        self, *playbooks: Playbook, judged: Any = None, drilling: bool = False, actor: str = "watch, a"
    ) -> Errands:
        """A watcher's; its runner counts the keys that it is asked to start."""
        plays = PlaybookRunner(self.journal, cast("Any", self), cast("Any", self), None, self.clock, actor)
        return Errands(
            self.journal, playbooks, plays, judged=judged or (lambda one: one), clock=self.clock,
            cancellation=self.cancellation, progress=self.notes, drilling=lambda: drilling,
        )  # fmt: skip

    def get(self, name: str) -> Any:
        return type("Book", (), {"id": name, "parameters": (), "file": name})

    def values(self, book: Any, *, given: Mapping[str, str], **_: Any) -> Mapping[str, str]:
        return given

    def start(self, book: Any, values: Mapping[str, str], *, key: str, **_: Any) -> RunResult:
        self.started.append(key)
        run = type("Run", (), {"id": "run-1", "runbook": "the-book", "status": self.status, "reason": "",
                               "waiting_for": ""})  # fmt: skip
        return cast("RunResult", type("Result", (), {
            "run": run, "id": "run-1", "status": self.status, "reason": "", "exit_code": 0,
            "ok": self.status is RunStatus.SUCCEEDED,
        }))  # fmt: skip


def bound(*group_by: str, threshold: int = 1, **more: Any) -> Playbook:
    trigger = AlertTrigger((parse_matcher("alertname=ErrorBudgetBurn"),))
    return Playbook(
        "burn", STEPS, alerts=(trigger,), correlation=Correlation(group_by, 300, threshold), **more
    )
