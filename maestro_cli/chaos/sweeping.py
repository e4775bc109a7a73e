"""Takes away what runs left whose process died.

Invariant: only what the journal says was intended and not undone is taken back; twice is as once. A run that
a living process works on is left to it, and one that cannot be swept keeps no other from it. What cannot be
taken back stays in the way of every other run until it is over, or somebody answers for leaving it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.history import unfinished_runs, working_run
from maestro_cli.chaos.ledger import (
    ExperimentLedger,
    events_of,
    in_force_of,
    left_in_force,
    started_of,
)
from maestro_cli.chaos.ports import Platform
from maestro_cli.chaos.regions.recording import DIED, record_unshown
from maestro_cli.chaos.undoing import end_of, is_remedy, residue_of, undo_changes
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import Busy, CannotRecord
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.journal.store import Journal

_QUIET = Quiet()


@dataclass(frozen=True, slots=True)
class Swept:
    """One run: the faults that were taken back, what is still there, and what somebody chose to leave so."""

    run: str
    faults: tuple[str, ...]
    residue: tuple[str, ...]
    left: tuple[str, ...] = ()


def sweep(
    journal: Journal,
    platform: Platform,
    pipeline: ChangePipeline,
    clock: Clock,
    *,
    run: str = "",
    leave: str = "",
    progress: Progress = _QUIET,
) -> tuple[Swept, ...]:
    """Every run that is not over and that nobody works on, or that one. Raises what the journal raises.

    `leave` is why what cannot be taken back may stay as it is: it is in no other run's way after that.
    """
    left = unfinished_runs(journal)  # first: who works on one that began since is found below
    working = working_run(journal)
    made: list[Swept] = []
    unwritten = ""
    for one in left:
        if one != working and run in ("", one):
            progress.phase("sweep", one)
            ledger = ExperimentLedger(journal, one, pipeline.actor)
            made.append(_sweep(platform, pipeline, clock, ledger, leave))
            unwritten = unwritten or ledger.unwritten
    if unwritten:
        raise CannotRecord(
            "what was swept cannot be written down",
            why=_words(made, unwritten),
            fix="make room, and sweep again",
        )
    return tuple(made)


def _words(made: Sequence[Swept], unwritten: str) -> str:
    taken = [name for one in made for name in one.faults] or ["nothing"]
    left = [text for one in made for text in one.residue] or ["nothing"]
    return f"{unwritten}; taken back: {', '.join(taken)}; left: {'; '.join(left)}"


def _sweep(
    platform: Platform, pipeline: ChangePipeline, clock: Clock, ledger: ExperimentLedger, leave: str
) -> Swept:
    journal, run = ledger.journal, ledger.run
    taken, failed = [], []
    newest_first = left_in_force(journal, run)[::-1]
    recovery = started_of(journal, run).get("recovery_seconds") or 0.0
    for fault in sorted(newest_first, key=is_remedy):
        error = undo_changes(pipeline, clock, fault, end_of(run), recovery_seconds=recovery)
        ledger.undone(fault.order.name, "a sweep", error)
        if error:
            failed.append(f"{fault.order.name}: {error}")
        else:
            taken.append(fault.order.name)
    everything = [
        in_force_of(event.data) for event in events_of(journal, run) if event.kind == "experiment.intended"
    ]
    residue = (*failed, *residue_of(platform, clock, everything))
    try:
        record_unshown(journal, ledger.actor, run, DIED)
    except (CannotRecord, Busy) as error:
        ledger.unwritten = "; ".join(filter(None, (error.what, error.why)))
    ledger.swept(taken, residue)
    if residue and leave:
        ledger.left(residue, leave)
        return Swept(run, tuple(taken), (), residue)
    return Swept(run, tuple(taken), residue)
