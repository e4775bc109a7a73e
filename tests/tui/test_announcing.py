"""The bell: rung for what is new, once, and not for what was there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.tui.announcing import Announcer
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import announced_feed
from maestro_cli.tui.store.events import FactRead
from tests.tui.cases import NOW, StillConsole, run_app, tell, until


def incident(number: int, severity: str = "SEV2", *, is_open: bool = True, reopened: int = 0) -> Any:
    return SimpleNamespace(
        id=f"id-{number}", number=number, title="errors [of] fraud", drill=False, reopen_count=reopened,
        severity=SimpleNamespace(value=severity), state=SimpleNamespace(is_open=is_open),
    )  # fmt: skip


def test_what_opens_opens_again_or_becomes_graver_is_news_once() -> None:
    announcer = Announcer()
    assert announcer.heed("prod", [incident(1), incident(2, is_open=False)]) == []
    assert announcer.heed("prod", [incident(1), incident(2, reopened=1), incident(3)]) == [
        "#2 SEV2 opened again in prod: errors [of] fraud",
        "#3 SEV2 opened in prod: errors [of] fraud",
    ]
    assert announcer.heed("prod", [incident(1, "SEV1"), incident(3, "SEV3")]) == [
        "#1 is SEV1 now, it was SEV2 in prod: errors [of] fraud"
    ]
    assert announcer.heed("prod", [incident(1, "SEV1")]) == []


def test_each_context_has_its_own_first_look() -> None:
    announcer = Announcer()
    announcer.heed("prod", [])
    assert announcer.heed("staging", [incident(1)]) == []


def test_the_console_rings_and_shows_it_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    console, rung = StillConsole(SimpleNamespace()), list[int]()
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(ConsoleApp, "bell", lambda self: rung.append(1))
    monkeypatch.setattr(ConsoleApp, "notify", lambda self, text, **how: told.append((text, how["markup"])))
    key = announced_feed().of("prod")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        assert key in console.feeds.wanted
        tell(console, FactRead(key, (), NOW))
        await until(pilot, lambda: console.store.take().fact(key).is_known, "the first look")
        app.draw()
        tell(console, FactRead(key, (SimpleNamespace(incident=incident(4)),), NOW))
        await until(pilot, lambda: bool(told), "the words")
        assert told == [("incident #4 SEV2 opened in prod: errors [of] fraud", False)]
        assert rung == [1]

    run_app(console, script, place=Place("pods"))
