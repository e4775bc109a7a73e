"""What is drawn again: news alone; and what is being done ends in order."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.feeds.runner import told
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.nodes import NODES
from maestro_cli.tui.screens.pods import PODS
from maestro_cli.tui.store.events import FactFailed, FactRead
from maestro_cli.tui.store.model import Scope, Snapshot, Told
from maestro_cli.tui.store.store import Store
from maestro_cli.tui.views.drawn import Drawn
from maestro_cli.tui.views.table_view import TableView
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import NOW, StillConsole, pod, run_app, screen_text, tell, until

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False))
PODS_OF, NODES_OF = PODS.of("prod"), NODES.of("prod")
RECORDED = frozenset({PODS_OF, NODES_OF})
ROWS = (pod("a"),)


class PodsView:
    def keys(self, scope: Scope) -> frozenset[Any]:
        return frozenset({PODS_OF})


def snapshot(*events: Any) -> Snapshot:
    store = Store(Scope(("prod",)))
    store.dispatch(FactRead(PODS_OF, ROWS, NOW), *events)
    return store.snapshot


VIEW: Any = PodsView()
FIRST = Drawn.of(VIEW, snapshot(), RECORDED)


@pytest.mark.parametrize(
    ("event", "is_drawn"),
    [
        (FactRead(PODS_OF, ROWS, NOW + timedelta(seconds=9)), False),
        (FactRead(NODES_OF, (), NOW), False),
        (FactRead(PODS_OF, (pod("b"),), NOW), True),
        (FactFailed(PODS_OF, Told("gone"), NOW), True),
    ],
    ids=["the-same-again", "for-the-recorder", "another-row", "lost"],
)
def test_only_what_a_view_shows_is_drawn_again(event: Any, is_drawn: bool) -> None:
    assert Drawn.of(VIEW, snapshot(event), RECORDED).differs_from(FIRST) is is_drawn


def test_news_of_nothing_do_not_reach_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    console, drawn = StillConsole(SERVICES), list[Any]()
    whole = TableView.show

    def show(view: TableView, *given: Any) -> None:
        drawn.append(given)
        whole(view, *given)

    monkeypatch.setattr(TableView, "show", show)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(PODS_OF, ROWS, NOW))
        await until(pilot, lambda: "uid-a" not in screen_text(app) and "a" in screen_text(app), "the rows")
        app.draw()
        before = len(drawn)
        tell(console, FactRead(PODS_OF, ROWS, NOW))
        app.draw(only_news=True)
        assert len(drawn) == before
        tell(console, FactRead(PODS_OF, (pod("b"),), NOW))
        app.draw(only_news=True)
        assert len(drawn) == before + 1

    run_app(console, script, place=Place("pods"))


def test_closing_waits_until_what_is_done_has_been_written_down() -> None:
    console, order = StillConsole(SERVICES), list[str]()
    begun = threading.Event()

    def work() -> None:
        begun.set()
        console.ending.wait(PATIENCE_SECONDS)
        order.append("ended in order")

    services: Any = SimpleNamespace(close=lambda: order.append("closed"))
    console._contexts._known["prod", True] = services
    console.begin(threading.Thread(target=work, name="drain", daemon=True))
    assert begun.wait(PATIENCE_SECONDS)
    assert console.at_work == ("drain",)
    console.close()
    assert order == ["ended in order", "closed"]


def test_a_file_that_cannot_be_written_is_no_defect_of_maestro() -> None:
    said = told(FileExistsError(17, "File exists", "run.md"))
    assert said.what == "run.md: File exists"
    assert said.fix
