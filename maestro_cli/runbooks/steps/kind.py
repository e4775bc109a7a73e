"""What every kind of step offers, and what it is given to work with.

Invariant: `run` ends in an outcome or in an error of core.errors; it writes nothing to the journal,
and leaves no process behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.progress import Progress
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.model import Confirm, Runs, Step, StepOutcome
from maestro_cli.runbooks.ports import ChangePort, MetricsPort, SystemsPort
from maestro_cli.runbooks.questions import Asking


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt's surroundings. `values` are parameters and captures; `key` names the attempt's step
    for ever (`run/<id>/<path>`); `secrets` are known to `redactor` and are for this attempt alone;
    `inherited` are file descriptors a child process keeps open."""

    run_id: str
    key: str
    incident: str | None
    values: Mapping[str, str]
    folder: Path
    metrics: MetricsPort
    changes: ChangePort
    clock: Clock
    redactor: Redactor
    progress: Progress
    cancellation: Cancellation
    confirm: Confirm
    asking: Asking
    systems: SystemsPort
    runs: Runs
    secrets: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[int, ...] = ()


class StepKind(Protocol):
    def check(self, step: Step, file: str) -> None:
        """Raise InvalidFile for a fence that can never run."""

    def variables(self, step: Step) -> set[str]:
        """The names that must have a value before it can run."""

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Do it once."""
