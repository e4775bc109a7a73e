"""What is learnt from the runs of one loaded version. Invariant: every run that ended is noted once."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.serving.execution.cost import CostModel
from maestro_cli.serving.execution.pace import Pace
from maestro_cli.serving.telemetry.histogram import Distribution


@dataclass(frozen=True, slots=True)
class Record:
    """What a run costs, whether one may be on the event loop, and how many rows they had."""

    cost: CostModel
    pace: Pace
    run_rows: Distribution

    def note(self, rows: int, seconds: float, busy_seconds: float) -> None:
        """Learn from a run that took so long by the clock, and so much of a processor."""
        self.cost.note(rows, seconds)
        self.pace.note(rows, busy_seconds)
        self.run_rows.observe(rows)
