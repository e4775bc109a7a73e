"""A console that is left open for days keeps what it shows, not what it has shown."""

from __future__ import annotations

import gc
from typing import Any

from textual.pilot import Pilot

from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.tail import LIMIT, TailKeeper
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import CommandLogged, FactRead, FactsForgotten
from maestro_cli.tui.store.reducer import LONGEST_LOG
from maestro_cli.tui.widgets.rows import _KEPT
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until
from tests.tui.test_app import SERVICES

TURNS, PODS_A_TURN = 24, 400


def test_rows_that_have_gone_are_forgotten() -> None:
    """But for those that were painted last, which are remembered up to a number."""
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        before = alive(PodLine)
        for turn in range(TURNS):
            pods = tuple(pod(f"turn-{turn}-{number}") for number in range(PODS_A_TURN))
            tell(console, FactRead(PODS.of("prod"), pods, NOW))
            name = f"turn-{turn}-0 "
            await until(pilot, lambda name=name: name in screen_text(app), name)  # type: ignore[misc]
        assert TURNS * PODS_A_TURN > 2 * (PODS_A_TURN + _KEPT)
        assert PODS_A_TURN <= alive(PodLine) - before <= 2 * PODS_A_TURN + _KEPT

    run_app(console, script, place=Place("pods"))


def alive(kind: type[Any]) -> int:
    """How many objects of a type there are, once those that nobody holds are gone."""
    gc.collect()
    return sum(type(one) is kind for one in gc.get_objects())


def test_facts_that_nobody_shows_and_the_oldest_lines_of_the_log_go() -> None:
    console = StillConsole(SERVICES)
    for number in range(2 * LONGEST_LOG):
        tell(console, CommandLogged(NOW, "prod", f"line {number}", "done", number + 1))
        key = PODS.of("prod", f"namespace-{number}")
        tell(console, FactRead(key, (), NOW), FactsForgotten(frozenset({key})))
    snapshot = console.store.snapshot
    assert len(snapshot.facts) == 0
    assert [line.line for line in snapshot.log[:1]] == [f"line {LONGEST_LOG}"]
    assert len(snapshot.log) == LONGEST_LOG


def test_of_a_log_that_never_ends_the_newest_lines_are_kept() -> None:
    told: list[Any] = []

    class Ear:
        def read(self, data: Any) -> None:
            told.append(data)

        def begun(self, data: object) -> None: ...

        def failed(self, error: Exception, heard_at: object = None) -> None:
            raise error

    keeper = TailKeeper(Ear())
    for start in range(0, 3 * LIMIT, 1000):
        keeper.add([f"line {number}" for number in range(start, start + 1000)])
    keeper.close()
    assert (len(told[-1].entries), told[-1].total) == (LIMIT, 3 * LIMIT)
