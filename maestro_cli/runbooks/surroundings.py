"""What a run is given by its front end, and what one attempt at a step gets of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.progress import Progress
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.model import Confirm, Runs, Step, StepOutcome
from maestro_cli.runbooks.ports import ChangePort, MetricsPort, SystemsPort
from maestro_cli.runbooks.questions import Asking
from maestro_cli.runbooks.steps.kind import Work


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run is given by its front end; `decisions` say `done` or `redo` for steps left unknown."""

    metrics: MetricsPort
    changes: ChangePort
    systems: SystemsPort
    runs: Runs
    clock: Clock
    redactor: Redactor
    environment: Mapping[str, str]
    progress: Progress
    cancellation: Cancellation
    confirm: Confirm
    decisions: Mapping[str, str] = field(default_factory=dict)
    stand_in: Callable[[Step], StepOutcome] | None = None  # in the place of every step: a rehearsal
    why_held: Callable[[], str] = lambda: ""  # why nothing may be altered now, asked before each such attempt

    def work(
        self,
        file: str,
        *,
        run_id: str,
        key: str,
        values: Mapping[str, str],
        secrets: Mapping[str, str],
        redactor: Redactor,
        progress: Progress,
        confirm: Confirm,
        asking: Asking,
        incident: str | None = None,
        inherited: tuple[int, ...] = (),
    ) -> Work:
        """What one attempt at a step of the runbook in `file` works with."""
        return Work(
            run_id=run_id, key=key, incident=incident, values=values, folder=Path(file).resolve().parent,
            metrics=self.metrics, changes=self.changes, systems=self.systems, runs=self.runs, secrets=secrets,
            clock=self.clock, redactor=redactor, progress=progress, cancellation=self.cancellation,
            confirm=confirm, asking=asking, environment=self.environment, inherited=inherited,
        )  # fmt: skip
