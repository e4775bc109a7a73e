"""What is agreed to in lines, and what a context is armed by: by yes, and by names that are typed."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.model import Gate, GateDecision, GateReason, Risk
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.output.views import Report
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.plain import session
from maestro_cli.tui.plain.asking import LineAsker
from maestro_cli.tui.plain.talk import Talk
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import Rewound
from tests.tui.cases import NOW, tell
from tests.tui.facts import SITE
from tests.tui.facts_of_changes import plan
from tests.tui.plain.room import Room


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not given is never read."""
    monkeypatch.setattr(session, "WAIT_SECONDS", 0.0)


def test_what_is_agreed_to_of_many_is_said_of_each() -> None:
    reason = GateReason("quota", ExitCode.GATE_NOT_MET, "it is over its quota")
    decision = GateDecision(Gate.REFUSED, (reason,), warnings=("the budget is thin",))
    made = replace(plan(), undo=None, risks=(Risk("singleton", "it is the only one", ""),))
    out = io.StringIO()
    talk = Talk(io.StringIO("\n"), out)
    asker = LineAsker(talk, lambda context: False)
    action = next(one for one in every_screen()["pods"].actions if one.id == "pods.delete")
    one = Planned(Target(SITE, "Pod", "u", "ml/pod/a"), made, cast(Any, SimpleNamespace(decision=decision)))
    said = list[Any]()
    talk.serve("all", lambda: said.append(asker.agree_all(action, [one], "")), Cancellation())
    assert said == [None]
    for words in (
        "gate: refused: it is over its quota",
        "warning: the budget is thin",
        "it cannot be taken back",
        "risk singleton: do it alone to accept it",
    ):
        assert words in out.getvalue()


@pytest.mark.parametrize(
    ("answers", "count", "words"),
    [
        (("ml/pod/fraud-0",), 1, "End the pod ml/pod/fraud-0: verified: chg-1"),
        (("yes",), 0, "that is not ml/pod/fraud-0; nothing was done"),
        (("",), 0, "you said no"),
        ((), 0, "you said no"),
    ],
    ids=["typed", "yes is not enough", "an empty line", "the end of input"],
)
def test_what_disrupts_is_done_once_its_target_is_typed(
    answers: tuple[str, ...], count: int, words: str
) -> None:
    room = Room()
    room.arm()
    text = room.say("1", "do pods.delete", *answers)
    assert words in text
    assert len(room.services.executed) == count
    assert room.services.planned == [("delete-pod", "ml/pod/fraud-0")]


@pytest.mark.parametrize(
    ("said", "answer"), [("node/a", Agreed()), ("yes", None)], ids=["its name", "yes is not enough"]
)
def test_what_disrupts_is_gone_on_with_once_its_name_is_typed(said: str, answer: Agreed | None) -> None:
    talk = Talk(io.StringIO(f"{said}\n"), io.StringIO())
    target = Target(SITE, "Change", "chg-1", "chg-1")
    asker = LineAsker(talk, lambda context: False)
    seen: list[Agreed | None] = []
    show = lambda: seen.append(asker.see(target, "drain a", Report("x/v1", {}, ()), "Carry out", "node/a"))  # noqa: E731
    talk.serve("carry out", show, Cancellation())
    assert seen == [answer]


RISKY = replace(plan(), risks=(Risk("singleton", "it is the only one", ""), Risk("data", "it has data", "")))


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (("y", "singleton", "data"), Agreed("", frozenset({"singleton", "data"}))),
        (("y", "singleton", ""), None),
        (("y", "singleton data", "data"), None),
        (("y",), None),
    ],
    ids=["each", "one alone", "both at once", "none"],
)
def test_each_risk_is_accepted_by_its_own_name(lines: tuple[str, ...], answer: Agreed | None) -> None:
    assert answers_to_plan(RISKY, Gate.REFUSED, *lines)[0] == answer


def test_what_the_gate_refuses_whatever_is_said_is_not_asked_about() -> None:
    answer, text = answers_to_plan(plan(), Gate.REFUSED, "y", "ml/pod/a")
    assert answer is None
    assert "it is over its quota" in text
    assert "go on" not in text


def answers_to_plan(made: Any, outcome: Gate, *lines: str) -> tuple[Agreed | None, str]:
    """What is agreed to of a plan that can be taken back, and what was said."""
    reason = GateReason("quota", ExitCode.GATE_NOT_MET, "it is over its quota")
    rehearsed = cast(Any, SimpleNamespace(decision=GateDecision(outcome, (reason,))))
    out, said = io.StringIO(), list[Agreed | None]()
    talk = Talk(io.StringIO("".join(f"{line}\n" for line in lines)), out)
    asker = LineAsker(talk, lambda context: False)
    action = Action(
        "pods.say", "Say", "say it", Danger.REVERSIBLE, lambda target, answers: ("say",),
        plans=lambda services, target, answers: made,
    )  # fmt: skip
    target = Target(SITE, "Pod", "u", "ml/pod/a")
    work = lambda: said.append(asker.agree(action, target, made, rehearsed, ""))  # noqa: E731
    talk.serve("agree", work, Cancellation())
    return said[0], out.getvalue()


def test_what_cannot_be_armed_is_not_asked_about() -> None:
    room = Room()
    room.services.policy.read_only = True
    assert "prod cannot be armed" in room.say("write 5", "y")
    assert not room.console.store.snapshot.armed
    room.services.policy.read_only = False
    tell(room.console, Rewound(NOW, {}))
    assert "shows the past" in room.say("write 5", "y")
    assert not room.console.store.snapshot.armed


def test_a_protected_context_is_armed_by_its_name_alone() -> None:
    room = Room(protected=True)
    assert "prod is read-only, as before" in room.say("write", "y")
    assert "prod is armed" in room.say("write 5", "prod")
    assert room.console.store.snapshot.is_armed(SITE, NOW)
