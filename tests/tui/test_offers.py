"""What is offered of what is chosen: how it can hurt, why it makes no sense now, and what mends a refusal."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from maestro_cli.changes.model import Gate, GateDecision, GateReason, State, Undo
from maestro_cli.core.errors import ExitCode, GateNotMet, WaitingForApproval
from maestro_cli.tui.acting.advice import advice_here, decision_here
from maestro_cli.tui.acting.dispatcher import Dispatcher, Refusal
from maestro_cli.tui.acting.menu import ActionMenu, offer_text
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.acting.wording import failure_words
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.changes import ACTIONS
from maestro_cli.tui.screens.incident import SCREEN as INCIDENT
from maestro_cli.tui.screens.incident_runs import blast_blocks
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import SCREENS as PODS
from maestro_cli.tui.screens.runs import ACTIONS as OF_RUNS
from maestro_cli.tui.screens.workloads import SCREENS as WORKLOADS
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.tui.cases import StillClock, StillConsole, pod, run_app, until
from tests.tui.facts_of_changes import change, plan
from tests.tui.facts_of_incidents import RUNS, STORY

BY_ID = {one.id: one for one in (*ACTIONS, *OF_RUNS, *INCIDENT.actions, *PODS[0].actions)}


def about(item: Any, kind: str = "Change") -> Target:
    return Target("prod", kind, "id", "name", item)


def refused(action: Action, target: Target) -> str:
    nothing: Any = None
    dispatcher = Dispatcher(Store(Scope(("prod",))), StillClock(), nothing, nothing, nothing)
    refusal = dispatcher.refusal(action, (target,))
    return "" if refusal is None else refusal.why


@pytest.mark.parametrize(
    ("action", "state", "why"),
    [
        ("changes.approve", State.VERIFIED, "it waits for nobody: it is verified"),
        ("changes.deny", State.VERIFIED, "it waits for nobody: it is verified"),
        ("changes.approve", State.WAITING, ""),
        ("changes.resume", State.VERIFIED, "there is nothing to go on with: it is verified"),
        ("changes.resume", State.WAITING, "nobody has approved it"),
        ("changes.undo", State.REFUSED, "it has changed nothing: it is refused"),
    ],
)
def test_what_makes_no_sense_for_a_change_is_refused_before_anything_is_asked(
    action: str, state: State, why: str
) -> None:
    said = refused(BY_ID[action], about(change(1, state)))
    assert why in said
    assert bool(said) is bool(why)


@pytest.mark.parametrize("action", ["runs.answer", "runs.go-on", "runs.stop"])
def test_a_run_that_has_ended_is_neither_answered_nor_gone_on_with_nor_stopped(action: str) -> None:
    assert "succeeded" in refused(BY_ID[action], about(RUNS[1], "Run"))
    assert refused(BY_ID[action], about(RUNS[0], "Run")) == ""


def test_an_incident_without_a_run_says_so_before_it_asks() -> None:
    assert "Dry run begins one" in refused(
        BY_ID["incident.go-on"], about(replace(STORY, runs=()), "Incident")
    )
    assert refused(BY_ID["incident.go-on"], about(STORY, "Incident")) == ""


@pytest.mark.parametrize(
    ("kind", "danger"),
    [("scale", Danger.REVERSIBLE), ("restart", Danger.DISRUPTIVE), ("made-up", Danger.DISRUPTIVE)],
)
def test_taking_back_is_as_dangerous_as_what_it_would_do(kind: str, danger: Danger) -> None:
    taken = replace(change(1, State.VERIFIED), plan=replace(plan(), undo=Undo(kind, {}, "")))
    assert BY_ID["changes.undo"].on((about(taken),)).danger is danger


@pytest.mark.parametrize(
    ("kind", "danger"), [("scale", Danger.REVERSIBLE), ("restart", Danger.DISRUPTIVE)], ids=str
)
def test_to_carry_out_is_as_dangerous_as_what_was_planned(kind: str, danger: Danger) -> None:
    waits = replace(change(1, State.WAITING), plan=replace(plan(), kind=kind))
    assert BY_ID["changes.resume"].on((about(waits),)).danger is danger


def test_a_bare_pod_is_destroyed_and_one_of_a_controller_is_not() -> None:
    ending, bare, owned = BY_ID["pods.delete"], pod("a"), replace(pod("b"), owner="fraud-1")
    assert ending.on((about(owned),)).danger is Danger.DISRUPTIVE
    assert ending.on((about(bare),)).danger is Danger.DESTRUCTIVE
    assert ending.on((about(owned), about(bare))).danger is Danger.DESTRUCTIVE
    (option,) = ActionMenu((about(bare),), [(ending, None)])._offered(100)
    assert "destructive" in str(option.prompt)


@pytest.mark.parametrize(
    ("fix", "here"),
    [
        ("say where to: maestro rollback ml/deploy/fraud --to-revision 3 (what this plan chose);"
         " while nothing was shipped since, take chg-1 back: maestro change undo chg-1;"
         " the record of each revision: maestro rollback plan ml/deploy/fraud",
         "say where to: Actions › Roll back, 3 in the field `to revision` (what this plan chose);"
         " while nothing was shipped since, take chg-1 back: Actions › Take back, on :change chg-1;"
         " the record of each revision: :revisions ml/deploy/fraud"),
        ("name one with --to-revision", "name one in the field `to revision`"),
        ("somebody else: maestro approve chg-1; then: maestro change resume chg-1",
         "somebody else: Actions › Approve, on :change chg-1; then: Actions › Carry out, on :change chg-1"),
        ("the record of each revision: maestro rollback ml/helm/fraud --dry-run",  # no screen shows those
         "the record of each revision: maestro rollback ml/helm/fraud --dry-run"),
        ("maestro watch", "maestro watch"),
    ],
)  # fmt: skip
def test_what_mends_a_refusal_is_a_key_or_a_field_here(fix: str, here: str) -> None:
    assert advice_here(fix) == here
    reason = GateReason("repeated", ExitCode.GATE_NOT_MET, "no", fix=fix)
    assert decision_here(GateDecision(Gate.REFUSED, (reason,))).reasons[0].fix == here


def test_what_waits_for_a_second_person_has_not_failed() -> None:
    fix = "somebody else: maestro approve chg-1"
    words = failure_words(WaitingForApproval("a second person has to approve this change", fix=fix))
    expected = (
        "it waits: a second person has to approve this change — "
        "somebody else: Actions › Approve, on :change chg-1"
    )
    assert words == expected
    assert failure_words(GateNotMet("no")) == "failed: no"


def test_a_rollback_from_an_incident_can_name_its_revision() -> None:
    rollback, made = BY_ID["incident.rollback"], list[Any]()
    services: Any = SimpleNamespace(changes=SimpleNamespace(plan=lambda *asked: made.append(asked)))
    assert rollback.plans is not None
    for typed in ("", "3"):
        rollback.plans(services, about(STORY, "Incident"), {"revision": typed})
    assert [asked[2] for asked in made] == [{}, {"to_revision": 3}]
    assert rollback.line(about(STORY, "Incident"), {"revision": "3"})[-2:] == ("--to-revision", "3")


def test_the_blast_radius_beside_a_dry_run_writes_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dry run has planned it already; `rehearse_change` would plan it again, in the journal."""
    decided = GateDecision(Gate.REFUSED, (GateReason("x", ExitCode.GATE_NOT_MET, "gate says no"),))
    changes = SimpleNamespace(plan=lambda *asked: plan(), decide=lambda *asked: decided)
    services: Any = SimpleNamespace(changes=changes, context_name="prod")
    monkeypatch.setattr(
        "maestro_cli.runbooks.steps.change.request_of",
        lambda *asked: SimpleNamespace(kind="rollback", target=None, options={}),
    )
    assert "gate says no" in str(blast_blocks(services, None, {}))


@pytest.mark.parametrize("room", [61, 99])
def test_what_an_action_does_stays_in_its_own_column(room: int) -> None:
    action = next(one for one in WORKLOADS[0].actions if one.id == "workloads.rollback")
    text = offer_text(action, Refusal("local is read-only", "press W " * 20), 21, room).plain
    first, *others = text.splitlines()
    begin = first.index("return to")
    said = [line for line in others if "refused" not in line and "press" not in line]
    assert all(len(line) <= room for line in text.splitlines())
    assert all(line[:begin].isspace() and line[begin] != " " for line in said)
    assert bool(said) is (room < 80)
    assert others[len(said)].startswith("  refused now: local is read-only")


def test_the_menu_is_laid_out_anew_whenever_the_screen_changes_also_before_it_is_made() -> None:
    action = next(one for one in WORKLOADS[0].actions if one.id == "workloads.rollback")
    services: Any = SimpleNamespace()

    def said(menu: ActionMenu) -> list[str]:
        return str(menu.query_one(OptionList).get_option(action.id).prompt).splitlines()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        menu = ActionMenu((about(None),), [(action, None)])
        app.push_screen(menu)
        menu.on_resize()  # as Textual does at times: the screen has a size and no list yet
        await until(pilot, lambda: bool(menu.query(OptionList)), "the list")
        wide = said(menu)
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: len(said(menu)) > len(wide), "more lines, on the narrow screen")
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: said(menu) == wide, "as it was")

    run_app(StillConsole(services), script, place=Place("pods"))
