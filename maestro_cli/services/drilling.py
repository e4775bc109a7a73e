"""Experiments as drills: which there are, and what they may expect of a response."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, cast

from maestro_cli.chaos.drills.expected import Known, drills_among, faults_of, scenario_of
from maestro_cli.chaos.drills.model import EXPERIMENTS
from maestro_cli.core.errors import Busy, Interrupted, InvalidFile, MaestroError, NotFound

if TYPE_CHECKING:
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.chaos.model import Experiment
    from maestro_cli.chaos.sweeping import Swept
    from maestro_cli.journal.model import Event
    from maestro_cli.services.experimenting import ExperimentServices
    from maestro_cli.services.root import Services

_EXPERIMENT = "experiment"  # the key of what a drill left that is one


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


def clear_killed_drills(
    services: ExperimentServices, run: str = "", *, stuck: Collection[str] = ()
) -> tuple[Swept, ...]:
    """Put back the rest of what drills left that were killed or have no record of their end, of that run or
    all, and dismiss what they opened; those that are no experiment, which no run tells of.

    Not of runs that are `stuck`: something of them is still there. While a drill or an experiment is at work
    nothing is done, for it may be on the same workload: which one is alive, its lease says. What of one
    cannot be put back is its residue, and keeps no other from it. Raises Interrupted.
    """
    from maestro_cli.chaos.drills.conductor import DRILLS, unfinished
    from maestro_cli.chaos.history import working_run
    from maestro_cli.chaos.keeping import Keeper
    from maestro_cli.chaos.sweeping import Swept

    def is_meant(event: Event) -> bool:
        left = event.data["undo"].get(_EXPERIMENT)
        of = "" if left is None else left["run"]
        return run in ("", of) and of not in stuck

    if working_run(services.journal) or not any(map(is_meant, unfinished(services.journal))):
        return ()
    try:
        keeper = Keeper(services.journal, "sweep", DRILLS)
    except Busy:
        return ()
    made: list[Swept] = []
    try:
        # Again: one may have ended before the lease was free.
        for event in filter(is_meant, unfinished(services.journal)):
            try:
                made += _clear_killed(services, event)
            except Interrupted:
                raise
            except MaestroError as error:
                why = "; ".join(filter(None, (error.what, error.why, error.fix)))
                made.append(Swept(event.subject.removeprefix("drill/"), (), (why,)))
    finally:
        keeper.release()
    return tuple(made)


def _clear_killed(services: ExperimentServices, event: Event) -> Iterator[Swept]:
    """Told where it is no experiment. What was left on a workload that is gone now is nobody's any more."""
    from maestro_cli.chaos.drills.conductor import GONE, told_places
    from maestro_cli.chaos.drills.defects import clear
    from maestro_cli.chaos.drills.defects.defect import Scene, is_gone
    from maestro_cli.chaos.sweeping import Swept
    from maestro_cli.core.refs import parse_workload_ref
    from maestro_cli.services.rehearsing import embedded_ensemble

    ensemble, undo, by = embedded_ensemble(cast("Services", services)), event.data["undo"], "a sweep"
    targets = [parse_workload_ref(place) for place in told_places(event.data)]
    drill = event.subject.removeprefix("drill/")
    scene = Scene(ensemble, targets[0], drill, services.clock)
    try:
        clear(undo, scene)
    except NotFound:
        if not is_gone(scene):
            raise
        by = GONE
    services.journal.append("drill.undone", event.subject, services.actor, {"by": by})
    for target in targets:
        ensemble.responder.dismiss_drills(target, "left open by a drill that was killed")
    if _EXPERIMENT not in undo:
        yield Swept(drill, (f"what {event.data.get('scenario', 'a scenario')} broke",), ())


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
