"""Runs from the console: rehearsed first, agreed to, asked about in dialogs, and known by the journal."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.progress import Quiet
from maestro_cli.output.writer import OutputOptions, emit
from maestro_cli.runbooks.model import Answer, Question
from maestro_cli.runbooks.planning import PlannedStep, RunPlan
from maestro_cli.tui.acting.dispatcher import AGREED, Agreed, Dispatcher, Ending
from maestro_cli.tui.acting.model import Action, Answers, Target, fault_of
from maestro_cli.tui.feeds.incident_story import read_story
from maestro_cli.tui.screens.incident_runs import (
    CANCEL,
    CONSIDER,
    REHEARSE,
    cancel,
    live_key,
)
from maestro_cli.tui.screens.incident_words import next_steps
from maestro_cli.tui.screens.model import Moment, Place
from maestro_cli.tui.screens.runs import run_report
from maestro_cli.tui.store.events import ContextArmed, ContextDisarmed
from tests.tui.cases import NOW
from tests.tui.journal_room import CONFIG, JournalRoom, room

__all__ = ["room"]

BOOK = """---
maestro: runbook/v1
id: look
title: Look at it
params:
  NAME: {default: fraud, description: what to look at}
---
# Look

```sh {id=print mutates=false}
printf 'seen %s\\n' "$NAME"
```

```manual {id=sure title="is it so"}
Look at the plot of $NAME.
```
"""


class Agrees:
    """Says yes or no to what is shown, the last of these to all that comes after, and keeps it.

    `while_looking` is what happens while somebody looks at the first plan of a run.
    """

    def __init__(
        self, *agreed: Agreed | None, while_looking: Callable[[], object] = lambda: None, at: str = "Run it"
    ) -> None:
        self._agreed, self._while_looking, self._at = agreed, while_looking, at
        self.shown: list[str] = []
        self.typed: list[tuple[str, str]] = []  # what is on the button, and what is typed for it

    def words(self, action: Action, targets: Sequence[Target]) -> Answers | None:
        return {ask.name: ask.default(targets[0]) for ask in action.asks} | {"runbook": "look"}

    def agree_all(self, *shown: Any) -> None:
        raise AssertionError("one at a time")

    def agree(self, *shown: object) -> Agreed | None:
        raise AssertionError("no change was planned")

    def see(self, target: Target, title: str, view: Any, word: str, name: str) -> Agreed | None:
        out = io.StringIO()
        emit(view, OutputOptions(), out)
        self.shown.append(f"{title}\n{out.getvalue()}")
        self.typed.append((word, name))
        if word == self._at:
            happens, self._while_looking = self._while_looking, lambda: None
            happens()
        return self._agreed[min(len(self.shown), len(self._agreed)) - 1]


class Person:
    """Answers each question of a run the same."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.texts: list[str] = []

    def show(self, view: object) -> None: ...

    def confirm(self, question: str) -> bool:
        return False

    def ask_text(self, question: str) -> str:
        return ""

    def ask_question(self, question: Question, is_cancelled: object) -> Answer | None:
        self.asked.append(question.path)
        self.texts.append(question.text)
        return self._answer


@pytest.fixture
def book(room: JournalRoom, tmp_path: Path) -> JournalRoom:
    """The room with one runbook, an incident, and an armed context."""
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "look.md").write_text(BOOK)
    (tmp_path / "maestro" / "config.yaml").write_text(f"{CONFIG}runbooks: [{folder}]\n")
    room.fires()
    return room


def arm(room: JournalRoom) -> None:
    room.console.store.dispatch(ContextArmed("x", room.console.clock.now() + timedelta(minutes=5)))


def perform(room: JournalRoom, action: Action, asker: Agrees) -> str:
    return ending_of(room, action, asker).outcome


def ending_of(
    room: JournalRoom, action: Action, asker: Agrees, about: Target | None = None, led: Any = None
) -> Ending:
    """How it ends for the incident, or what it is about; `led` are the places that it leads to."""
    console = room.console
    found = read_story(room.services, "1")
    target = about or Target("x", "Incident", found.incident.id, "#1", found)
    dispatcher = Dispatcher(console.store, console.clock, asker, console.reading, console.acting)
    dispatcher.lead = lambda place: None if led is None else led.append(place)
    assert dispatcher.refusal(action, (target,)) is None
    ((_, ending),) = dispatcher.perform(action, (target,), Quiet(), Cancellation())
    return ending


def test_a_key_shows_a_dry_run_with_its_values_and_no_runs_nothing(book: JournalRoom) -> None:
    asker = Agrees(Agreed(), None)
    assert "nothing was changed" in perform(book, REHEARSE, asker)
    assert "printf 'seen %s\\n' \"fraud\"" in asker.shown[1]
    assert "read-only here" in asker.shown[1]
    assert read_story(book.services, "1").runs == ()


def test_a_dry_run_shows_what_it_would_run_and_runs_it_only_after_a_yes(
    book: JournalRoom, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "books" / "look.md").write_text(BOOK.replace("printf 'seen", f"touch {ran}; printf 'seen"))
    no, yes = Agrees(None), Agrees(Agreed(), None)
    assert perform(book, REHEARSE, no) == "nothing was run"
    assert not ran.exists()
    assert [f"touch {ran}" in text for text in no.shown] == [True]
    perform(book, REHEARSE, yes)
    assert ran.exists()


def test_yes_in_a_read_only_context_is_refused_and_says_how_to_arm_it(book: JournalRoom) -> None:
    assert "press W" in perform(book, REHEARSE, Agrees(Agreed()))
    assert read_story(book.services, "1").runs == ()


def test_a_run_is_on_the_timeline_and_in_the_pane_and_asks_in_dialogs(book: JournalRoom) -> None:
    arm(book)
    person = Person(True)
    book.console.person = lambda context: cast(Any, person)
    seen, key = list[Any](), live_key("x", read_story(book.services, "1").incident.id)
    store = book.console.store
    store.listen(lambda: seen.append(store.take().fact(key).data))
    store.take()
    outcome = perform(book, REHEARSE, Agrees(Agreed()))
    found = read_story(book.services, "1")
    assert "succeeded" in outcome
    assert person.asked == ["sure"]
    assert person.texts == ["Look at the plot of fraud."]
    assert [run.status.value for run in found.runs] == ["succeeded"]
    assert any("step print" in entry.text for entry in found.timeline)
    assert "incident.mitigate" in [name for name, _ in next_steps(found)]
    assert any("✓ print" in line for live in seen if live is not None for line in live.tree)
    assert key not in store.snapshot.facts, "what has ended is told by the journal alone"
    assert [line.line.split()[3:5] for line in book.console.store.snapshot.log] == [
        ["runbook", "plan"],
        ["runbook", "run"],
    ]


@pytest.mark.parametrize("code", [ExitCode.GATE_NOT_MET, ExitCode.POLICY_REFUSED])
def test_what_the_gate_refuses_is_shown_and_not_offered(
    book: JournalRoom, monkeypatch: pytest.MonkeyPatch, code: ExitCode
) -> None:
    step = PlannedStep("back", "change", "refused", "it was rolled back within the hour already")
    plan = RunPlan("look", {"NAME": "fraud"}, (step,), code)
    monkeypatch.setattr(type(book.services), "plan_runbook", lambda services, asked, progress: plan)
    asker = Agrees(Agreed(), None)
    outcome = perform(book, REHEARSE, asker)
    assert outcome == f"dry run only; its run is refused now: back: {step.text}"
    assert asker.typed[-1] == ("", ""), "there is no button of a yes"
    assert "Its run is refused now" in asker.shown[-1]
    assert not book.services.run_history.list(limit=2)


def test_a_run_that_fails_is_called_a_run_and_its_dry_run_was_agreed_to(
    book: JournalRoom, tmp_path: Path
) -> None:
    arm(book)
    broken = BOOK.replace("printf 'seen %s\\n' \"$NAME\"", 'test -n "$MAESTRO_RUN_ID" && exit 1')
    broken = broken.replace("mutates=false", "mutates=true")
    (tmp_path / "books" / "look.md").write_text(broken)
    ending = ending_of(book, REHEARSE, Agrees(Agreed()))
    assert ending.action is not None
    assert ending.action.title == "Run a runbook"
    plan, run = book.console.store.snapshot.log
    assert (plan.outcome, run.outcome) == (AGREED, ending.outcome)
    assert "failed" in ending.outcome
    assert ending_of(book, REHEARSE, Agrees(None)).action is None


def test_a_run_begun_from_its_runbook_is_shown_as_soon_as_it_has_begun(book: JournalRoom) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(True))
    led, seen = list[Place](), dict[str, Any]()
    store = book.console.store
    store.listen(lambda: seen.update({one.argument: fact.data for one, fact in store.take().facts.items()}))
    store.take()
    about = Target("x", "Runbook", "look", "look")
    assert "succeeded" in ending_of(book, REHEARSE, Agrees(Agreed()), about, led).outcome
    (run,) = book.services.run_history.list(limit=2)
    assert led == [Place("run", run.id, "x")]
    assert seen[run.id].run == run.id
    report = run_report(
        book.services.run_history.get(run.id), Moment(NOW, store.snapshot.scope, "x", seen[run.id])
    )
    assert "At work" in str(report.blocks[0])
    assert not store.snapshot.facts


def test_a_runbook_that_changed_while_its_dry_run_was_shown_is_shown_anew_before_it_runs(
    book: JournalRoom, tmp_path: Path
) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(True))
    file = tmp_path / "books" / "look.md"
    asker = Agrees(Agreed(), while_looking=lambda: file.write_text(BOOK.replace("seen", "now")))
    assert "succeeded" in perform(book, REHEARSE, asker)
    plans = [text for text in asker.shown if "Dry run of" in text]
    assert ["printf 'seen" in text for text in plans] == [True, False]
    assert "look.md changed since its plan was made; nothing was done; this is how it is now" in plans[1]
    (ran,) = read_story(book.services, "1").runs
    assert [step.output for step in ran.steps if step.path == "print"] == ["now fraud"]


def test_a_run_has_the_values_of_its_dry_run_whatever_fires_meanwhile(
    book: JournalRoom, tmp_path: Path
) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(True))
    declared = "{from: label.pod, default: fraud,"
    (tmp_path / "books" / "look.md").write_text(BOOK.replace("{default: fraud,", declared))
    book.fires(pod="shown")

    def other() -> None:
        book.fires(pod="other")

    assert "succeeded" in perform(book, REHEARSE, Agrees(Agreed(), while_looking=other))
    (ran,) = read_story(book.services, "1").runs
    assert ran.parameters == {"NAME": "shown"}
    assert "NAME=shown" in book.console.store.snapshot.log[-1].line


def test_a_run_that_moved_on_while_it_was_shown_is_shown_anew(book: JournalRoom) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(None))
    assert "waiting" in perform(book, REHEARSE, Agrees(Agreed()))
    shown = read_story(book.services, "1").runs[0].id
    elsewhere = Agrees(
        Agreed(), None, at="Go on with it", while_looking=lambda: book.services.run_control.cancel(shown)
    )
    assert perform(book, CONSIDER, elsewhere) == "left as it is"
    assert "moved on since it was shown" in elsewhere.shown[1]
    assert [run.status.value for run in read_story(book.services, "1").runs] == ["cancelled"]


def test_a_run_without_an_answer_waits_and_is_gone_on_with_or_ended(book: JournalRoom) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(None))
    assert "waiting" in perform(book, REHEARSE, Agrees(Agreed()))
    assert perform(book, CONSIDER, Agrees(None)) == "left as it is"
    book.console.person = lambda context: cast(Any, Person(True))
    assert "succeeded" in perform(book, CONSIDER, Agrees(Agreed()))
    book.console.person = lambda context: cast(Any, Person(None))
    perform(book, REHEARSE, Agrees(Agreed()))
    shown = read_story(book.services, "1").runs[0].id
    assert perform(book, CANCEL, Agrees(None)).startswith(f"{shown} cancelled")
    assert any(one.line.endswith(f"runbook cancel {shown}") for one in book.console.store.snapshot.log)


def test_a_run_changes_nothing_once_its_context_is_not_armed_any_more_and_goes_on_when_it_is(
    book: JournalRoom, tmp_path: Path
) -> None:
    arm(book)
    altered, store = tmp_path / "altered", book.console.store
    touch = f"\n```sh {{id=touch mutates=true}}\ntouch {altered}\n```\n"
    (tmp_path / "books" / "look.md").write_text(BOOK + touch)

    class Disarms(Person):
        def ask_question(self, question: Question, is_cancelled: object) -> Answer | None:
            store.dispatch(ContextDisarmed("x"))
            return super().ask_question(question, is_cancelled)

    book.console.person = lambda context: cast(Any, Disarms(True))
    outcome = perform(book, REHEARSE, Agrees(Agreed()))
    assert "paused before touch: x is not armed any more" in outcome
    assert not altered.exists()
    assert "incident.go-on" in [name for name, _ in next_steps(read_story(book.services, "1"))]
    arm(book)
    assert "succeeded" in perform(book, CONSIDER, Agrees(Agreed()))
    assert altered.exists()


CHANGE = "```change {{id=then}}\nkind: {0}\ntarget: deploy/fraud\nnamespace: shop\n{1}```\n"


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("", ""),
        (CHANGE.format("rollback", ""), ""),
        (CHANGE.format("restart", ""), "look"),
        ("```sh {id=then mutates=true}\ntrue\n```\n", "look"),
        ("```runbook {id=then}\nrunbook: other\n```\n", "look"),
    ],
    ids=["looks", "reversible", "disruptive", "script", "another"],
)
def test_its_runbook_is_typed_for_a_run_that_disrupts_and_to_go_on_with_it(
    book: JournalRoom, tmp_path: Path, step: str, typed: str
) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(None))
    (tmp_path / "books" / "look.md").write_text(f"{BOOK}\n{step}")
    begins, goes_on = Agrees(Agreed()), Agrees(None)
    assert "waiting" in perform(book, REHEARSE, begins)
    assert begins.typed[-1] == ("Run it", typed)
    perform(book, CONSIDER, goes_on)
    assert goes_on.typed == [("Go on with it", typed)]


def test_the_run_that_was_shown_is_stopped_and_no_newer_one(book: JournalRoom) -> None:
    arm(book)
    book.console.person = lambda context: cast(Any, Person(None))
    perform(book, REHEARSE, Agrees(Agreed()))
    found = read_story(book.services, "1")
    target = Target("x", "Incident", found.incident.id, "#1", found)
    perform(book, REHEARSE, Agrees(Agreed()))  # a newer one, after the screen was drawn
    words = {ask.name: ask.default(target) for ask in CANCEL.asks}
    assert words == {"run": found.runs[0].id, "word": ""}
    assert fault_of(CANCEL.asks[1], "yes") == "type stop to stop it: one of stop"
    assert cancel(book.console.reading("x"), target, words).startswith(f"{found.runs[0].id} cancelled")
    assert [run.status.value for run in read_story(book.services, "1").runs] == ["waiting", "cancelled"]
