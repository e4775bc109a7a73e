"""An experiment as a drill: in force until somebody responded, taken back by its own undo however it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.history import list_changes
from maestro_cli.changes.holder import acquire
from maestro_cli.chaos import keeping
from maestro_cli.chaos.drilled import Drilled
from maestro_cli.chaos.drills.conductor import DRILLS, unfinished
from maestro_cli.chaos.drills.defects import clear
from maestro_cli.chaos.drills.defects.defect import NothingDone, Scene
from maestro_cli.chaos.drills.defects.experimented import ExperimentDefect, Experimented
from maestro_cli.chaos.drills.expected import agreed_drill, scenario_of
from maestro_cli.chaos.drills.model import Baseline
from maestro_cli.chaos.drills.under_guard import ExperimentsUnderGuard
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.ledger import ExperimentLedger, events_of
from maestro_cli.chaos.planning import proposal_digest
from maestro_cli.chaos.running import propose
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, GateNotMet, Interrupted, NoData, StalePlan
from maestro_cli.core.progress import Quiet
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.triage.past import Past
from maestro_cli.services import rehearsing
from maestro_cli.services.drilling import clear_killed_drills
from tests.contract.chaos.lab import Lab, data, experiment
from tests.patience import wait_for
from tests.unit.chaos.theatre import Theatre

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]
FRAUD = WorkloadRef("Deployment", "ml", "fraud")
EXPECTED: dict[str, Any] = {
    "alert": "ErrorBudgetBurn",
    "runbook": "high-latency",
    "right_fix": "restart",
    "true_cause": "pod",
    "duration": "30s",
    "patience": "20s",
}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def theatre(tmp_path: Path, lab: Lab) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "drills.db", scenario_of(drill(), 7))
    made.experiments = ExperimentsUnderGuard(lab.means, Cancellation())
    yield made
    made.journal.close()


def drill(**ours: Any) -> Any:
    return experiment(data(hold=0.1, duration="10s", drill=EXPECTED, **ours))


class Stand:
    """The defect alone, told whom to set when it is over early."""

    def __init__(self, lab: Lab, theatre: Theatre, **ours: Any) -> None:
        self.cancellation, self.waiting = Cancellation(), Cancellation()
        experiments = ExperimentsUnderGuard(lab.means, self.cancellation)
        ensemble = replace(theatre.ensemble, experiments=experiments)
        self.scene = Scene(ensemble, FRAUD, "drl-1", lab.clock)
        asked = scenario_of(drill(**ours), 7).defect
        assert isinstance(asked, Experimented)
        self.defect = ExperimentDefect(asked, self.scene)
        self.left = self.defect.prepare(Baseline(lab.clock.now(), 1, theatre.cluster.template, None, None))
        self.defect.attend(self.waiting, Quiet())

    @property
    def run(self) -> str:
        return str(self.left["experiment"]["run"])


def took_back(lab: Lab, run: str) -> list[str]:
    return [event.data["by"] for event in events_of(lab.journal, run) if event.kind == "experiment.undone"]


def test_it_stays_until_the_response_is_over_whatever_its_method_says(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    stand.defect.inject()
    lab.clock.sleep(0.5)  # its method holds for 0.1 s
    assert lab.servers.in_force == 1
    assert stand.defect.mend() is False
    (by,) = took_back(lab, stand.run)  # whichever is first: the parent, or its method, which holds no more
    assert (lab.servers.in_force, by in ("the end of the response", "its rollbacks")) == (0, True)
    truth = stand.defect.truth(is_mended=False)
    (pod,) = [event.data["targets"][0]["ref"]["name"] for event in events_of(lab.journal, stand.run)
              if event.kind == "experiment.intended"]  # fmt: skip
    assert truth.subject == f"pod ml/{pod}"
    assert truth.experiment is not None
    assert (truth.experiment.run, truth.experiment.verdict, truth.experiment.exit_code) == (
        stand.run,
        "PASS",
        0,
    )


def test_what_the_responders_ended_before_is_mended(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    stand.defect.inject()
    lab.servers.write({**lab.servers.read(), "faults": []})  # as a restart of the pod does
    assert stand.defect.mend() is True


def test_what_a_person_repairs_is_taken_back_by_its_own_undo_at_once(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    stand.defect.inject()
    stand.defect.repair()
    assert lab.servers.in_force == 0
    assert stand.defect.mend() is True


def test_one_whose_time_is_over_was_ended_by_nobody(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    stand.defect._asked = replace(stand.defect._asked, file=experiment(data(hold=0.1, duration="500ms")))
    stand.defect.inject()
    wait_for(lambda: bool(took_back(lab, stand.run)), "its time is over")
    assert not stand.waiting.is_set  # who responds goes on
    assert stand.defect.mend() is False


def test_what_the_guard_refuses_ends_the_drill_and_nothing_was_put_in(lab: Lab, theatre: Theatre) -> None:
    lab.grave = ["incident #3"]
    with pytest.raises(GateNotMet, match=r"refused by its guard \(incidents\)"):
        theatre.run(keep=True)
    assert lab.servers.read()["ever"] == []
    assert [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))] == [
        "nobody: nothing was shipped"
    ]


def test_a_guard_that_cannot_tell_yet_is_asked_again(lab: Lab, theatre: Theatre) -> None:
    lab.budget = Verdict.INDETERMINATE
    stand = Stand(lab, theatre, objectives=[])
    told = threading.Event()

    class Progress(Quiet):
        def update(self, text: str) -> None:
            told.set()
            lab.servers.say(stop=0.0)

    lab.servers.write({**lab.servers.read(), "values": {"ratio": 0.5}})  # its stop condition has no value
    stand.defect.attend(stand.waiting, Progress())
    stand.defect.inject()
    assert told.is_set()
    stand.defect.mend()
    assert lab.servers.in_force == 0


def test_a_cause_that_its_targets_are_not_is_refused(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    stand.defect._asked = replace(stand.defect._asked, cause="node")
    with pytest.raises(NothingDone) as refused:
        stand.defect.inject()
    assert "true cause is a node" in refused.value.error.what
    assert lab.servers.read()["ever"] == []


def test_a_stop_condition_ends_the_response_and_the_score_says_so(lab: Lab, theatre: Theatre) -> None:
    class Waiting:
        def __call__(self, incident: str, *, cancellation: Cancellation, **more: Any) -> None:
            lab.servers.say(stop=1.0)
            while True:
                cancellation.pause(0.05)

    theatre.responder.respond = Waiting()  # type: ignore[method-assign]
    card = theatre.run(keep=True)
    assert lab.servers.in_force == 0
    assert any("the experiment was ended: stop condition" in miss for miss in card.misses), card.misses
    assert card.experiment is not None
    assert (card.experiment.verdict, card.experiment.exit_code) == ("FAIL", 14)
    assert unfinished(theatre.journal) == ()


def test_a_signal_takes_it_back_and_ends_the_drill(lab: Lab, theatre: Theatre) -> None:
    cancellation = theatre.cancellation
    theatre.experiments = ExperimentsUnderGuard(lab.means, cancellation)

    def respond(incident: str, **more: Any) -> None:
        cancellation.cancel()
        wait_for(lambda: "experiment.finished" in lab.kinds(), "the run is over first")
        lab.clock.sleep(0.2)
        raise Interrupted()

    theatre.responder.respond = respond  # type: ignore[method-assign]
    theatre.progress = told = Notes()
    with pytest.raises(Interrupted):
        theatre.run(keep=True)
    assert lab.servers.in_force == 0
    assert [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))] == ["the drill"]
    (said,) = told.notes
    assert said.startswith("it was taken back, and over after ")
    assert said.endswith(": 3 of 3 pods ready")


class Notes(Quiet):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_what_a_person_was_shown_is_what_is_played_or_nothing(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    proposal, _ = stand.scene.ensemble.experiments.plan(stand.defect._asked.file, 7)
    agreed = agreed_drill(scenario_of(drill(), 7), proposal_digest(proposal)).defect
    assert isinstance(agreed, Experimented)
    stand.defect._asked = replace(agreed, seed=8, agreed="another digest")
    with pytest.raises(NothingDone) as refused:
        stand.defect.inject()
    assert isinstance(refused.value.error, StalePlan)
    assert lab.servers.read()["ever"] == []
    again = Stand(lab, theatre)
    again.defect._asked = agreed
    again.defect.inject()
    assert lab.servers.in_force == 1
    again.defect.mend()


def test_who_has_a_place_for_it_is_told_how_its_run_goes(lab: Lab, theatre: Theatre) -> None:
    class Both(Quiet):
        def __init__(self) -> None:
            self.told: list[tuple[str, str]] = []

        def said(self, name: str, text: str) -> None:
            self.told.append((name, text))

    stand, both = Stand(lab, theatre), Both()
    stand.defect.attend(stand.waiting, both)
    stand.defect.inject()
    wait_for(lambda: ("experiment", "steady state during: met") in both.told, "a sample")
    stand.defect.mend()
    assert both.told[0] == ("experiment", "steady state before: met")


def test_what_a_killed_drill_left_the_next_one_takes_back(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    means = lab.means
    wanted = stand.scene.ensemble.experiments._wanted(  # type: ignore[attr-defined]
        stand.defect._asked.file, 7, Drilled(stand.run, "drl-1", Cancellation())
    )
    proposal, _ = propose(means, wanted)
    ledger = ExperimentLedger(lab.journal, stand.run, "ana")
    ledger.started(proposal, str(lab.folder))
    (chosen,) = proposal.chosen
    fault = InForce(chosen.order, chosen.targets, tuple(plan.id for plan in chosen.plans), 10.0, 3)
    ledger.intended(fault, lab.clock.now(), [])
    for plan in chosen.plans:
        lab.pipeline.execute(plan, wanted.consent, cause="as the killed one did")
    assert lab.servers.in_force == 1
    clear(stand.left, stand.scene)
    assert lab.servers.in_force == 0
    clear(stand.left, stand.scene)  # twice is as once


def test_one_that_was_killed_before_it_began_left_nothing(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    clear(stand.left, stand.scene)
    assert lab.kinds() == []


def test_its_changes_are_no_evidence_for_who_responds(lab: Lab, theatre: Theatre) -> None:
    began = lab.clock.now()
    stand = Stand(lab, theatre)
    stand.defect.inject()
    stand.defect.mend()
    assert len(list_changes(lab.journal)) == 2
    assert Past(lab.journal).changes(began) == ()
    lab.run(experiment(data()))  # one that nobody was to find out about is evidence as any change
    assert len(Past(lab.journal).changes(began)) == 2


def test_what_was_written_before_it_tells_nothing_of_what_it_does(lab: Lab, theatre: Theatre) -> None:
    stand = Stand(lab, theatre)
    assert set(stand.left) == {"experiment"}
    assert set(stand.left["experiment"]) == {"run", "everything"}


def test_without_a_record_of_its_end_nothing_is_scored(lab: Lab, theatre: Theatre) -> None:
    with pytest.raises(NoData):
        Stand(lab, theatre).defect.truth(is_mended=False)


def test_a_second_drill_leaves_the_first_one_alone(
    lab: Lab, theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The theatre's time jumps, that of its threads does not.
    monkeypatch.setattr(keeping, "LEASE_SECONDS", 1e6)
    second = Theatre(tmp_path / "drills.db", scenario_of(drill(), 7))
    second.experiments = ExperimentsUnderGuard(lab.means, Cancellation())
    seen: list[Any] = []

    def respond(incident: str, **more: Any) -> None:
        with pytest.raises(Busy, match="drills is held by drl-"):
            second.run(keep=True)
        clear_killed_drills(services_of(theatre, monkeypatch))  # nor does a sweep
        seen.extend((len(unfinished(theatre.journal)), lab.servers.in_force, second.responder.dismissed))

    theatre.responder.respond = respond  # type: ignore[method-assign]
    theatre.run(keep=True)
    second.journal.close()
    assert seen == [1, 1, []]
    assert [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))] == ["the drill"]
    assert lab.servers.in_force == 0


def services_of(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(rehearsing, "embedded_ensemble", lambda services: theatre.ensemble)
    return SimpleNamespace(journal=theatre.journal, clock=theatre.clock, actor="ana")


def test_a_drill_that_was_killed_before_its_run_began_is_over_with_the_next_sweep(
    lab: Lab, theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(lab, theatre)
    intent = {"scenario": "chaos/x", "target": str(FRAUD), "undo": stand.left}
    theatre.journal.append("drill.intended", "drill/drl-1", "ana", intent)
    services = services_of(theatre, monkeypatch)
    assert lab.kinds() == []
    clear_killed_drills(services, "exp-another")
    clear_killed_drills(services, stuck=[stand.run])
    living = acquire(theatre.journal, DRILLS, "drl-2", 1e6)
    clear_killed_drills(services)
    assert len(unfinished(theatre.journal)) == 1
    theatre.journal.release_lease(living)
    clear_killed_drills(services)
    clear_killed_drills(services)  # twice is as once
    assert [event.data["by"] for event in theatre.journal.events(kinds=("drill.undone",))] == ["a sweep"]
    assert theatre.responder.dismissed == ["left open by a drill that was killed"]
