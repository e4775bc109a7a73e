"""What the gate says of a plan comes first, and what is agreed to can be read to its end."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from maestro_cli.changes.model import Diff, DiffLine, Gate, GateDecision, GateReason, Risk
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.output.views import Lines, Report
from maestro_cli.tui.acting.agreeing import AgreeDialog
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.acting.question_dialogs import SeeDialog
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.widgets.fact_table import FactTable
from tests.tui.cases import StillConsole, run_app, screen_text, until
from tests.tui.facts_of_changes import plan

SERVICES: Any = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
ROLL_BACK = Action(
    "workloads.rollback", "Roll back", "to the last good revision", Danger.REVERSIBLE,
    lambda target, answers: ("rollback",), plans=lambda services, target, answers: None,  # type: ignore[arg-type,return-value]
)  # fmt: skip
TARGET = Target("prod", "Deployment", "ml/deploy/fraud", "fraud")


LONG = Diff(tuple(DiffLine(Untrusted(f"args[{n}]"), None, Untrusted(f"line {n}")) for n in range(60)))


def dialog(
    outcome: Gate, *risks: str, action: Action = ROLL_BACK, cautions: tuple[str, ...] = ()
) -> AgreeDialog:
    named = tuple(Risk(one, f"{one} is at risk", "") for one in risks)
    proposed = replace(plan(risks=named), diff=LONG, cautions=cautions)
    reason = GateReason(
        "repeated", ExitCode.GATE_NOT_MET, "it was rolled back a minute ago",
        why="by ann", fix="maestro rollback ml/deploy/fraud --to-revision 1",
    )  # fmt: skip
    reasons = () if outcome is Gate.ALLOWED else (reason,)
    decision = GateDecision(outcome, reasons, (*cautions, "no replica will be left"))
    rehearsed: Any = SimpleNamespace(decision=decision)
    return AgreeDialog(action, TARGET, proposed, rehearsed, "")


@pytest.mark.parametrize(
    ("outcome", "risks", "can_go"),
    [
        (Gate.ALLOWED, (), True),
        (Gate.WAITING, (), True),
        (Gate.REFUSED, (), False),
        (Gate.REFUSED, ("last-replica",), True),
    ],
    ids=["allowed", "waiting", "refused", "a risk to accept"],
)
def test_the_gate_is_seen_at_once_and_what_it_refuses_cannot_be_gone_on_with(
    outcome: Gate, risks: tuple[str, ...], can_go: bool
) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.push_screen(dialog(outcome, *risks))
        await until(pilot, lambda: f"gate {outcome.value}" in screen_text(app), "the gate")
        assert "warning: no replica will be left" in screen_text(app)
        is_allowed = outcome is Gate.ALLOWED
        assert ("instead: Actions › Roll back, 1 in the field" in screen_text(app)) is not is_allowed
        assert bool(app.screen.query("#go")) is can_go
        cancel = app.screen.query_one("#cancel", Button)
        await until(pilot, lambda: app.focused is not None, "a place for keys")
        assert app.focused is cancel

    run_app(StillConsole(SERVICES), script, place=Place("pods"), size=(80, 24))


def test_the_buttons_are_on_the_smallest_screen_however_long_the_plan_is() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.push_screen(dialog(Gate.ALLOWED))
        await until(pilot, lambda: "more lines: PgDn" in screen_text(app), "the plan, and that it goes on")
        await until(pilot, lambda: "Cancel" in screen_text(app), "the buttons")
        app.screen.dismiss(None)
        view = Report("change/v1", {}, (Lines("\n".join(f"line {number}" for number in range(60))),))
        app.push_screen(SeeDialog("carry it out?", view, "Carry out", name="ml/deploy/fraud"))
        await until(pilot, lambda: "carry it out?" in screen_text(app), "what is carried out")
        await until(pilot, lambda: "Cancel" in screen_text(app), "its buttons")

    run_app(StillConsole(SERVICES), script, place=Place("workloads"), size=(80, 24))


def test_a_plan_is_read_to_its_end_while_cancel_has_the_focus() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.push_screen(dialog(Gate.ALLOWED))
        await until(pilot, lambda: "more lines: PgDn" in screen_text(app), "the plan, and that it goes on")
        for _ in range(20):
            await pilot.press("pagedown")
        await until(pilot, lambda: "line 59" in screen_text(app), "its end")
        assert "more lines" not in screen_text(app)
        assert app.focused is app.screen.query_one("#cancel", Button)

    run_app(StillConsole(SERVICES), script, place=Place("pods"), size=(80, 24))


def test_a_table_that_was_told_nothing_says_no_all_clear() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(app.query(FactTable)), "a table")
        assert "nothing found" not in screen_text(app)
        await until(pilot, lambda: "not known" in screen_text(app), "what it knows")

    run_app(StillConsole(SERVICES), script, place=Place("pods"))
