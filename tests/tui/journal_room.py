"""A console over a real journal in a folder, with no backend at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import Incident
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.services.root import Services
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.console import Console
from maestro_cli.tui.keys.keymap import Keymap
from maestro_cli.tui.screens.model import Place
from tests.unit.incidents.world import alert

CONFIG = """
current_context: x
contexts:
  x:
    prometheus: {url: "http://127.0.0.1:1"}
    settle_seconds: 0
"""


class JournalRoom:
    """`console` is what the app shows; `services` are those of another process that writes the journal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.services: Services = console.reading("x")

    def fires(
        self, deployment: str = "fraud", *, firing: bool = True, pod: str = "", objective: str = ""
    ) -> Incident:
        """An alert is heard of; the newest incident."""
        now = self.services.clock.now()
        ends_at = None if firing else now
        heard = alert(
            deployment=deployment, starts_at=now, firing=firing, ends_at=ends_at, pod=pod, objective=objective
        )
        Detector(self.services.journal, self.services.clock, "watch").ingest([heard], source="prometheus")
        return self.services.desk.get("latest")

    def run(
        self,
        act: Callable[[Any, ConsoleApp], Awaitable[None]],
        place: Place,
        size: tuple[int, int] = (120, 40),
        keymap: Keymap | None = None,
    ) -> None:
        """Open the app at a place, and do something with its pilot."""

        async def go() -> None:
            app = ConsoleApp(self.console, place, keymap)
            async with app.run_test(size=size) as pilot:
                await act(pilot, app)

        asyncio.run(go())


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JournalRoom]:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(CONFIG)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAESTRO_CONTEXT", raising=False)
    console = Console(GlobalOptions(), SystemClock(), ("x",), "")
    yield JournalRoom(console)
    console.close()


async def until(pilot: Any, condition: Callable[[], object]) -> None:
    """Draw until something holds; fails when it never does."""
    waited = 0.0
    while not condition():
        assert waited < 60, "it never came to hold"
        await pilot.pause(0.02)
        waited += 0.02
