"""The screen of costs: its rows add up, and Enter goes into one until there is nothing more within."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.cost.allocation.model import Component, Row, RowKind
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.costs import (
    COSTS,
    SIZING,
    AskedCosts,
    CostRow,
    Spent,
    about_costs,
    cost_target,
    open_within,
    told_next,
    within,
)
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactFailed, FactRead
from maestro_cli.tui.store.model import Told
from maestro_cli.tui.views.map_view import SHAPES, MapView
from maestro_cli.tui.widgets.tree_map import TreeMap
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import HOSTILE
from tests.tui.facts_of_costs import spent

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
AT = Place("cost", "", "prod")
VISITED = {"cost": "e", "unit-costs": "u", "cost-budgets": "b", "forecast": "f", "rightsizing": "z"}


def test_it_shows_who_spends_which_share_and_what_nobody_used() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(COSTS.of("prod"), spent(HOSTILE), NOW))
        await until(pilot, lambda: "(idle)" in screen_text(app), "the rows")
        text = screen_text(app)
        assert "50.0%" in text
        assert "USD 60.00 in 23h12m by namespace, 98% measured, just read" in text
        assert "\x1b" not in text

    run_app(console, script, place=Place("cost"))


def _one(key: str, name: str, where: str, kind: RowKind = RowKind.SPENDER) -> CostRow:
    return CostRow(key, where, Row((name,), kind, {Component.CPU: 1.0}, {}, {}), 1.0, "USD", 1.0)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (_one("namespace", "ml", ""), Place("cost", "namespace=ml", "prod")),
        (_one("team", "risk", "namespace=ml"), Place("cost", "namespace=ml,team=risk", "prod")),
        (_one("namespace", 'a"b,c', ""), Place("cost", r'namespace="a\"b,c"', "prod")),
        (_one("workload", "ml/deploy/fraud", "namespace=ml"), Place("rollout", "ml/deploy/fraud", "prod")),
        (_one("node", "a", ""), Place("cost", "node=a", "prod")),
        (_one("team", "", "", RowKind.UNALLOCATED), Place("cost", 'team=""', "prod")),
        (
            _one("label:app.kubernetes.io/name", "a", ""),
            Place("cost", "label_app_kubernetes_io_name=a", "prod"),
        ),
        (_one("namespace", "", "", RowKind.IDLE), None),
    ],
)
def test_enter_goes_into_a_row(row: CostRow, place: Place | None) -> None:
    assert open_within(cost_target(row, AT)) == place


def test_what_a_row_selects_is_what_the_filter_reads() -> None:
    from maestro_cli.cost.allocation.grouping import Filter

    found = within(_one("namespace", HOSTILE, ""))
    (matcher,) = Filter.parse(found).matchers
    assert (matcher.label, matcher.value) == ("namespace", HOSTILE)


@pytest.mark.parametrize("kind", [RowKind.UNALLOCATED, RowKind.SPENDER])
def test_what_has_no_team_is_gone_into_as_well(kind: RowKind) -> None:
    from maestro_cli.cost.allocation.grouping import Filter

    one = _one("team", "", "namespace=ml", kind)
    found = within(one)
    assert one.name == "(no team)"
    assert [(m.label, m.value) for m in Filter.parse(found).matchers] == [("namespace", "ml"), ("team", "")]
    assert open_within(cost_target(_one("namespace", "", "", kind), AT)) is None


def test_picture_and_list_are_at_the_same_row_and_enter_goes_in_and_escape_out() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(COSTS.of("prod"), spent(HOSTILE), NOW))
        await until(pilot, lambda: "▸ml" in screen_text(app), "the picture, at the first row")
        await pilot.press("end")
        await until(pilot, lambda: "▸(idle)" in screen_text(app), "the picture, at the last")
        assert "▸ml" not in screen_text(app)
        await pilot.press("home", "enter")
        await until(pilot, lambda: app.trail[-1] == Place("cost", "namespace=ml", "prod"), "within")
        teams = Spent(
            "team", "namespace=ml", (_one("team", "risk", "namespace=ml"),), 1.0, "USD", 1.0, 83_520.0
        )
        tell(console, FactRead(COSTS.of("prod", "namespace=ml"), teams, NOW))
        await until(pilot, lambda: "▸risk" in screen_text(app), "the teams")
        assert "in 23h12m of namespace=ml by team" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "▸ml" in screen_text(app), "where it came from")

    run_app(console, script, place=Place("cost"))


def test_a_click_chooses_and_a_double_click_goes_in() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(COSTS.of("prod"), spent(HOSTILE), NOW))
        await until(pilot, lambda: "▸ml" in screen_text(app), "the picture")
        await pilot.press("end")
        await until(pilot, lambda: "▸(idle)" in screen_text(app), "another row")
        await pilot.click("TreeMap", offset=(3, 3))
        await until(pilot, lambda: "▸ml" in screen_text(app), "what was clicked")
        await pilot.click("TreeMap", offset=(3, 3), times=2)
        await until(pilot, lambda: app.trail[-1].argument == "namespace=ml", "within")

    run_app(console, script, place=Place("cost"))


def test_the_picture_is_larger_or_away_and_stays_so_within_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MapView, "shape", SHAPES[0])
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(COSTS.of("prod"), spent(HOSTILE), NOW))
        await until(pilot, lambda: "▸ml" in screen_text(app), "the picture")
        both = app.query_one(TreeMap).size.height
        await pilot.press("m")
        await until(pilot, lambda: app.query_one(TreeMap).size.height > both, "a larger one")
        await pilot.press("m")
        await until(pilot, lambda: "▸ml" not in screen_text(app), "the list alone")
        await pilot.press("enter")
        await until(pilot, lambda: app.trail[-1].argument == "namespace=ml", "within")
        assert not app.query_one(TreeMap).display

    run_app(console, script, place=Place("cost"))


def test_amounts_of_several_currencies_have_no_picture_together() -> None:
    console = StillConsole(SERVICES, ("prod", "other"))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        found = spent("x")
        rows = tuple(replace(one, currency="EUR") for one in found.rows)
        euros = replace(found, rows=rows, currency="EUR")
        tell(console, FactRead(COSTS.of("prod"), found, NOW), FactRead(COSTS.of("other"), euros, NOW))
        await until(pilot, lambda: "have no picture together" in screen_text(app), "why there is none")
        assert "EUR 30.00" in screen_text(app)
        assert "USD 30.00" in screen_text(app)

    run_app(console, script, place=Place("cost"))


def test_what_cannot_be_read_stays_with_its_age() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        read = FactRead(COSTS.of("prod"), spent("x"), NOW - timedelta(minutes=7))
        tell(console, read, FactFailed(COSTS.of("prod"), Told("Prometheus does not answer"), NOW))
        await until(pilot, lambda: "Prometheus does not answer" in screen_text(app), "who is dead")
        assert "what you see is 7m00s old" in screen_text(app)
        assert "read 7m00s ago" in screen_text(app)
        assert "▸ml" in screen_text(app)

    run_app(console, script, place=Place("cost"))


def test_only_a_workload_has_a_rollout_and_a_size() -> None:
    (of_workload,) = (_one("workload", "ml/deploy/fraud", "namespace=ml"),)
    assert SIZING.refuses(cost_target(of_workload, AT)) == ""
    assert "no workload" in SIZING.refuses(cost_target(_one("namespace", "ml", ""), AT))


@pytest.mark.parametrize(
    ("argument", "where", "key"),
    [
        ("", "", "namespace"),
        ("team", "", "team"),
        ("team=risk", "team=risk", "namespace"),
        ("namespace=ml,node", "namespace=ml", "node"),
        ('namespace="a,b"', 'namespace="a,b"', "team"),
        ('namespace="a,b",model', 'namespace="a,b"', "model"),
        ("label:app", "", "label:app"),
        ("shop", "namespace=shop", "team"),
        (
            "namespace=a,team=b,model=c,version=d,workload=e",
            "namespace=a,team=b,model=c,version=d,workload=e",
            "pod",
        ),
    ],
)
def test_a_place_says_of_what_and_by_which_key(argument: str, where: str, key: str) -> None:
    assert AskedCosts.read(argument) == AskedCosts(where, key)


def test_by_goes_through_the_keys_that_it_is_not_selected_by_and_round_again() -> None:
    place, seen = Place("cost", "namespace=ml"), list[str]()
    for _ in range(7):
        place = told_next(place)
        seen.append(AskedCosts.read(place.argument).key)
    assert seen == ["model", "version", "workload", "node", "capacity", "team", "model"]
    assert AskedCosts.read(place.argument).where == "namespace=ml"


def test_escape_leaves_the_costs_however_often_they_were_told_by_another_key() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        app.go(Place("cost"))
        for key in ("team", "model", "version"):
            await pilot.press("t")
            await until(pilot, lambda key=key: app.trail[-1].argument == key, key)  # type: ignore[misc]
        assert [one.screen for one in app.trail] == ["pods", "cost"]
        await pilot.press("escape")
        await until(pilot, lambda: app.trail == (Place("pods"),), "where it came from")

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_enter_says_why_nothing_is_within_what_nobody_asked_for() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(COSTS.of("prod"), spent(HOSTILE), NOW))
        await until(pilot, lambda: "▸ml" in screen_text(app), "the picture")
        await pilot.press("end", "enter")
        await until(pilot, lambda: "what nobody asked for" in screen_text(app), "why")
        assert len(app.trail) == 1

    run_app(console, script, place=Place("cost"))


@pytest.mark.parametrize("at", list(VISITED))
def test_each_screen_of_costs_leads_to_each_other_by_the_same_keys_also_where_nothing_is_known(
    at: str,
) -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        for screen, key in VISITED.items():
            if screen != at:
                app.go(Place(at))
                await until(pilot, lambda: app.view is not None and app.view.is_mounted, "it")
                await pilot.press(key)
                await until(pilot, lambda screen=screen: app.trail[-1].screen == screen, screen)  # type: ignore[misc]

    run_app(StillConsole(SERVICES), script, place=Place("pods"))


def test_the_ways_to_the_others_stand_on_the_line_of_keys_of_the_smallest_terminal() -> None:
    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        ways = ("u Unit costs", "b Budgets", "f Forecast", "z Right-sizing")
        await until(pilot, lambda: all(way in screen_text(app).splitlines()[-1] for way in ways), "the ways")

    run_app(StillConsole(SERVICES), script, place=Place("cost"), size=(80, 24))


@pytest.mark.parametrize(
    ("share", "words"), [(0.98, "98%"), (0.004, "0.4%"), (0.00003, "0.003%"), (0.0, "0%")]
)
def test_what_was_hardly_measured_does_not_read_as_not_at_all(share: float, words: str) -> None:
    assert about_costs(replace(spent("x"), coverage=share)).endswith(f"{words} measured")
