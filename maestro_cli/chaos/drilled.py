"""A run that is a drill's: its fault is in force until somebody responded, and what it did is sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maestro_cli.changes.sealing import sealed_cause
from maestro_cli.chaos.model import Experiment
from maestro_cli.core.cancellation import Cancellation


@dataclass(frozen=True, slots=True)
class Drilled:
    """The run `run` of the drill `drill`; `response` is set once the response is over, however it went."""

    run: str
    drill: str
    response: Cancellation

    @property
    def cause(self) -> str:
        """What its changes say of why they were made."""
        return sealed_cause(self.drill, f"experiment {self.run}")


def as_drilled(experiment: Experiment) -> Experiment:
    """With the fault in force for as long as its drill may take; another one as it is."""
    guarded = experiment.guarded
    if guarded is None or guarded.drill is None:
        return experiment
    return replace(experiment, guarded=replace(guarded, duration_seconds=guarded.drill.duration_seconds))
