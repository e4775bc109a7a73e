"""ctrl+z: to the shell, as programs of a shell do, where there is one and nothing would stand still."""

from __future__ import annotations

import threading

import pytest
from textual.pilot import Pilot

from maestro_cli.core.standstill import PROCESS
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from tests.patience import PATIENCE_SECONDS
from tests.tui.cases import StillConsole, run_app, until
from tests.tui.keys.test_typing import SERVICES


def test_who_cannot_go_to_a_shell_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "there is no shell to go to here" in app.status.told, "that there is none")
        went = []
        monkeypatch.setattr(type(app._driver), "can_suspend", True)
        monkeypatch.setattr(app, "action_suspend_process", lambda: went.append("to the shell"))
        held = threading.Event()
        work = threading.Thread(target=held.wait, name="Roll back", daemon=True)
        console.begin(work)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "Roll back would stand still" in app.status.told, "what is at work")
        held.set()
        work.join(60)
        assert went == []
        await pilot.press("colon", "ctrl+z")
        await until(pilot, lambda: went == ["to the shell"], "the shell, also while something is typed")

    run_app(console, script, place=Place("pods"))


def test_the_process_stops_while_nothing_is_read_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it while something is: others would wait for its lock until it goes on."""
    with monkeypatch.context() as patched:
        patched.setattr("maestro_cli.tui.app.STILL_SECONDS", 0.05)
        stops, told = pressed_while_read(patched)
        assert stops == []
        assert "not to the shell: the journal is in use" in told
    assert pressed_while_read(monkeypatch, ends_after_seconds=0.05)[0] == ["nothing is read"]


def pressed_while_read(
    monkeypatch: pytest.MonkeyPatch, ends_after_seconds: float = PATIENCE_SECONDS
) -> tuple[list[str], str]:
    """What was at work when it stopped, for each stop; and what the status line says."""
    begun, ends, stops, told = threading.Event(), threading.Event(), list[str](), list[str]()
    under_way: list[str] = []

    def read() -> None:
        with PROCESS.at_work():
            under_way.append("a read")
            begun.set()
            ends.wait(ends_after_seconds)
            under_way.clear()

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(type(app._driver), "can_suspend", True)
        stopping = lambda: stops.append(", ".join(under_way) or "nothing is read")  # noqa: E731
        monkeypatch.setattr(app, "action_suspend_process", stopping)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        begun.wait(PATIENCE_SECONDS)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: bool(stops or app.status.told), "the stop, or why not")
        told.append(app.status.told)
        ends.set()
        reader.join(PATIENCE_SECONDS)

    run_app(StillConsole(SERVICES), script, place=Place("pods"))
    return stops, told[0]
