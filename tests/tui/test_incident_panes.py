"""The incident's screen as a whole: its logs, its past, and the run that this console works on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.errors import NotFound
from maestro_cli.core.facts.logs import Joined, Left, LogLine
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.incident_story import STORY as FEED
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.feeds.story import IncidentStory
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.keys.remembered import Remembered, recall
from maestro_cli.tui.screens.incident_runs import LiveRun, live_key
from maestro_cli.tui.screens.logs import LOGS, LogsAsked
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactFailed, FactRead, FactsForgotten, Resumed, Rewound
from maestro_cli.tui.store.model import Fact, FactKey
from maestro_cli.tui.views.incident_view import IncidentView
from maestro_cli.tui.views.logs_pane import kept_lines
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts_of_incidents import STORY

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
PLACE = Place("incident", "#2", "prod")
KEY = FEED.of("prod", "#2")
THEN = NOW - timedelta(minutes=30)
PRINTED = LogLine("fraud-1", "server", NOW, "answered with 500")


def logs_key(filter_text: str = "", *, target: str = "ml/deploy/fraud", previous: bool = False) -> FactKey:
    return LOGS.of("prod", str(LogsAsked(target, filter_text, previous)))


def view_of(app: ConsoleApp) -> IncidentView:
    assert isinstance(app.view, IncidentView)
    return app.view


def about(subject: str) -> IncidentStory:
    """The story with another first suspect."""
    suspects = [{**(STORY.details.triage or {})["suspects"][0], "subject": subject}]
    triage = {**(STORY.details.triage or {}), "suspects": suspects}
    return replace(STORY, details=replace(STORY.details, triage=triage))


def test_the_logs_are_those_of_the_suspect_else_of_what_the_incident_is_about() -> None:
    assert about("ml/deploy/other revision 7").printing == "ml/deploy/other"
    assert about("ml/pod/fraud-1").printing == "ml/pod/fraud-1"
    for subject in ("node-1", "a/b/c/d", "ml/frob/x", "\x1b[2J"):
        assert about(subject).printing == "ml/deploy/fraud"


def test_logs_are_read_while_their_pane_is_shown_and_filtered_there() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, STORY, NOW))
        await until(pilot, lambda: "hurts" in screen_text(app), "the incident")
        assert logs_key() not in console.feeds.wanted
        await pilot.press("l")
        await until(pilot, lambda: logs_key() in console.feeds.wanted, "that its logs are read")
        tell(console, FactRead(logs_key(), Tail(0, (PRINTED,), "first"), NOW))
        await until(pilot, lambda: "answered with 500" in screen_text(app), "the lines")
        await pilot.press("/", *"5..$", "enter")
        await until(pilot, lambda: logs_key("5..$") in console.feeds.wanted, "that they are filtered")
        await until(pilot, lambda: "/5..$" in screen_text(app), "which filter there is")
        await pilot.press("escape", "p")
        await until(pilot, lambda: logs_key(previous=True) in console.feeds.wanted, "the run before")
        await pilot.press("tab")
        await until(pilot, lambda: not any(key.feed == "logs" for key in console.feeds.wanted), "no logs")

    run_app(console, script, place=PLACE, size=(80, 24))


def test_what_a_pod_printed_that_is_gone_stays_when_it_is_filtered() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        other = replace(PRINTED, text="all is well")
        tell(console, FactRead(logs_key(), Tail(0, (PRINTED, other), "first"), NOW))
        await until(pilot, lambda: "all is well" in screen_text(app), "the lines")
        await pilot.press("/", *"500", "enter")
        await until(pilot, lambda: logs_key("500") in console.feeds.wanted, "the filter")
        gone = FactFailed(logs_key("500"), told(NotFound("there is no deployment fraud in ml")), NOW)
        tell(console, FactsForgotten(frozenset({logs_key()})), gone)
        await until(pilot, lambda: "not readable now; what was" in screen_text(app), "that it is not read")
        assert "the pod is gone" not in screen_text(app)
        assert "answered with 500" in screen_text(app)
        assert "all is well" not in screen_text(app)

    run_app(console, script, place=Place("logs", "ml/deploy/fraud", "prod"))


def test_of_several_pods_only_what_those_printed_that_are_gone_is_kept() -> None:
    left, there = replace(PRINTED, pod="a"), replace(PRINTED, pod="b")
    again = replace(PRINTED, pod="c")
    kept = (
        Joined("a", "x"), left, there, again, Left("a", "x", "it ended"), Left("c", "x", "broken"),
        Joined("c", "x"), Left("b", "x", "it ended"),
    )  # fmt: skip
    assert kept_lines(kept, (Joined("b", "x"),)) == [left]
    assert kept_lines(kept, None) == [left, there, again]


def test_the_past_of_an_incident_is_shown_compared_and_left_and_nothing_is_done_in_it() -> None:
    console = StillConsole(SERVICES)
    before = replace(STORY, timeline=STORY.timeline[:1])

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, STORY, NOW))
        await until(pilot, lambda: "customers call" in screen_text(app), "the present")
        tell(console, Rewound(THEN, {KEY: Fact(before, THEN)}))
        await until(pilot, lambda: "customers call" not in screen_text(app), "the past")
        assert "opened as sev2" in screen_text(app)
        await pilot.press("a")
        await until(pilot, lambda: "nothing is done there" in app.status.told, "that it is refused")
        await pilot.press("=")
        await until(pilot, lambda: "+" in screen_text(app) and "customers call" in screen_text(app), "both")
        tell(console, Resumed())
        await until(pilot, lambda: "REPLAY" not in screen_text(app), "the present again")

    run_app(console, script, place=PLACE, size=(120, 40))


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "not-known-now"])
def test_the_first_lines_of_a_compared_incident_are_those_of_now(is_known: bool) -> None:
    console = StillConsole(SERVICES)
    before = replace(
        STORY, details=replace(STORY.details, incident=replace(STORY.incident, title="as it was"))
    )

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, Rewound(THEN, {KEY: Fact(before, THEN)}, True))
        if is_known:
            tell(console, FactRead(KEY, STORY, NOW))
        word = STORY.incident.title.split()[1] if is_known else "what it is now is not known"
        await until(pilot, lambda: word in screen_text(app), "the head")
        head = screen_text(app).split("panes  ")[0]
        assert "NOW AGAINST" in head
        assert "as it was" not in head
        assert word in head

    run_app(console, script, place=PLACE, size=(120, 40))


def test_leaving_the_console_within_an_incident_remembers_the_namespace_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    console = StillConsole(SERVICES, namespace="shop")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.go(PLACE)
        tell(console, FactRead(KEY, STORY, NOW))
        await until(pilot, lambda: console.store.snapshot.scope.namespace == "ml", "the incident's namespace")
        app.go(Place("pods"))
        await pilot.press("ctrl+q")

    run_app(console, script, place=Place("incidents"), kept=Remembered(has_seen_tour=True))
    assert recall().namespaces == {"prod": "shop"}
    assert recall().screen == "pods"


def test_the_run_that_this_console_works_on_comes_on_the_screen_with_its_newest_output() -> None:
    console = StillConsole(SERVICES)
    printed = tuple(f"line {number}" for number in range(100))
    live: Any = LiveRun("run-9", ("▶ rollback",), printed)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, STORY, NOW))
        await until(pilot, lambda: "[Timeline]" in screen_text(app), "the first pane")
        tell(console, FactRead(live_key("prod", STORY.incident.id), live, NOW))
        await until(pilot, lambda: "At work: run run-9" in screen_text(app), "the run")
        assert "[Runbook and runs]" in screen_text(app)
        assert "85 lines before these" in screen_text(app)
        await pilot.press("tab")
        tell(console, FactRead(live_key("prod", STORY.incident.id), replace(live, printed=("x",)), NOW))
        await until(pilot, lambda: "[Changes]" in screen_text(app), "where somebody has gone on to")

    run_app(console, script, place=PLACE, size=(120, 30))


@pytest.mark.parametrize(("size", "is_zoomed"), [((80, 24), False), ((120, 40), True)])
def test_the_keys_go_to_the_pane_that_takes_the_place_of_the_one_that_had_them(
    size: tuple[int, int], is_zoomed: bool
) -> None:
    console = StillConsole(SERVICES)
    live: Any = LiveRun("run-9", ("▶ rollback",), ("x",) * 50)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, STORY, NOW))
        await until(pilot, lambda: "[Timeline]" in screen_text(app) and app.focused is not None, "the pane")
        if is_zoomed:
            await pilot.press("z")
            await until(pilot, lambda: "z: all panes" in screen_text(app), "it alone")
        tell(console, FactRead(live_key("prod", STORY.incident.id), live, NOW))
        await until(pilot, lambda: "At work: run run-9" in screen_text(app), "the run")
        await pilot.press("tab")
        await until(pilot, lambda: "[Changes]" in screen_text(app), "the pane after it")
        await pilot.press("x")
        await until(pilot, lambda: len(app.screen_stack) == 2, "the menu")

    run_app(console, script, place=PLACE, size=size)


def test_a_filter_of_rows_is_refused_in_words_and_the_incident_is_open() -> None:
    named: Any = SimpleNamespace(policy=SERVICES.policy, settings=SimpleNamespace(contexts={}))
    console = StillConsole(named)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(KEY, STORY, NOW))
        assert app.run_line("incident #2 app=fraud")
        await until(pilot, lambda: "is one of rows" in app.status.told, "why not")
        await until(pilot, lambda: "[Timeline]" in screen_text(app), "the incident")

    run_app(console, script, place=Place("incidents"))
