"""Takes away what runs left whose process died.

Invariant: only what the journal says was intended and not undone is taken back; twice is as once. A run that
a living process works on is left to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.history import unfinished_runs, working_run
from maestro_cli.chaos.injecting import residue_of, undo_changes
from maestro_cli.chaos.ledger import ExperimentLedger, events_of, in_force_of, left_in_force
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.clock import Clock
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.journal.store import Journal

_QUIET = Quiet()


@dataclass(frozen=True, slots=True)
class Swept:
    """One run: the faults that were taken back, and what is still there."""

    run: str
    faults: tuple[str, ...]
    residue: tuple[str, ...]


def sweep(
    journal: Journal,
    platform: Platform,
    pipeline: ChangePipeline,
    clock: Clock,
    *,
    run: str = "",
    progress: Progress = _QUIET,
) -> tuple[Swept, ...]:
    """Every run that is not over and that nobody works on, or that one. Raises what the journal raises."""
    working = working_run(journal)
    wanted = [one for one in unfinished_runs(journal) if one != working and run in ("", one)]
    return tuple(_sweep(journal, platform, pipeline, clock, one, progress) for one in wanted)


def _sweep(
    journal: Journal, platform: Platform, pipeline: ChangePipeline, clock: Clock, run: str, progress: Progress
) -> Swept:
    ledger = ExperimentLedger(journal, run, pipeline.actor)
    progress.phase("sweep", run)
    faults, failed = left_in_force(journal, run), []
    for fault in reversed(faults):
        error = undo_changes(pipeline, clock, fault, run)
        ledger.undone(fault.order.name, "a sweep", error)
        if error:
            failed.append(f"{fault.order.name}: {error}")
    everything = [
        in_force_of(event.data) for event in events_of(journal, run) if event.kind == "experiment.intended"
    ]
    residue = (*failed, *residue_of(platform, clock, everything))
    names = tuple(fault.order.name for fault in faults)
    ledger.swept(names, residue)
    return Swept(run, names, residue)
