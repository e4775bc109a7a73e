"""`maestro tui --web`, the program: what it starts, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import socket
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from maestro_cli.core.errors import ActionFailed
from maestro_cli.services.backends import GlobalOptions
from maestro_cli.tui.web import launch
from tests.cli.program import maestro
from tests.tui.web.program import Program, configure, running
from tests.tui.web.serving import is_gone, shown, until


async def open_console(program: Program, browser: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """Open it as a browser does, and wait until the console has drawn itself."""
    async with browser.get(program.url) as answer:
        assert answer.status == 200
    page = await browser.ws_connect(f"{program.home}/ws", headers={"Origin": program.home})
    await shown(page, "READ-ONLY")
    return page


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_no_console_outlives_the_server(number: signal.Signals) -> None:
    async def go(program: Program) -> list[int]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            await open_console(program, browser)
            consoles = program.consoles()
            assert len(consoles) == 1
            code, said = await asyncio.to_thread(program.end, number)
            assert code == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[number]
            assert "Traceback" not in said
            assert program.url.partition("=")[2] not in said
            await until(lambda: all(map(is_gone, consoles)))
            return consoles

    with running() as program:
        assert asyncio.run(go(program))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--context", "elsewhere", "tui", "--web"), 6),
        (("tui", "--web", "elsewhere"), 6),
        (("--context", "nowhere", "tui", "--web", "--screen", "pds"), 2),
        (("tui", "--web", "--port", "65536"), 2),
    ],
    ids=["context", "second-context", "screen", "port"],
)
def test_what_no_terminal_could_open_is_not_served(arguments: tuple[str, ...], code: int) -> None:
    configure()
    result = maestro(*arguments)
    assert (result.code, result.out) == (code, "")


def test_a_port_that_is_taken_is_named() -> None:
    configure()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = maestro("--context", "nowhere", "tui", "--web", "--port", str(port))
    assert (result.code, result.out) == (4, "")
    assert result.error_lines[0] == f"port {port} cannot be listened on"


def test_without_the_libraries_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ActionFailed) as refused:
        launch.require_libraries()
    assert refused.value.why == "not installed: textual_serve, aiohttp"
    assert refused.value.fix == "pip install 'maestro-cli[web]'"


@pytest.mark.parametrize("is_limited", [False, True], ids=["free", "limited"])
def test_the_console_has_the_contexts_and_limits_of_the_server(is_limited: bool) -> None:
    services: Any = SimpleNamespace(
        context_name="prod", options=GlobalOptions("prod", is_read_only=is_limited, is_plain=is_limited)
    )
    names = ("prod", "--read-only; reboot")
    command = launch.console_command(services, names, "shop" if is_limited else "", "pods")
    limits = ["--read-only", "--plain", "tui", "--namespace", "shop"] if is_limited else ["tui"]
    assert command[1:] == [
        *("-P", "-m", "maestro_cli", "--context", "prod"),
        *limits,
        *("--screen", "pods", "--"),
        *names,
    ]
