"""Opening the console: what is wrong is an error before the screen is taken."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.config.keys_file import keys_path
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import UsageError
from maestro_cli.output.diagnostics import note
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.tui import launch
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.console import Console
from maestro_cli.tui.feeds.runner import FeedRunner
from maestro_cli.tui.keys.remembered import Remembered, remember
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.pods import PODS
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import StillClock, StillConsole, until

CONTEXT = SimpleNamespace(namespace="ml", cluster=None, color=None)
SETTINGS = SimpleNamespace(contexts={"prod": CONTEXT}, context=lambda name: CONTEXT)
SERVICES: Any = SimpleNamespace(
    settings=SETTINGS,
    context_name="prod",
    journal_path=Path("journal.sqlite"),
    options=GlobalOptions(),
    clock=StillClock(),
    cancellation=Cancellation(),
)


GLANCE: list[bool | None] = []  # whether an incident is open, as far as anybody can tell
REMARKED: list[str] = []  # what is said on the screen
TOLD: list[str] = []  # what is read first
FAULTS: list[Exception] = []  # what ends it


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Place, str]]:
    seen: list[tuple[Place, str]] = []

    def app(console: Console, place: Place, keymap: object, kept: object) -> Any:
        seen.append((place, console.store.snapshot.scope.namespace))
        return SimpleNamespace(
            run=lambda: None,
            remark=REMARKED.append,
            end_soon=lambda: None,
            tell_first=lambda title, error: TOLD.append(error.what),
            fault=FAULTS[0] if FAULTS else None,
        )

    monkeypatch.setattr("maestro_cli.tui.app.ConsoleApp", app)
    monkeypatch.setattr(FeedRunner, "want", lambda self, keys: None)
    monkeypatch.setattr("maestro_cli.incidents.glance.is_any_open", lambda path: GLANCE[0])
    GLANCE[:] = [False]
    TOLD.clear()
    REMARKED.clear()
    FAULTS.clear()
    monkeypatch.setattr(gc, "freeze", lambda: None)  # a test run outlives many consoles
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(launch, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    monkeypatch.setattr(launch, "opening", lambda words: nullcontext())
    monkeypatch.setitem(os.environ, "TERM", "xterm-256color")
    return seen


def test_it_opens_where_one_was_unless_a_flag_says_otherwise(opened: list[tuple[Place, str]]) -> None:
    launch.open_console(SERVICES, (), "", "")
    remember(Remembered(screen="nodes", namespaces={"prod": ""}))
    launch.open_console(SERVICES, (), "", "")
    launch.open_console(SERVICES, ("prod", "prod"), "shop", "po")
    remember(Remembered(screen="no-such"))
    launch.open_console(SERVICES, (), "", "")
    first = launch.named_screen("")
    assert opened == [
        (Place(first), "ml"), (Place("nodes"), ""), (Place("pods"), "shop"), (Place(first), "ml")
    ]  # fmt: skip


def test_what_ends_the_console_unexpectedly_is_an_error_of_the_command(
    opened: list[tuple[Place, str]],
) -> None:
    FAULTS.append(KeyError("nobody expected it"))
    with pytest.raises(KeyError, match="nobody expected it"):
        launch.open_console(SERVICES, (), "", "")


def test_a_full_screen_that_ends_unexpectedly_leaves_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    app, error = ConsoleApp(StillConsole(SERVICES), Place("pods")), KeyError("nobody expected it")

    def fail() -> None:
        raise error

    async def run() -> None:
        app.call_later(fail)
        await asyncio.wait_for(app.run_async(headless=True), PATIENCE_SECONDS)

    asyncio.run(run())
    assert app.fault is error
    assert capsys.readouterr().err == ""


def test_the_first_list_is_on_its_way_before_a_full_screen_is_imported(
    opened: list[tuple[Place, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(FeedRunner, "want", lambda self, keys: asked.append((keys, len(opened))))
    launch.open_console(SERVICES, (), "", "po")
    assert asked == [(frozenset({PODS.of("prod", "ml")}), 0)]


def test_only_the_pods_of_one_cluster_are_listed_by_another_process(
    opened: list[tuple[Place, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def read(services: object, context: str, namespace: str) -> None:
        asked.append((context, namespace))

    monkeypatch.setattr("maestro_cli.services.pods_ahead.read_pods_ahead", read)
    cores = [2]
    monkeypatch.setattr(os, "cpu_count", lambda: cores[0])
    for contexts, screen in (((), "po"), (("prod", "prod-us"), "pods"), ((), "nodes"), ((), "")):
        launch.open_console(SERVICES, contexts, "", screen)
    remember(Remembered(screen="pods", namespaces={"prod": ""}))
    launch.open_console(SERVICES, (), "", "")
    cores[0] = 1
    launch.open_console(SERVICES, (), "", "po")
    assert asked == [("prod", "ml"), ("prod", "")]


def test_what_is_remarked_before_there_is_a_screen_is_shown_on_it(
    opened: list[tuple[Place, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never behind the line that stands on the terminal until then."""
    monkeypatch.setattr(FeedRunner, "want", lambda self, keys: note("nothing can be kept"))
    monkeypatch.setattr(Console, "close", lambda self: note("waiting for the end"))
    launch.open_console(SERVICES, (), "", "po")
    assert REMARKED == ["nothing can be kept"]
    assert capsys.readouterr().err == "waiting for the end\n"


def test_what_is_remarked_where_no_screen_comes_is_said_once_the_terminal_is_given_back(
    opened: list[tuple[Place, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def opening(words: str) -> Iterator[None]:
        try:
            yield
        finally:
            sys.stderr.write("given back\n")

    def broken(*named: object) -> Any:
        raise KeyError("no screen")

    monkeypatch.setattr(launch, "opening", opening)
    monkeypatch.setattr(FeedRunner, "want", lambda self, keys: note("nothing can be kept"))
    monkeypatch.setattr("maestro_cli.tui.app.ConsoleApp", broken)
    with pytest.raises(KeyError, match="no screen"):
        launch.open_console(SERVICES, (), "", "po")
    assert capsys.readouterr().err == "given back\nnothing can be kept\n"


def test_cycles_are_looked_for_also_where_what_was_left_over_cannot_be_told() -> None:
    def unreadable() -> str:
        raise KeyError("nobody expected it")

    async def run() -> None:
        app, is_whole = ConsoleApp(StillConsole(SERVICES), Place("pods")), threading.Event()
        app.greeting, app.when_whole = unreadable, is_whole.set
        async with app.run_test() as pilot:
            await until(pilot, is_whole.is_set, "the look for cycles")

    asyncio.run(run())


@pytest.mark.parametrize("told", [True, None], ids=["open", "not-known"])
def test_it_opens_at_the_incidents_while_one_is_open_or_may_be(
    opened: list[tuple[Place, str]], told: bool | None
) -> None:
    remember(Remembered(screen="nodes", namespaces={"prod": ""}))
    GLANCE[:] = [told]
    launch.open_console(SERVICES, (), "", "")
    launch.open_console(SERVICES, (), "", "po")
    assert [place for place, _ in opened] == [Place("incidents"), Place("pods")]


def test_a_screen_that_there_is_not_names_the_likely_one(opened: list[tuple[Place, str]]) -> None:
    with pytest.raises(UsageError) as refused:
        launch.open_console(SERVICES, (), "", "pds")
    assert "did you mean 'pods'" in refused.value.why
    assert opened == []
    assert gc.isenabled()


def test_a_wrong_keys_file_is_told_once_the_screen_is_open(opened: list[tuple[Place, str]]) -> None:
    keys_path().parent.mkdir(parents=True, exist_ok=True)
    Path(keys_path()).write_text("maestro: keys/v1\nkeys:\n  pods.delete: d\n", encoding="utf-8")
    launch.open_console(SERVICES, (), "", "")
    assert len(opened) == 1
    assert "too easily pressed" in TOLD[0]


def test_a_dumb_terminal_is_refused(opened: list[tuple[Place, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(UsageError, match="moves its cursor"):
        launch.open_console(SERVICES, (), "", "")
    assert opened == []
