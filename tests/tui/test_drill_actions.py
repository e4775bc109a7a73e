"""Drills that are experiments, from the console: shown before they are played, and ended with the arming."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.chaos.drills.defects.experimented import Experimented
from maestro_cli.chaos.drills.history import Scored
from maestro_cli.chaos.drills.scenarios import SCENARIOS
from maestro_cli.chaos.model import Experiment
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted
from maestro_cli.core.progress import Progress, Quiet, Several
from maestro_cli.tui.acting.dispatcher import Agreed, Dispatcher, Ending
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.screens.drill_actions import PLAY, drill_of, why_not_played
from maestro_cli.tui.screens.experiment_actions import LiveExperiment
from maestro_cli.tui.screens.experiments import drill_words
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import ContextArmed
from tests.tui.cases import NOW, StillConsole, tell
from tests.tui.facts_of_experiments import RUN_AT_WORK, STAGED
from tests.tui.test_experiments_screen import Chaos, Says

LOCAL = "local"


class Stage(Chaos):
    """As the services of experiments, and drills of them; keeps what was played."""

    def __init__(self, **more: bool) -> None:
        super().__init__(**more)
        self.played: list[tuple[str, int]] = []
        self.heard: list[LiveExperiment] = []
        self.waits, self.agreed = False, ""

    def wanted_experiment(self, reference: str, *, seed: int | None, yes: bool) -> Any:
        assert reference == STAGED[0].name
        return super().wanted_experiment(STAGED[0].found.file, seed=seed, yes=yes)

    def experiment_drill(self, name: str, seed: int) -> Any:
        found = STAGED[0].found
        assert isinstance(found, Experiment)
        return replace(SCENARIOS[0], name=name, defect=Experimented(found, seed, None))

    def conductor(self, seed: int, cluster: str | None) -> Any:
        def run(scenario: Any, *, keep: bool, progress: Any, cancellation: Cancellation) -> Any:
            assert keep, "the platform that is up stays so"
            self.played.append((scenario.name, seed))
            self.agreed = scenario.defect.agreed
            hears: Progress = progress
            assert isinstance(progress, Several), "the run in it is told of, too"
            for word in ("before: met", "during: missed"):  # on a thread of its own, as a run tells it
                telling = threading.Thread(
                    target=progress.said, args=("experiment", f"steady state {word}"), daemon=True
                )
                telling.start()
                telling.join()
            hears.phase("detect", "waiting for an alert")
            while self.waits:
                cancellation.pause(0.05)
            return SimpleNamespace(drill="drl-1", passed=True, misses=())

        return SimpleNamespace(run=run)


def target() -> Target:
    return Target(LOCAL, "Experiment", STAGED[0].name, STAGED[0].name, drilled())


def drilled() -> Any:
    return SimpleNamespace(is_drill=True)


def ended(stage: Stage, asker: Says, *, armed: bool = True, led: list[Place] | None = None) -> Ending:
    console = StillConsole(stage, (LOCAL,), acting=stage)
    if armed:
        tell(console, ContextArmed(LOCAL, NOW + timedelta(minutes=5)))
    dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)
    told: list[LiveExperiment] = []
    dispatch = console.store.dispatch

    def hear(*events: Any) -> None:
        told.extend(one.data for one in events if isinstance(getattr(one, "data", None), LiveExperiment))
        dispatch(*events)

    console.store.dispatch = hear  # type: ignore[method-assign]
    here = threading.get_ident()
    dispatcher.lead = lambda place: (
        led.append(place) if led is not None and threading.get_ident() == here else None
    )
    ((_, ending),) = dispatcher.perform(PLAY, (target(),), Quiet(), Cancellation())
    stage.heard = told
    return ending


NAME = f"chaos/{STAGED[0].name}"


def test_nothing_is_played_without_a_yes_for_which_its_name_is_typed() -> None:
    stage, asker = Stage(), Says(None)
    assert "nothing was played" in ended(stage, asker).outcome
    assert (asker.seen, stage.played) == ([("Play it", NAME)], [])


def test_what_is_played_is_what_was_shown_and_its_score_is_told() -> None:
    stage = Stage()
    assert "drl-1 PASS: cause and fix are right, in time" in ended(stage, Says(Agreed())).outcome
    assert stage.played == [(NAME, 1)]


def test_it_leads_to_its_run_whose_steady_state_is_told_as_it_goes_and_no_other_is_played() -> None:
    stage, led = Stage(), list[Place]()
    ended(stage, Says(Agreed()), led=led)
    assert led == [Place("experiment-run", RUN_AT_WORK.id, LOCAL)]
    assert stage.heard[-1].samples == (("before", "met"), ("during", "missed"))
    assert stage.agreed, "the digest of what was shown"


def test_in_a_read_only_context_and_against_the_guard_there_is_nothing_to_agree_to() -> None:
    for stage, armed in ((Stage(is_read_only=True), False), (Stage(refused=True), True)):
        asker = Says(Agreed())
        assert "nothing was played" in ended(stage, asker, armed=armed).outcome
        assert (asker.seen, stage.played) == ([("Close", "")], [])


def test_a_drill_ends_once_its_context_is_not_armed_any_more() -> None:
    stage = Stage()
    stage.waits, stage.held = True, "local is not armed any more"
    ending = ended(stage, Says(Agreed()))
    assert stage.played == [(NAME, 1)]
    assert Interrupted().what in ending.outcome


@pytest.mark.parametrize(
    ("context", "kind", "name", "item", "why"),
    [
        (LOCAL, "Experiment", "lost-node", drilled(), ""),
        (LOCAL, "Drill", "chaos/lost-node", None, ""),
        (LOCAL, "Drill", "bad-release", None, "maestro drill run bad-release"),
        (LOCAL, "Experiment", "pod-failure", SimpleNamespace(is_drill=False), "it is no drill"),
        ("prod", "Experiment", "lost-node", drilled(), "in the context local alone"),
    ],
)
def test_only_an_experiment_that_is_a_drill_is_played_and_on_the_embedded_platform_alone(
    context: str, kind: str, name: str, item: Any, why: str
) -> None:
    found = why_not_played(Target(context, kind, name, name, item))
    assert why in found
    assert bool(found) is bool(why)


def test_both_screens_mean_the_same_drill() -> None:
    assert drill_of(Target(LOCAL, "Experiment", "a", "a")) == drill_of(Target(LOCAL, "Drill", "b", "chaos/a"))


def test_the_list_of_experiments_says_which_are_drills_and_how_each_came_out_last() -> None:
    staged = STAGED[0]
    found = SimpleNamespace(guarded=SimpleNamespace(drill=object()))
    drill = replace(staged, found=found)  # type: ignore[arg-type]
    assert drill_words(replace(staged, found=SimpleNamespace(guarded=None))) is None  # type: ignore[arg-type]
    assert drill_words(drill) == "not played yet"
    late = Scored("drl-1", "", False, ("detected never happened",), "PASS")
    assert drill_words(replace(drill, score=late)) == "FAIL: detected never happened"
    early = replace(late, passed=None, misses=(), unscored="it ended before it was scored")
    assert drill_words(replace(drill, score=early)) == "INDETERMINATE: it ended before it was scored"
