"""ctrl+z: to the shell, as programs of a shell do, where there is one and nothing would stand still."""

from __future__ import annotations

import threading

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
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
