"""The console in lines: the same screens and the same rules, over a pipe."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.model import Gate, GateDecision, GateReason, Risk
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.logs import Joined, LogLine
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.unanswered import Unanswered
from maestro_cli.output.views import Report
from maestro_cli.tui.acting.dispatcher import Agreed, Planned
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.plain import session
from maestro_cli.tui.plain.asking import LineAsker
from maestro_cli.tui.plain.forms import FORMS
from maestro_cli.tui.plain.page import is_answered, page_of
from maestro_cli.tui.plain.session import Session
from maestro_cli.tui.plain.talk import Talk
from maestro_cli.tui.screens.incidents import UNANSWERED
from maestro_cli.tui.screens.logs import LOGS, LogsAsked
from maestro_cli.tui.screens.model import OwnScreen, Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import ContextArmed, FactRead, Rewound
from maestro_cli.tui.store.model import Fact, Scope, Snapshot
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, pod, tell
from tests.tui.facts import FACTS, PLACES, SITE
from tests.tui.facts_of_changes import plan
from tests.tui.test_dispatcher import Desk
from tests.unit.incidents.world import alert

PODS = every_screen()["pods"].feeds[0]


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not given is never read."""
    monkeypatch.setattr(session, "WAIT_SECONDS", 0.0)


class Services(Desk):
    """Plans, gate and execution of a test; `protected` contexts have their name typed."""

    def __init__(self, *, protected: bool = False) -> None:
        super().__init__()
        self.policy = SimpleNamespace(protected=protected, read_only=False)
        self.settings = SimpleNamespace(contexts={})
        self.planned: list[Any] = []

    def plan(self, kind: str, ref: Any, parameters: Any) -> Any:
        self.planned.append((kind, str(ref)))
        return plan()

    def rehearse_change(self, plan: Any, accepts: Any) -> Any:
        return SimpleNamespace(decision=GateDecision(Gate.ALLOWED))


class Room:
    """A session over facts that were given, fed line by line."""

    def __init__(self, *, protected: bool = False, place: Place | None = None) -> None:
        self.services = Services(protected=protected)
        self.console = StillConsole(self.services, (SITE,))
        self.place = place or Place("pods")
        self.raises: type[Exception] | None = None  # what is raised at the end
        for facts in FACTS.values():
            tell(self.console, *(FactRead(key, data, NOW) for key, data in facts().items()))

    def say(self, *lines: str) -> str:
        """What is printed until the end of the input."""
        out = io.StringIO()
        with nullcontext() if self.raises is None else pytest.raises(self.raises):
            Session(self.console, Talk(io.StringIO("\n".join(lines) + "\n"), out), self.place).run()
        return out.getvalue()

    def arm(self) -> None:
        tell(self.console, ContextArmed(SITE, NOW + timedelta(minutes=5)))


def test_a_row_has_a_number_and_the_end_of_input_ends_it() -> None:
    text = Room().say("2")
    assert "Pods. prod read-only. all namespaces." in text
    assert "6 of 6 rows." in text
    assert text.endswith("chosen: ml/pod/fraud-1\nmaestro> \n")


def test_a_place_is_said_once_what_it_shows_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WAIT_SECONDS", PATIENCE_SECONDS)
    console = StillConsole(Services(), (SITE,))
    read = threading.Thread(target=tell, args=(console, FactRead(PODS.of(SITE), (pod("fraud-0"),), NOW)))
    monkeypatch.setattr(console.feeds, "want", lambda keys: read.start())
    out = io.StringIO()
    Session(console, Talk(io.StringIO(""), out), Place("pods")).show()
    assert "1 of 1 rows." in out.getvalue()


LOG = Place("logs", "ml/deploy/fraud")
LOG_KEY = LOGS.of(SITE, str(LogsAsked(LOG.argument)))
JOINED, LINE = Joined("fraud-1", "server"), LogLine("fraud-1", "server", NOW, "scored 7")


def test_a_log_of_which_no_line_came_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "WAIT_SECONDS", PATIENCE_SECONDS)
    console = StillConsole(Services(), (SITE,))
    tell(console, FactRead(LOG_KEY, Tail(0, (JOINED,)), NOW))
    waits = is_answered

    def asked(*given: Any) -> bool:
        answered = waits(*given)
        if not answered:  # what is known says nothing: now the first line comes
            tell(console, FactRead(LOG_KEY, Tail(0, (JOINED, LINE)), NOW))
        return answered

    monkeypatch.setattr(session, "is_answered", asked)
    out = io.StringIO()
    Session(console, Talk(io.StringIO(""), out), LOG).show()
    assert "fraud-1: scored 7" in out.getvalue()


@pytest.mark.parametrize(
    ("tail", "filter_text", "said"),
    [
        (Tail(0, ()), "", "no line was read yet; refresh looks again"),
        (Tail(0, (JOINED,)), "error", "no line that matches was read yet; refresh looks again"),
        (Tail(0, (), is_over=True), "", "nothing printed"),
        (Tail(0, (JOINED,), is_over=True), "error", "nothing printed matches"),
    ],
    ids=["goes on", "goes on, filtered", "has ended", "has ended, filtered"],
)
def test_nothing_was_printed_is_said_of_a_log_that_was_read_to_its_end_alone(
    tail: Tail, filter_text: str, said: str
) -> None:
    place = replace(LOG, filter=filter_text)
    room = Room(place=place)
    tell(room.console, FactRead(LOGS.of(SITE, str(LogsAsked(LOG.argument, filter_text))), tail, NOW))
    assert said in room.say().splitlines()


def test_a_number_means_the_row_that_was_printed_whatever_took_its_place() -> None:
    room = Room()
    out = io.StringIO()
    session = Session(room.console, Talk(io.StringIO(""), out), room.place)
    session.show()
    tell(room.console, FactRead(PODS.of(SITE), (pod("other"), pod("fraud-0")), NOW))
    session.choose(["1"])
    assert [target.id for target in session.chosen] == ["uid-fraud-0"]


def test_nothing_is_done_in_a_context_that_is_not_armed() -> None:
    room = Room()
    text = room.say("do delete 1", "fraud-0")
    assert "prod is read-only; write 10" in text
    assert room.services.planned == []


def test_what_arming_would_not_help_is_not_told_to_arm() -> None:
    room = Room()
    scale = next(one for one in every_screen()["pods"].actions if one.id == "pods.delete")
    never = replace(scale, refuses=lambda target: "it belongs to nobody")
    out = io.StringIO()
    lines = Session(room.console, Talk(io.StringIO(""), out), room.place)
    lines.show()
    target = lines.page.rows[:1]
    assert lines.refusal(never, target) == "End the pod ml/pod/fraud-0: it belongs to nobody"
    assert "write 10" in lines.refusal(scale, target)


def test_a_row_that_cannot_be_read_leaves_the_others() -> None:
    room = Room()
    tell(
        room.console,
        FactRead(PODS.of(SITE), (replace(pod("broken"), restarted_at=cast(Any, "x")), pod("well")), NOW),
    )
    text = room.say("2")
    assert "not readable (" in text
    assert "chosen: ml/pod/well" in text


@pytest.mark.parametrize("line", ["9" * 5000, "open " + "9" * 5000, ":write " + "9" * 5000])
def test_a_number_of_any_length_is_refused_and_the_session_goes_on(line: str) -> None:
    text = Room().say(line, "2")
    assert "there is no row 999" in text or "is no number of minutes" in text
    assert "chosen: ml/pod/fraud-1" in text


def test_a_defect_ends_no_session_but_is_no_success_and_leaves_no_row_to_act_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room, shown = Room(), list[str]()
    room.arm()

    def once(screen: Any, place: Place, *rest: Any) -> Any:
        shown.append(place.screen)
        if len(shown) == 2:
            raise ZeroDivisionError("a listing that divides")
        return page_of(screen, place, *rest)

    monkeypatch.setattr(session, "page_of", once)
    room.raises = ZeroDivisionError
    text = room.say("1", "nodes", "do cordon", "do cordon 1", "pods")
    assert "internal error: ZeroDivisionError. a listing that divides" in text
    assert "nothing is chosen" in text
    assert "there is no row 1" in text
    assert text.count("6 of 6 rows.") == 2
    assert room.services.planned == []


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


def test_the_words_of_the_command_line_need_no_colon() -> None:
    text = Room().say("pods /fraud", "ns ml", ":nodes", "back", "back", "tour", "nodez")
    assert "filter fraud" in text
    assert "4 of 6 rows." in text
    assert "namespace ml" in text
    assert "Nodes. prod read-only" in text
    assert "this has no sense without a screen" in text
    assert "did you mean 'node'?" in text


def test_a_word_that_may_mean_two_rows_is_refused_with_both() -> None:
    room = Room()
    room.console.store.dispatch(FactRead(PODS.of(SITE), (pod("a"), pod("a", namespace="shop")), NOW))
    text = room.say("open a")
    assert "'a' may be 2 rows. ml/pod/a, shop/pod/a" in text


def test_what_fires_in_no_incident_is_said_before_the_incidents() -> None:
    room = Room(place=Place("incidents"))
    tell(room.console, FactRead(UNANSWERED.of(SITE), Unanswered(Sight((), None, ""), (alert(),)), NOW))
    text = room.say()
    assert "! prod: 1 alert fires in no open incident: 1 page (" in text
    assert "! prod: nobody watches — maestro watch opens incidents of what fires" in text
    assert "prod: reading" not in text
    tell(room.console, Rewound(NOW - timedelta(minutes=5), {}))
    assert "nobody watches" not in room.say(), "of now alone"


def test_an_action_is_said_with_its_danger_for_what_is_chosen() -> None:
    room = Room()
    owned = replace(pod("a"), owner="fraud-1")
    room.console.store.dispatch(FactRead(PODS.of(SITE), (owned, pod("b")), NOW))
    assert "pods.delete: End the pod, disruptive; " in room.say("a", "actions")
    assert "pods.delete: End the pod, destructive; " in room.say("b", "actions")


def test_an_incident_fixes_the_scope_until_it_is_left() -> None:
    room = Room(place=Place("incidents"))
    text = room.say("open 1", "changes", "back", "back")
    assert "Changes. prod read-only. namespace ml. incident #2." in text
    assert "Incidents. prod read-only. all namespaces." in text.rpartition("Incident #2")[2]


@pytest.mark.parametrize("screen", every_screen())
def test_every_screen_is_said_without_a_control_character(screen: str) -> None:
    text = Room(place=PLACES.get(screen, Place(screen))).say("actions")
    assert text.count("\n") > 3
    assert "not known" not in text.splitlines(), "there is nothing to say"
    assert [c for c in text if (ord(c) < 32 and c != "\n") or c in "\u202e\u200b"] == []


@pytest.mark.parametrize("screen", every_screen())
def test_every_screen_says_that_nothing_is_known_yet(screen: str) -> None:
    page = page_of(every_screen()[screen], PLACES.get(screen, Place(screen)), Snapshot(Scope((SITE,))), NOW)
    assert page.text
    assert page.rows == ()


def test_every_screen_that_draws_itself_has_a_form_in_lines() -> None:
    own = {screen.id for screen in every_screen().values() if isinstance(screen, OwnScreen)}
    assert own == set(FORMS), "give it one in maestro_cli/tui/plain/forms.py"


def test_no_part_of_a_full_screen_is_imported() -> None:
    code = (
        "import sys\n"
        "from maestro_cli.tui import launch\n"
        "from maestro_cli.tui.plain import launch as lines\n"
        "from maestro_cli.tui.screens.table import every_feed\n"
        "every_feed()\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'textual'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        ("pods", lambda data: (replace(data[0], status="Pending"), *data[2:]), ("changed", "gone")),
        ("status", lambda data: replace(data, incidents=()), ("--- then", "+++ now")),
        ("yaml", lambda data: replace(data, text=data.text + "new: line\n"), ("+new: line",)),
    ],
    ids=["rows", "report", "text"],
)
def test_the_past_is_compared_with_now(place: str, change: Any, said: tuple[str, ...]) -> None:
    room = Room(place=PLACES.get(place, Place(place)))
    ((key, data),) = FACTS[place]().items()
    then = NOW - timedelta(minutes=5)
    tell(room.console, Rewound(then, {key: Fact(data, NOW)}, True))
    assert "nothing differs" in room.say()
    tell(room.console, FactRead(key, change(data), NOW))
    text = room.say()
    assert f"what differs now from {then.astimezone():%H:%M:%S}" in text
    assert [one for one in said if one not in text] == []
