"""One incident on one screen: what stands first, which panes have room, and what its scope is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.model import State
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.unanswered import Unanswered
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.incident_story import read_story
from maestro_cli.tui.feeds.story import IncidentStory
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.keys.table import first_key
from maestro_cli.tui.screens.incident_words import SEPARATOR, Spans, head_lines, next_steps
from maestro_cli.tui.screens.incidents import INCIDENTS, SCREENS, UNANSWERED
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.views.folding import folded_head
from maestro_cli.tui.views.incident_panes import IDS, PANES, Facts, panes_shown, report_of
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell
from tests.tui.cases import until as still
from tests.tui.facts_of_changes import change
from tests.tui.journal_room import JournalRoom, room, until
from tests.unit.incidents.world import alert

__all__ = ["room"]


def story(room: JournalRoom) -> IncidentStory:
    return read_story(room.services, "#1")


def keys(room: JournalRoom) -> list[str]:
    return keys_of(story(room))


def keys_of(found: IncidentStory) -> list[str]:
    return [as_they_come(name) for name, _ in next_steps(found) if name]


def as_they_come(name: str) -> str:
    return first_key(name, {})


def test_the_next_key_is_the_safest_that_is_left(room: JournalRoom) -> None:
    room.fires()
    assert keys(room)[:2] == ["a", "T"]
    room.services.desk.ack("1")
    assert keys(room)[0] == "T"
    room.fires(firing=False)
    assert keys(room) == ["R"]
    room.services.desk.resolve("1")
    assert keys(room) == ["P", "O"]
    room.services.write_postmortem("1")
    assert keys(room)[0] == "B"


LONG: Spans = (
    ("next     ", "key"), ("a", "title"), (" acknowledge", ""), (SEPARATOR, "dim"), ("r", "title"),
    (" run runbook high-error-rate (dry run first)", ""), (SEPARATOR, "dim"), ("x", "title"),
    (" roll back to the last known good (preview first)", ""),
)  # fmt: skip


def words(rows: list[Spans]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def test_what_to_press_next_and_what_that_does_stand_on_one_line() -> None:
    assert words(folded_head([LONG], 79)) == [
        "next     a acknowledge · r run runbook high-error-rate (dry run first) ·",
        "         x roll back to the last known good (preview first)",
    ]
    assert words(folded_head([LONG], 60)) == [
        "next     a acknowledge ·",
        "         r run runbook high-error-rate (dry run first) ·",
        "         x roll back to the last known good (preview first)",
    ]
    assert words(folded_head([LONG], 200)) == ["".join(text for text, _ in LONG)]
    assert ("x", "title") in folded_head([LONG], 79)[1]


def test_who_it_hurts_and_what_changed_are_folded_at_their_parts_and_lose_nothing(room: JournalRoom) -> None:
    room.fires()
    found = story(room)
    began = found.incident.times.started_at
    since = change(1, State.VERIFIED, applied_at=began + timedelta(minutes=1))
    before = change(2, State.FAILED, applied_at=began - timedelta(minutes=1))
    found = replace(found, changes=(since, before))
    head = head_lines(found, found.details.now, as_they_come)
    rows = words(folded_head(head, 79))
    assert [row for row in rows if row.startswith("changed  before it: ") and row.endswith(" ·")]
    assert [row for row in rows if row.startswith("         since: ")]
    assert [row for row in rows if row.startswith("hurts") and len(row) <= 79]
    unfolded = " ".join(" ".join(words(head)).split())
    assert " ".join(" ".join(rows).split()) == unfolded


def test_once_a_run_has_ended_well_people_are_asked_what_mitigated_it_before_it_is_resolved(
    room: JournalRoom,
) -> None:
    room.fires()
    found = story(room)
    ended: Any = SimpleNamespace(status=RunStatus.SUCCEEDED)
    after = replace(found, runs=(ended,))
    assert keys_of(after) == ["a", "m"]
    room.fires(firing=False)
    assert keys_of(replace(story(room), runs=(ended,))) == ["a", "m", "R"]


def test_what_people_reported_is_looked_into_before_anybody_is_told_to_resolve_it(room: JournalRoom) -> None:
    room.services.desk.open("checkout is slow")
    assert story(room).hold == ""
    assert keys(room)[:2] == ["a", "T"]
    assert "R" not in keys(room)


def test_every_incident_is_listed_whatever_namespace_was_looked_at(room: JournalRoom) -> None:
    (incidents,) = (one for one in SCREENS if one.id == "incidents")
    view = incidents.view(Place("incidents"))
    assert view.keys(Scope(("x",), "another")) == view.keys(Scope(("x",), ""))


def test_a_runbook_is_offered_as_a_dry_run_with_the_values_of_the_alert(room: JournalRoom) -> None:
    room.fires()
    room.services.desk.ack("1")
    found = story(room)
    assert found.bound is None or found.bound.values
    assert any("dry run first" in words for _, words in next_steps(found))


def test_a_runbook_stays_bound_with_its_values_once_the_alerts_have_cleared(room: JournalRoom) -> None:
    room.fires(objective="fraud-availability")
    firing = story(room).bound
    assert firing is not None
    assert firing.values["DEPLOY"] == "fraud"
    room.fires(firing=False, objective="fraud-availability")
    assert story(room).bound == firing
    assert room.services.asked_run(firing.runbook, (), "1").values == firing.values


def test_the_playbook_that_the_record_names_is_bound_before_a_graver_one(room: JournalRoom) -> None:
    room.fires(objective="fraud-availability")
    room.fires(objective="fraud-latency")
    for recorded, runbook in (("", "high-error-rate"), ("high-latency", "high-latency")):
        assert room.services.explain_bound("1", recorded).runs[0].runbook == runbook


def test_why_it_cannot_be_resolved_is_said(room: JournalRoom) -> None:
    room.fires()
    assert story(room).hold == "1 of 1 signal still fires"
    hurts = head_lines(story(room), room.services.clock.now(), as_they_come)[1]
    assert "1 of 1 signal firing" in "".join(text for text, _ in hurts)
    room.fires(firing=False)
    assert story(room).hold == ""


def test_the_first_lines_say_what_who_changed_clock_and_next(room: JournalRoom) -> None:
    room.fires()
    lines = head_lines(story(room), room.services.clock.now(), as_they_come)
    firsts = [line[0][0].strip() for line in lines]
    assert firsts == ["#1 sev2 DETECTED", "hurts", "suspect", "changed", "clock", "next"]
    assert "ml/deploy/fraud" in "".join(text for text, _ in lines[1])
    assert "not acknowledged" in "".join(text for text, _ in lines[4])


@pytest.mark.parametrize(
    "triage", [None, {"suspects": (), "conclusion": "no suspect"}], ids=["before", "after"]
)
def test_what_changed_is_said_before_and_after_a_triage(room: JournalRoom, triage: Any) -> None:
    room.fires()
    found, now = story(room), room.services.clock.now()
    began = found.incident.times.started_at
    reached = [change(number, State.VERIFIED, applied_at=began) for number in (1, 2)]
    later = change(3, State.APPLIED, applied_at=now)
    never = change(4, State.CANCELLED)
    details = replace(found.details, triage=triage)
    lines = head_lines(replace(found, details=details, changes=(never, later, *reached)), now, as_they_come)
    words = {line[0][0].strip(): "".join(text for text, _ in line[1:]) for line in lines}
    assert words["suspect"] == ("no suspect" if triage else "not known yet: nobody has triaged it")
    summary = reached[0].plan.summary
    assert words["changed"].startswith(f"before it: {summary}, verified")
    assert f"since: {summary}, applied" in words["changed"]
    assert "cancelled" not in words["changed"]


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.id)
def test_every_pane_says_something_of_a_fresh_incident(room: JournalRoom, pane: Any) -> None:
    room.fires()
    facts = Facts(story(room), None, None, room.services.clock.now(), as_they_come)
    assert report_of(pane, facts).blocks


@pytest.mark.parametrize(
    ("width", "height", "count", "columns"),
    [(200, 50, len(IDS), 3), (120, 40, 4, 2), (80, 24, 1, 1)],
    ids=["200x50", "120x40", "80x24"],
)
def test_the_current_pane_is_always_on_the_screen(width: int, height: int, count: int, columns: int) -> None:
    for current in IDS:
        shown, in_columns = panes_shown(width, height, current, is_zoomed=False)
        assert current in shown
        assert (len(shown), in_columns) == (count, columns)
        assert panes_shown(width, height, current, is_zoomed=True) == ((current,), 1)


def test_the_safest_keys_are_named_as_they_were_chosen(room: JournalRoom) -> None:
    room.fires()

    async def act(pilot: Any, app: ConsoleApp) -> None:
        await until(pilot, lambda: "next     f9 acknowledge · T triage" in screen_text(app))
        await until(pilot, lambda: "nobody has triaged it: T does" in screen_text(app))

    room.run(act, Place("incident", "#1", "x"), keymap=Keymap({"incident.ack": "f9"}))


def test_opening_one_fixes_the_scope_and_leaving_restores_it(room: JournalRoom) -> None:
    async def walk(pilot: Any, app: ConsoleApp) -> None:
        room.fires()
        scope = room.console.store.snapshot.scope
        await until(pilot, lambda: app.view is not None and app.view.targets())
        await pilot.press("enter")
        await until(pilot, lambda: room.console.store.snapshot.scope.incident == "#1")
        fixed = room.console.store.snapshot.scope
        assert (fixed.contexts, fixed.namespace) == (("x",), "ml")
        assert fixed.since == room.services.desk.get("1").times.started_at
        await pilot.press("escape")
        await until(pilot, lambda: room.console.store.snapshot.scope == scope)

    room.run(walk, Place("incidents"))


@pytest.mark.parametrize("size", [(200, 50), (120, 40), (80, 24)], ids=["200x50", "120x40", "80x24"])
def test_it_is_whole_while_no_backend_answers_and_tab_moves_between_panes(
    room: JournalRoom, size: tuple[int, int]
) -> None:
    async def walk(pilot: Any, app: ConsoleApp) -> None:
        room.fires()
        room.services.desk.note("1", "customers report timeouts")
        await until(pilot, lambda: "customers report timeouts" in screen_text(app))
        text = screen_text(app)
        assert "acknowledge" in text
        for _ in IDS[1:]:
            await pilot.press("tab")
        await until(pilot, lambda: "[People and tasks]" in screen_text(app))
        await until(pilot, lambda: "nobody" in screen_text(app))

    room.run(walk, Place("incident", "#1", "x"), size)


def test_the_command_line_leads_to_an_incident_whose_panes_are_not_there_yet(room: JournalRoom) -> None:
    room.fires()

    async def act(pilot: Any, app: ConsoleApp) -> None:
        await pilot.press("colon", *"incident", "space", "1", "enter")
        await until(pilot, lambda: app.view is not None and app.view.is_mounted and not app.prompt.is_open)
        await until(pilot, lambda: app.view is not None and app.focused is app.view.home is not None)
        assert app.trail[-1] == Place("incident", "#1", "x")

    room.run(act, Place("changes"))


def test_nobody_is_told_that_all_is_quiet_while_nobody_watches_and_no_backend_answers(
    room: JournalRoom,
) -> None:
    async def act(pilot: Any, app: ConsoleApp) -> None:
        await until(pilot, lambda: "x: nobody watches — maestro watch" in screen_text(app))
        text = screen_text(app)
        assert "x: whether anything fires is not known: " in text
        assert "no incidents" in text
        assert "quiet" not in text

    room.run(act, Place("incidents"))


def test_what_fires_in_no_incident_stands_before_the_list_also_on_a_small_terminal() -> None:
    console = StillConsole(SimpleNamespace())
    fires = (alert(severity="page"), alert(severity="ticket", service="b"))
    found = Unanswered(Sight((), None, ""), fires)

    async def act(app: ConsoleApp, pilot: Any) -> None:
        tell(console, FactRead(INCIDENTS.of("prod"), (), NOW), FactRead(UNANSWERED.of("prod"), found, NOW))
        said = "prod: 2 alerts fire in no open incident: 1 page, 1 ticket"
        await still(pilot, lambda: said in screen_text(app), "what fires")
        assert "nobody watches" in screen_text(app)
        assert "no incidents" in screen_text(app)

    run_app(console, act, place=Place("incidents"), size=(80, 24))
