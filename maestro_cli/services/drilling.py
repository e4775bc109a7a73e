"""Experiments as drills: which there are, and what they may expect of a response."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from maestro_cli.chaos.drills.expected import Known, drills_among, faults_of, scenario_of
from maestro_cli.chaos.drills.model import EXPERIMENTS
from maestro_cli.core.errors import Busy, InvalidFile, UndoFailed

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.chaos.model import Experiment
    from maestro_cli.journal.model import Event
    from maestro_cli.services.experimenting import ExperimentServices
    from maestro_cli.services.root import Services


def experiment_drills(services: ExperimentServices) -> tuple[Scenario, ...]:
    """Each with the targets of the usual seed, by name."""
    from maestro_cli.chaos.drills.choice import USUAL_SEED

    read = [found for _, found in services.experiments() if not isinstance(found, InvalidFile)]
    return tuple(scenario_of(one, USUAL_SEED) for one in drills_among(read))


def experiment_drill(services: ExperimentServices, name: str, seed: int) -> Scenario:
    """Raises NotFound, InvalidFile for what it expects and there is not, UsageError where it is no drill."""
    experiment = services.experiment(name.removeprefix(EXPERIMENTS))
    for fault in expectations_of(services)(experiment):
        raise fault
    return scenario_of(experiment, seed)


def expectations_of(services: ExperimentServices) -> Callable[[Experiment], Iterable[InvalidFile]]:
    """What is wrong with what a drill expects; what there is is read once, where there is one."""
    known = cache(lambda: _known(services))

    def wrong(experiment: Experiment) -> Iterable[InvalidFile]:
        return faults_of(experiment, known()) if drills_among([experiment]) else ()

    return wrong


def clear_killed_drills(services: ExperimentServices, run: str = "", *, stuck: Collection[str] = ()) -> None:
    """Put back the rest of what killed drills left, of that run or all, and dismiss what they opened.

    Not of runs that are `stuck`: something of them is still there. While a drill is at work nothing is done:
    which one is alive, its lease says. Raises UndoFailed, once each was tried.
    """
    from maestro_cli.chaos.drills.conductor import DRILLS, unfinished
    from maestro_cli.chaos.keeping import Keeper

    def is_meant(left: Mapping[str, Any] | None) -> bool:
        return left is not None and run in ("", left["run"]) and left["run"] not in stuck

    if not any(is_meant(event.data["undo"].get("experiment")) for event in unfinished(services.journal)):
        return
    try:
        keeper = Keeper(services.journal, "sweep", DRILLS)
    except Busy:
        return
    failed: UndoFailed | None = None
    try:
        for event in unfinished(services.journal):  # again: one may have ended before the lease was free
            if is_meant(event.data["undo"].get("experiment")):
                try:
                    _clear_killed(services, event)
                except UndoFailed as error:
                    failed = failed or error
    finally:
        keeper.release()
    if failed is not None:
        raise failed


def _clear_killed(services: ExperimentServices, event: Event) -> None:
    from maestro_cli.chaos.drills.defects import clear
    from maestro_cli.chaos.drills.defects.defect import Scene
    from maestro_cli.core.refs import parse_workload_ref
    from maestro_cli.services.rehearsing import embedded_ensemble

    ensemble = embedded_ensemble(cast("Services", services))
    target = parse_workload_ref(event.data["target"])
    scene = Scene(ensemble, target, event.subject.removeprefix("drill/"), services.clock)
    clear(event.data["undo"], scene)
    services.journal.append("drill.undone", event.subject, services.actor, {"by": "a sweep"})
    ensemble.responder.dismiss_drills(target, "left open by a drill that was killed")


def _known(services: ExperimentServices) -> Known:
    """On the embedded platform: its alerts are those that ship."""
    from maestro_cli.changes.kinds import KINDS
    from maestro_cli.config.locations import shipped
    from maestro_cli.services.runbook_checks import alerts_of
    from maestro_cli.slo.files.reading import read_objectives

    books = services.runbooks.all()
    return Known(
        alerts={one.name for one in alerts_of(())},
        runbooks={book.id: [step.path for step in book.steps] for book in books},
        changes=tuple(KINDS),
        objectives=[one.name for one in read_objectives(shipped("deploy") / "objectives")],
    )
