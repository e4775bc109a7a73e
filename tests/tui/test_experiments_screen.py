"""Experiments in the console: planned before they are run, followed, ended by one key, and swept."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.changes.model import Consent
from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.history import FaultRecord
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.running import Wanted
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Busy, ExitCode, PolicyRefused
from maestro_cli.core.progress import Quiet
from maestro_cli.tui.acting.dispatcher import Agreed, Dispatcher, Ending
from maestro_cli.tui.acting.model import Action, Answers, Danger, Target
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.experiments import FollowedRun
from maestro_cli.tui.screens.experiment_actions import (
    ABORT,
    PLAN,
    SWEEP,
    Live,
    LiveExperiment,
    danger_of,
    why_not_aborted,
)
from maestro_cli.tui.screens.experiments import run_report, to_experiment, work_blocks
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import ContextArmed, FactRead, Rewound
from maestro_cli.tui.text import plain_text
from maestro_cli.tui.widgets.report_view import report_lines
from tests.tui.cases import NOW, StillConsole, run_app, tell, until
from tests.tui.facts import FACTS, SITE
from tests.tui.facts_of_experiments import FAILED, RUN_AT_WORK, STAGED


class Chaos:
    """The services of experiments, in the place of a platform; keeps what was asked of it."""

    def __init__(self, *, is_read_only: bool = False, refused: bool = False) -> None:
        self.held, self.refused = "", refused
        self.options = SimpleNamespace(is_read_only=is_read_only, why_held=lambda: self.held)
        self.policy = SimpleNamespace(protected=False)
        self.ran: list[Wanted] = []
        self.aborted: list[tuple[str, str]] = []
        self.runs = [RUN_AT_WORK, FAILED]
        self.aborting = threading.Event()

    def wanted_experiment(self, reference: str, *, seed: int | None, yes: bool) -> Wanted:
        experiment = STAGED[0].found
        assert isinstance(experiment, Experiment)
        assert reference == experiment.file
        seed = 11 if seed is None else seed
        return Wanted(experiment, seed, Consent(given=yes))

    def plan_experiment(self, wanted: Wanted) -> tuple[Proposal, tuple[Answer, ...]]:
        answer = Answer("place", Allows.NO if self.refused else Allows.YES, "not in this namespace")
        return Proposal(wanted.experiment, Policy(SITE), (), (), wanted.seed, NOW), (answer,)

    def refusal_of(self, answers: Any) -> PolicyRefused | None:
        return PolicyRefused("not in this namespace") if self.refused else None

    def run_experiment(self, wanted: Wanted, progress: Any) -> Any:
        self.ran.append(wanted)
        progress.phase("guard", "it")
        progress.phase("experiment", "it")
        progress.update("steady state during: met")
        judged = SimpleNamespace(verdict=SimpleNamespace(value="PASS"), exit_code=ExitCode.OK, reasons=())
        return SimpleNamespace(run=RUN_AT_WORK.id, judged=judged)

    def experiment_runs(self, name: str, limit: int) -> list[Any]:
        return self.runs

    def experiment_run(self, reference: str) -> Any:
        return next(run for run in self.runs if run.id == reference)

    def abort_experiment(self, reference: str, why: str) -> tuple[Any, tuple[Any, ...]]:
        self.aborted.append((reference, why))
        self.aborting.set()
        return self.experiment_run(reference), ()


class Says:
    """Answers what is shown, and keeps it."""

    def __init__(self, answer: Agreed | None) -> None:
        self._answer = answer
        self.seen: list[tuple[str, str]] = []

    def words(self, action: Action, targets: Any) -> Answers | None:
        return {ask.name: ask.default(targets[0]) for ask in action.asks}

    def agree(self, *shown: Any) -> Agreed | None:
        raise AssertionError("no change was planned")

    def agree_all(self, *shown: Any) -> None:
        raise AssertionError("one at a time")

    def see(self, target: Target, title: str, view: Any, word: str, name: str) -> Agreed | None:
        self.seen.append((word, name))
        return self._answer


def target(index: int = 0) -> Target:
    return Target(SITE, "Experiment", STAGED[index].name, STAGED[index].name, STAGED[index])


def ended(chaos: Chaos, asker: Says, *, armed: bool = True, led: list[Place] | None = None) -> Ending:
    console = StillConsole(chaos, (SITE,), acting=chaos)
    if armed:
        tell(console, ContextArmed(SITE, NOW + timedelta(minutes=5)))
    dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)
    dispatcher.lead = lambda place: None if led is None else led.append(place)
    ((_, ending),) = dispatcher.perform(PLAN, (target(),), Quiet(), Cancellation())
    return ending


def test_a_plan_runs_nothing_without_a_yes_and_the_name_is_typed_for_one() -> None:
    chaos, asker = Chaos(), Says(None)
    assert "nothing was injected" in ended(chaos, asker).outcome
    assert asker.seen == [("Run it", "network-latency")]
    assert chaos.ran == []


def test_what_is_run_is_what_was_shown_and_it_leads_to_its_run() -> None:
    chaos, led = Chaos(), list[Place]()
    outcome = ended(chaos, Says(Agreed("prod")), led=led).outcome
    assert f"{RUN_AT_WORK.id} PASS (0)" in outcome
    (wanted,) = chaos.ran
    assert (wanted.seed, wanted.consent.given, wanted.consent.typed_context) == (11, True, "prod")
    assert wanted.agreed, "the digest of what was shown"
    assert led == [Place("experiment-run", RUN_AT_WORK.id, SITE)]


def test_a_plan_in_a_read_only_context_offers_no_run() -> None:
    chaos, asker = Chaos(is_read_only=True), Says(Agreed())
    assert "nothing was injected" in ended(chaos, asker, armed=False).outcome
    assert asker.seen == [("Close", "")]
    assert chaos.ran == []


def test_what_the_guard_refuses_cannot_be_agreed_to() -> None:
    chaos, asker = Chaos(refused=True), Says(Agreed())
    assert "the guard refused it: not in this namespace" in ended(chaos, asker).outcome
    assert asker.seen == [("Close", "")]
    assert chaos.ran == []


def test_a_run_ends_once_its_context_is_not_armed_any_more() -> None:
    chaos = Chaos()
    chaos.held = "prod is not armed any more"
    ended(chaos, Says(Agreed()))
    assert (RUN_AT_WORK.id, "prod is not armed any more") in chaos.aborted


def test_a_file_that_nothing_bounds_is_as_dangerous_as_can_be() -> None:
    chaos = Chaos()
    wanted = chaos.wanted_experiment("playbooks/chaos/network-latency.yaml", seed=1, yes=True)
    proposal, _ = chaos.plan_experiment(wanted)
    assert danger_of(proposal) is Danger.DISRUPTIVE
    plain = replace(proposal, experiment=replace(proposal.experiment, guarded=None))
    assert danger_of(plain) is Danger.DESTRUCTIVE
    process = {"name": "reboot", "provider": {"type": "process", "path": "reboot"}}
    free = replace(proposal.experiment, document={**proposal.experiment.document, "rollbacks": [process]})
    assert danger_of(replace(proposal, experiment=free)) is Danger.DESTRUCTIVE


@pytest.mark.parametrize(("index", "why"), [(0, ""), (2, "it is finished"), (3, "it is not run yet")])
def test_only_what_is_under_way_can_be_aborted(index: int, why: str) -> None:
    assert why_not_aborted(target(index)) == why


def test_enter_leads_to_the_run_that_is_at_work() -> None:
    assert to_experiment(target(0)).screen == "experiment-run"
    assert to_experiment(target(2)) == Place("experiment", "pod-failure", SITE)


def test_aborting_needs_no_arming_and_sweeping_does() -> None:
    assert not ABORT.danger.needs_arming
    assert SWEEP.danger.needs_arming


@pytest.mark.parametrize("over", ["list", "dialog", "past", "waiting"])
def test_one_key_ends_what_is_under_way_wherever_one_is(over: str) -> None:
    chaos = Chaos()
    console = StillConsole(chaos, (SITE,))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, *(FactRead(key, data, NOW) for key, data in FACTS["experiments"]().items()))
        await until(pilot, lambda: bool(app.view and app.view.targets()), "the list")
        if over == "dialog":
            await pilot.press("x")
            await until(pilot, lambda: len(app.screen_stack) > 1, "the menu")
        elif over == "waiting":
            app.hold_for("a dialog that does not come")
        elif over == "past":
            console.store.dispatch(Rewound(NOW, {}))
            await until(pilot, lambda: console.store.snapshot.replay_at is not None, "the past")
        await pilot.press("f8")
        await until(pilot, chaos.aborting.is_set, "aborted")

    run_app(console, script, place=Place("experiments"))
    assert chaos.aborted == [(RUN_AT_WORK.id, "")]


def test_samples_are_a_strip_and_words_and_no_data_is_no_bar() -> None:
    heard: list[LiveExperiment] = []
    live = Live(heard.append, lambda: "exp-3")
    live.phase("guard", "it")
    assert heard == [], "it has no id yet"
    live.phase("experiment", "it")
    for word in ("met", "missed", "no data"):
        live.update(f"steady state during: {word}")
    rows = dict(work_blocks(RUN_AT_WORK, heard[-1])[1].rows)
    assert rows["steady state"] == "░█·"
    assert rows["samples"] == "1 met, 1 missed, 1 no data"
    assert rows["latest"] == "during: no data"
    assert "treated" not in rows, "it declares no queries for its arms"


def test_a_journal_that_is_held_ends_no_experiment_and_is_asked_again() -> None:
    heard: list[LiveExperiment] = []
    held = [True]

    def begun() -> str:
        if held:
            raise Busy("the journal is held")
        return "exp-3"

    live = Live(heard.append, begun)
    live.phase("experiment", "it")
    assert heard == []
    held.clear()
    live.phase("rollback", "it")
    assert [one.run for one in heard] == ["exp-3"]


def at_work() -> LiveExperiment:
    heard: list[LiveExperiment] = []
    live = Live(heard.append, lambda: "exp-3")
    live.phase("experiment", "it")
    live.update("steady state during: met; treated 60/100 bad; left alone 0/99 bad")
    return heard[-1]


def test_figures_of_both_arms_stand_beside_one_another_while_it_runs() -> None:
    rows = dict(work_blocks(RUN_AT_WORK, at_work())[1].rows)
    assert rows["latest"] == "during: met"
    assert rows["treated"] == "60/100 bad"
    assert rows["left alone"] == "0/99 bad"


@pytest.mark.parametrize("is_here", [True, False])
def test_when_it_ends_and_how_to_end_it_stand_in_the_first_lines_of_a_small_terminal(is_here: bool) -> None:
    moment: Any = SimpleNamespace(live=at_work() if is_here else None)
    report = run_report(FollowedRun(RUN_AT_WORK), moment)
    lines = [plain_text(line) for line in report_lines(report, room=79)][:18]
    assert any("until 03:00:10 UTC: one replica (link-latency)" in line for line in lines), lines
    assert any("F8" in line for line in lines), lines
    assert "ENDS" in "".join(plain_text(line) for line in report_lines(report, room=79))


NAMED_AS_SHIPPED = FaultRecord(
    "one slow replica", "server-latency", ("fraud-jdv5ffxl42-p9zsw",), "2026-11-26T02:59:10.000Z",
    "2026-11-26T02:59:22.000Z", "effective", "", "2026-11-26T02:59:22.000Z", "",
)  # fmt: skip


def fault_lines(fault: FaultRecord, room: int) -> list[str]:
    moment: Any = SimpleNamespace(live=None)
    report = run_report(FollowedRun(replace(FAILED, faults=(fault,))), moment)
    lines = [plain_text(line) for line in report_lines(report, room=room)]
    (head,) = [index for index, line in enumerate(lines) if line.startswith("FAULT")]
    return lines[head : head + 2]


def test_when_a_fault_was_put_in_has_room_beside_names_as_shipped_on_120_columns() -> None:
    head, row = fault_lines(NAMED_AS_SHIPPED, 119)
    assert head.split("  ")[0] == "FAULT"
    assert "PUT IN" in head
    assert row.split() == [
        "one", "slow", "replica", "(server-latency)", "fraud-jdv5ffxl42-p9zsw", "02:59:10", "UTC", "02:59:22",
        "UTC", "02:59:22", "UTC", "effective",
    ]  # fmt: skip


def test_what_happened_on_another_day_has_its_date() -> None:
    late = replace(NAMED_AS_SHIPPED, undone_at="2026-11-27T00:00:01.000Z")
    assert "2026-11-27 00:00:01 UTC" in fault_lines(late, 160)[1]
    assert "2026-11-26" not in fault_lines(late, 160)[1]


def test_a_run_that_is_over_has_no_key_that_ends_it() -> None:
    assert work_blocks(FAILED, None) == ()
