"""What the server of a console answers, and to whom."""

from __future__ import annotations

import asyncio
import logging
import socket

import aiohttp
import pytest

from maestro_cli.tui.web.page import assets
from tests.tui.web.serving import Served, serving

PATHS = ("/", "/ws", *assets(aloud=False), "/download/k", "/nothing")


async def status_of(served: Served, path: str, method: str = "GET", **headers: str) -> int:
    async with served.browser.request(
        method, f"{served.home}{path}", headers=headers, allow_redirects=False
    ) as answer:
        return answer.status


def ticket_of(served: Served) -> str:
    return served.server.url.partition("=")[2]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_without_the_session_everything_is_forbidden(method: str) -> None:
    async def go() -> None:
        async with serving() as served:
            paths = (*PATHS, "/?ticket=guess", "/nothing?ticket=guess", "//")
            assert {await status_of(served, path, method) for path in paths} == {403}

    asyncio.run(go())


def test_the_first_visit_sets_the_session_and_leaves_the_ticket_out_of_the_address() -> None:
    async def go() -> None:
        async with (
            serving() as served,
            served.browser.get(served.server.url, allow_redirects=False) as answer,
        ):
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            (cookie,) = answer.headers.getall("Set-Cookie")
            name, _, rest = cookie.partition("=")
            session, *attributes = rest.split("; ")
            assert name.startswith("maestro_console_")
            assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Strict"}
            assert session not in served.server.url
            assert await status_of(served, "/") == 200

    asyncio.run(go())


def test_the_ticket_admits_one_browser_once() -> None:
    async def go() -> None:
        async with serving() as served:
            path = f"/?ticket={ticket_of(served)}"
            await served.enter()
            assert await status_of(served, path) == 303, "the browser that has the session is led to the page"
            served.browser.cookie_jar.clear()
            assert await status_of(served, path) == 403
            assert await status_of(served, "/") == 403

    asyncio.run(go())


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [("HEAD", "/", ""), ("POST", "/", ""), ("GET", "/nothing", ""), ("GET", "/", "evil.example")],
    ids=["head", "post", "other-page", "other-host"],
)
def test_the_ticket_is_used_up_by_the_visit_of_a_browser_alone(method: str, path: str, host: str) -> None:
    async def go() -> None:
        async with serving() as served:
            headers = {"Host": host} if host else {}
            assert await status_of(served, f"{path}?ticket={ticket_of(served)}", method, **headers) == 403
            await served.enter()

    asyncio.run(go())


def test_a_session_is_not_believed_from_another_host_or_page() -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            port = served.home.rpartition(":")[2]
            for path in PATHS:
                assert await status_of(served, path, Host=f"evil.example:{port}") == 403
                assert await status_of(served, path, Origin="http://evil.example") == 403

    asyncio.run(go())


@pytest.mark.parametrize(
    ("origin", "has_session"),
    [(None, True), ("http://evil.example", True), ("null", True), ("", False)],
    ids=["no-origin", "other-page", "null", "no-session"],
)
def test_a_socket_needs_the_origin_and_the_session(origin: str | None, has_session: bool) -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            if not has_session:
                served.browser.cookie_jar.clear()
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await served.socket(origin=origin)
            assert refused.value.status == 403

    asyncio.run(go())


def test_every_answer_forbids_what_is_not_of_this_server() -> None:
    async def go() -> None:
        async with serving() as served:
            for enters in (False, True):
                if enters:
                    await served.enter()
                for path in PATHS:
                    async with served.browser.get(f"{served.home}{path}", allow_redirects=False) as answer:
                        policy = answer.headers["Content-Security-Policy"]
                        assert policy.startswith("default-src 'none'; script-src 'self'; ")
                        assert "frame-ancestors 'none'" in policy
                        assert answer.headers["Cache-Control"] == "no-store"
                        assert answer.headers["Referrer-Policy"] == "no-referrer"
                        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    asyncio.run(go())


def test_who_is_admitted_is_still_told_what_is_not_there() -> None:
    async def go() -> None:
        async with serving() as served:
            await served.enter()
            assert await status_of(served, "/nothing") == 404
            assert await status_of(served, "/download/k") == 404
            assert await status_of(served, "/", "POST") == 405
            assert await status_of(served, "/ws", Origin=served.home) == 400, "no websocket was asked for"
            async with served.socket() as socket_of_page:
                assert not socket_of_page.closed, "nothing holds the seat of a page that asked wrongly"

    asyncio.run(go())


def test_it_listens_on_one_address_of_the_machine_alone() -> None:
    async def go() -> None:
        async with serving() as served:
            with socket.socket() as stranger, pytest.raises(OSError, match=r"refused|assign"):
                stranger.connect(("127.0.0.2", int(served.home.rpartition(":")[2])))

    asyncio.run(go())


def test_no_secret_is_in_a_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)

    async def go() -> tuple[str, str]:
        async with serving() as served:
            await served.enter()
            async with served.socket():
                pass
            await status_of(served, f"/nothing?ticket={ticket_of(served)}")
            (cookie,) = served.browser.cookie_jar
            return ticket_of(served), cookie.value

    ticket, session = asyncio.run(go())
    said = caplog.text + "".join(capfd.readouterr())
    assert ticket not in said
    assert session not in said
