"""The console in lines: the same screens and the same rules, over a pipe."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from maestro_cli.core.facts.logs import Joined, LogLine
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.unanswered import Unanswered
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.plain import session
from maestro_cli.tui.plain.forms import FORMS
from maestro_cli.tui.plain.page import is_answered, page_of
from maestro_cli.tui.plain.session import Session
from maestro_cli.tui.plain.talk import Talk
from maestro_cli.tui.screens.incidents import UNANSWERED
from maestro_cli.tui.screens.logs import LOGS, LogsAsked
from maestro_cli.tui.screens.model import OwnScreen, Place
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import FactRead, Rewound
from maestro_cli.tui.store.model import Fact, Scope, Snapshot
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, pod, tell
from tests.tui.facts import FACTS, PLACES, SITE
from tests.tui.plain.room import Room, Services
from tests.unit.incidents.world import alert

PODS = every_screen()["pods"].feeds[0]


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not given is never read."""
    monkeypatch.setattr(session, "WAIT_SECONDS", 0.0)


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
