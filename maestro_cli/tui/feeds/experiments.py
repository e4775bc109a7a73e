"""Experiments as the console shows them: what there is, how each came out last, one with its runs.

Invariant: read through services that change nothing; a file that cannot be read hides no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import NotFound
from maestro_cli.tui.feeds.journal import journal_feed

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.history import Scored
    from maestro_cli.chaos.history import ExperimentRun
    from maestro_cli.chaos.model import Experiment
    from maestro_cli.core.errors import InvalidFile
    from maestro_cli.services.root import Services

MOST_RUNS = 200


@dataclass(frozen=True, slots=True)
class Staged:
    """An experiment that there is, or why its file cannot be read, and its runs, the newest first; `score` is
    that of its last drill.
    """

    name: str
    found: Experiment | InvalidFile
    runs: tuple[ExperimentRun, ...] = ()
    score: Scored | None = None

    @property
    def is_drill(self) -> bool:
        """Whether its file says what the response to it is to be."""
        guarded = getattr(self.found, "guarded", None)
        return guarded is not None and guarded.drill is not None

    @property
    def last(self) -> ExperimentRun | None:
        """The one that was begun last; what was only ever refused was begun never."""
        begun = (run for run in self.runs if run.status != "refused")
        return next(begun, self.runs[0] if self.runs else None)

    @property
    def status(self) -> str:
        return self.last.status if self.last else "not run yet"


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """One run; `journal` is its Chaos Toolkit journal with maestro's part, None while there is none."""

    run: ExperimentRun
    journal: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def status(self) -> str:
        return self.run.status


def read_experiments(services: Services, argument: str) -> tuple[Staged, ...]:
    """What is at work, or was interrupted, first, also of a file that is elsewhere; then by name."""
    from maestro_cli.chaos.drills.history import last_scores
    from maestro_cli.chaos.drills.model import EXPERIMENTS as DRILLS
    from maestro_cli.core.errors import InvalidFile

    runs, scores = services.experiment_runs("", MOST_RUNS), last_scores(services.journal)
    there = dict(services.experiments())
    for run in runs:
        if not run.is_over:
            there.setdefault(run.name, InvalidFile("is in no folder of experiments", file=run.file))
    staged = [
        Staged(name, found, tuple(run for run in runs if run.name == name), scores.get(f"{DRILLS}{name}"))
        for name, found in there.items()
    ]
    return tuple(sorted(staged, key=lambda one: (one.last is None or one.last.is_over, one.name)))


def read_experiment(services: Services, name: str) -> Staged:
    from maestro_cli.core.errors import InvalidFile

    runs = tuple(services.experiment_runs(name, MOST_RUNS))
    try:
        return Staged(name, services.experiment(name), runs)
    except InvalidFile as error:
        return Staged(name, error, runs)


def read_experiment_runs(services: Services, name: str) -> Sequence[ExperimentRun]:
    return tuple(services.experiment_runs(name, MOST_RUNS))


def read_experiment_run(services: Services, reference: str) -> FollowedRun:
    run = services.experiment_run(reference)
    if not run.is_over:
        return FollowedRun(run)
    try:
        return FollowedRun(run, dict(services.experiment_journal(run.id)))
    except NotFound:
        return FollowedRun(run)


EXPERIMENTS = journal_feed("experiments", read_experiments)
EXPERIMENT = journal_feed("experiment", read_experiment)
EXPERIMENT_RUNS = journal_feed("experiment-runs", read_experiment_runs)
EXPERIMENT_RUN = journal_feed("experiment-run", read_experiment_run)
