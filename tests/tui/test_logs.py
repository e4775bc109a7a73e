"""Logs in the console: nothing is shown twice, and what was left out is said."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from textual.pilot import Pilot

from maestro_cli.core.facts.logs import Dropped, Left, LogLine
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.tail import Tail, TailKeeper
from maestro_cli.tui.screens.logs import LOGS, LogsAsked
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.views.logs_view import LogsView
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until

AT = datetime(2026, 11, 26, 2, 59, tzinfo=UTC)
SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
PLACE = Place("logs", "ml/pod/fraud-1", "prod")


def line(text: str) -> LogLine:
    return LogLine("fraud-1", "server", AT, text)


def test_a_tail_knows_what_is_new_and_what_is_gone() -> None:
    tail = Tail(3, ("d", "e", "f"))
    assert tail.total == 6
    assert tail.since(5) == (0, ("f",))
    assert tail.since(1) == (2, ("d", "e", "f"))
    assert tail.since(6) == (0, ())


def test_a_keeper_keeps_so_many_and_tells_the_last() -> None:
    told, heard = list[Tail](), threading.Event()

    class Ear:
        def read(self, data: Tail) -> None:
            told.append(data)
            heard.set()

        def failed(self, error: Exception) -> None: ...

    keeper = TailKeeper(Ear(), limit=2)
    keeper.add(["a", "b", "c"])
    assert heard.wait(PATIENCE_SECONDS)
    keeper.add(["d"])
    keeper.close()
    assert told[0] == Tail(1, ("b", "c"))
    assert told[-1] == Tail(2, ("c", "d"))


def test_a_filter_of_the_source_picks_or_leaves_out() -> None:
    picks, leaves = LogsAsked("ml/pod/a", "error").wanted, LogsAsked("ml/pod/a", "!debug").wanted
    assert (picks.grep, picks.exclude) == ("(?i)error", "")
    assert (leaves.grep, leaves.exclude) == ("", "(?i)debug")
    assert LogsAsked.read(str(LogsAsked("a", "x", True))) == LogsAsked("a", "x", True)


def test_lines_are_added_once_and_gaps_are_said() -> None:
    console = StillConsole(SERVICES)
    key = LOGS.of("prod", str(LogsAsked("ml/pod/fraud-1")))

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(key, Tail(0, (line("one"), line("two"))), NOW))
        await until(pilot, lambda: "two" in screen_text(app), "the first lines")
        left = Left("fraud-1", "server", "it ended")
        tell(console, FactRead(key, Tail(4, (Dropped(300, AT), line("five"), left)), NOW))
        await until(pilot, lambda: "it ended" in screen_text(app), "the next lines")
        text = screen_text(app)
        assert text.count("one") == 1
        assert "2 lines not kept" in text
        assert "300 lines dropped" in text

    run_app(console, script, place=PLACE)


def test_a_new_filter_reads_anew_and_what_was_shown_goes() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(
            console,
            FactRead(LOGS.of("prod", str(LogsAsked(PLACE.argument))), Tail(0, (line("debug x"),)), NOW),
        )
        await until(pilot, lambda: "debug x" in screen_text(app), "the lines")
        view: Any = app.view
        assert isinstance(view, LogsView)
        view.set_filter("!debug")
        wanted = LOGS.of("prod", str(LogsAsked(PLACE.argument, "!debug")))
        await until(pilot, lambda: wanted in console.feeds.wanted, "the new question")
        await until(pilot, lambda: "debug x" not in screen_text(app), "nothing of before")

    run_app(console, script, place=PLACE)
