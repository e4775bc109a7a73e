"""Experiments as drills: which there are, and what they may expect of a response."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import TYPE_CHECKING, cast

from maestro_cli.chaos.drills.expected import Known, drills_among, faults_of, scenario_of
from maestro_cli.chaos.drills.model import EXPERIMENTS
from maestro_cli.core.errors import InvalidFile

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.chaos.model import Experiment
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


def clear_killed_drills(services: ExperimentServices, swept: Collection[str]) -> None:
    """Put back the rest of what drills left whose runs were swept, and dismiss what they opened.

    Who works on a run has its lease: only those of dead processes are swept. Raises UndoFailed.
    """
    from maestro_cli.chaos.drills.conductor import unfinished
    from maestro_cli.core.refs import parse_workload_ref

    journal = services.journal
    for event in unfinished(journal) if swept else ():
        left = event.data["undo"].get("experiment")
        if left is None or left["run"] not in swept:
            continue
        from maestro_cli.chaos.drills.defects import clear
        from maestro_cli.chaos.drills.defects.defect import Scene
        from maestro_cli.services.rehearsing import embedded_ensemble

        ensemble, target = (
            embedded_ensemble(cast("Services", services)),
            parse_workload_ref(event.data["target"]),
        )
        scene = Scene(ensemble, target, event.subject.removeprefix("drill/"), services.clock)
        clear(event.data["undo"], scene)
        journal.append("drill.undone", event.subject, services.actor, {"by": "a sweep"})
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
