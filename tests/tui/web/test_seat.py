"""One console in one tab: what passes between them, and how both end."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from maestro_cli.tui.web import seat
from tests.tui.web.serving import is_gone, pid_in, serving, shown, until


def test_keys_reach_the_console_and_what_it_says_the_page() -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            async with served.socket() as page:
                await page.send_str('["stdin", "é:pods"]')
                assert "heard é:pods" in await shown(page, "pods")
                await page.send_str('["resize", {"width": 90, "height": 20}]')
                await shown(page, "now 90 x 20")
                await page.send_str('["ping", "17"]')
                await shown(page, '["pong", "17"]')

    asyncio.run(go())


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("", "80 x 24"),
        ("?width=120&height=40", "120 x 40"),
        ("?width=999999&height=0", "1000 x 1"),
        ("?width=9999999&height=-1", "80 x 24"),
        ("?width=x&height=²", "80 x 24"),
    ],
    ids=["none", "a-window", "giant", "too-long", "no-number"],
)
def test_a_console_has_a_size_that_terminals_have(query: str, size: str) -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            async with served.socket(query) as page:
                assert (await shown(page, " of ")).startswith(f"{size} of")

    asyncio.run(go())


def test_what_is_no_message_of_the_page_is_nothing() -> None:
    strange = (
        "",
        "nonsense",
        "{}",
        "[]",
        '["stdin"]',
        '["stdin", 5]',
        '["resize", {"width": "x"}]',
        "[" * 9999,
    )

    async def go() -> None:
        async with serving() as served:
            await served.enter()
            async with served.socket() as page:
                for text in strange:
                    await page.send_str(text)
                await page.send_bytes(b"\xff")
                await page.send_str('["stdin", "\\ud800 still here"]')
                assert "heard ? still here" in await shown(page, "here")

    asyncio.run(go())


def test_a_message_that_is_too_large_is_refused_and_the_console_goes_on() -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            async with served.socket() as page:
                await page.send_str(json.dumps(["stdin", "x" * (seat.MOST_TYPED + 1)]))
                assert "\a" in await shown(page, "\a")
                await page.send_str('["stdin", "still here"]')
                assert "heard still here" in await shown(page, "still here")

    asyncio.run(go())


def test_there_is_one_console_and_a_tab_that_is_loaded_again_gets_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            async with served.socket() as page:
                first = pid_in(await shown(page, "\n"))
                with monkeypatch.context() as hasty:
                    hasty.setattr(seat, "FREE_SECONDS", 0.01)
                    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                        await served.socket()
                assert refused.value.status == 409
            monkeypatch.setattr(seat, "FREE_SECONDS", 120.0)
            async with served.socket() as page:
                assert pid_in(await shown(page, "\n")) != first
                assert is_gone(first)

    asyncio.run(go())


@pytest.mark.parametrize("manner", ["", "deaf"])
def test_a_console_ends_with_its_tab(manner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat, "END_SECONDS", 0.01 if manner else 120.0)

    async def go() -> None:
        async with serving(manner) as served:
            await served.enter()
            async with served.socket() as page:
                console = pid_in(await shown(page, "\n"))
            await until(lambda: is_gone(console))

    asyncio.run(go())


@pytest.mark.parametrize("manner", ["", "deaf"])
def test_a_console_ends_with_the_server(manner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seat, "END_SECONDS", 0.01 if manner else 120.0)

    async def go() -> int:
        async with serving(manner) as served:
            await served.enter()
            page = await served.socket()
            console = pid_in(await shown(page, "\n"))
            hearing = asyncio.ensure_future(page.receive())
            await served.server.close()
            assert (await hearing).type is aiohttp.WSMsgType.CLOSE
            return console

    assert is_gone(asyncio.run(go()))


@pytest.mark.parametrize("manner", ["", "broken"])
def test_the_page_learns_that_its_console_is_dead(manner: str) -> None:
    async def go() -> None:
        async with serving(manner) as served:
            await served.enter()
            async with served.socket() as page:
                if not manner:
                    await page.send_str('["stdin", "die"]')
                async for _ in page:
                    pass
                assert page.closed
            async with served.socket() as page:
                assert not page.closed, "the next can be opened"

    asyncio.run(go())


def test_what_the_console_gives_is_saved_and_never_shown_as_a_page() -> None:
    async def go() -> None:
        async with serving("giving") as served:
            await served.enter()
            async with served.socket() as page:
                await shown(page, "deliver_file_start")
                async with served.browser.get(f"{served.home}/download/k") as answer:
                    assert await answer.read() == b"<script>"
                    assert answer.headers["Content-Type"] == "application/octet-stream"
                    name = answer.headers["Content-Disposition"]
                    assert name == 'attachment; filename="p___X__y.svg"'

    asyncio.run(go())
