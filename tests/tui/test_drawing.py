"""Drawing: what cannot be drawn is told, and ends nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from maestro_cli.output.views import Column, Listing
from maestro_cli.tui import frame
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.messages import NewsArrived
from maestro_cli.tui.screens.model import Moment, Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.views.filtering import RowFilter
from maestro_cli.tui.widgets.rows import Rows
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until


def test_what_cannot_be_drawn_is_told_and_the_rest_goes_on() -> None:
    console = StillConsole(SimpleNamespace())

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS.of("prod"), (object(),), NOW))
        await until(pilot, lambda: "Pods cannot be drawn: internal error" in app.status.told, "why")
        app._filter("fraud")  # makes the same rows again
        tell(console, FactRead(PODS.of("prod"), (pod("fraud-1"),), NOW))
        await until(pilot, lambda: "fraud-1" in screen_text(app), "the rows that can be")

    run_app(console, script, place=Place("pods"))


def test_news_after_a_quiet_while_are_drawn_at_once_and_those_after_them_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame, "AGE_SECONDS", 3600.0)  # nothing else draws
    monkeypatch.setattr(frame, "DRAW_SECONDS", 3600.0)
    console = StillConsole(SimpleNamespace())
    drawn: list[bool] = []

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.pause(0.2)
        app._is_due, app._news_drawn_at = True, -3600.0
        monkeypatch.setattr(app, "draw", lambda *, only_news: drawn.append(only_news))
        app.post_message(NewsArrived())
        await until(pilot, lambda: bool(drawn), "what is new")
        app.post_message(NewsArrived())
        await pilot.pause(0.2)
        assert (drawn, app._is_due) == ([True], False)

    run_app(console, script, place=Place("pods"))


def odd(item: str) -> str:
    if item == "odd":
        raise TypeError("this one is no name")
    return item.upper()


COLUMNS = (Column("name", odd, tone=lambda item: odd(item) and "good"), Column("as it is", str))


def test_a_row_that_a_column_cannot_read_says_so_and_stands_between_the_others() -> None:
    rows = Rows()
    rows.replace(COLUMNS, ("b", "odd", "a"), str)
    assert rows.cells(1) == [("not readable (TypeError)", "bad"), ("odd", "")]
    rows.sort(0)
    assert list(rows.items)[:2] == ["a", "b"]


def test_a_filter_asks_a_row_that_cannot_be_read_by_what_is_shown_of_it() -> None:
    listing: Listing[Any] = Listing("x/v1", COLUMNS, ("a", "odd"))
    assert RowFilter("readable").kept(
        listing, Moment(NOW, Scope(("prod",)), "prod"), str, cast(Any, None)
    ) == ["odd"]
