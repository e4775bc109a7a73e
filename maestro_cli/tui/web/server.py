"""Serves the console to one browser: the address that admits it, the page, the websocket, downloads.

Invariant: every request passes the door first, whatever it asks for, and every answer has the page's headers.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from textual_serve.download_manager import DownloadManager

from maestro_cli.core.errors import Unreachable
from maestro_cli.tui.web.door import Door
from maestro_cli.tui.web.page import assets, headers, page
from maestro_cli.tui.web.seat import Seat

ADDRESS = "127.0.0.1"
FONT_SIZE = 16  # pixels
_HEARTBEAT_SECONDS = 15.0
_MOST_BYTES = 1 << 26  # of one message: what is larger closes the tab's connection, and with it the console

_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9._-]")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsoleServer:
    """Serves what a command shows; `door` and `url` exist once it was started."""

    def __init__(self, command: Sequence[str], title: str, *, aloud: bool) -> None:
        self._downloads = DownloadManager()
        self._seat = Seat(command, self._downloads)
        self._assets = assets(aloud=aloud)
        self._title = title
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Listen; 0 is any port. Raises Unreachable for one that is taken."""

        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        application = web.Application(middlewares=[web.middleware(guard)])
        application.router.add_get("/", self._page, allow_head=False)
        application.router.add_get("/ws", self._socket, allow_head=False)
        application.router.add_get("/download/{key}", self._download, allow_head=False)
        for path in self._assets:
            application.router.add_get(path, self._asset, allow_head=False)
        application.on_shutdown.append(self._leave)
        listening = _listening(port)
        self._door = Door(listening.getsockname()[1])
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    @property
    def url(self) -> str:
        """The address that admits one browser, once."""
        return f"http://{ADDRESS}:{self._door.port}/?ticket={self._door.ticket}"

    async def close(self) -> None:
        """End the console and stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _leave(self, _application: web.Application) -> None:
        await self._seat.leave()

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through who has the session, let in who has the ticket, refuse all others."""
        objection = self._door.objection(
            request.headers.getall("Host", []),
            request.headers.getall("Origin", []),
            is_socket=request.path == "/ws",
        )
        if objection:
            return _refusal(objection)
        door, ticket = self._door, request.query.get("ticket")
        if ticket is not None and request.path == "/" and request.method == "GET":
            session = door.exchange(ticket)
            if session is not None or door.knows(request.cookies.get(door.cookie, "")):
                return self._admission(session)
        if not door.knows(request.cookies.get(door.cookie, "")):
            return _refusal("it is open in another browser, or this address was used before")
        try:
            return await handler(request)
        except web.HTTPException as error:  # no such page
            return _answer(request, error.status, error.reason)

    def _admission(self, session: str | None) -> web.Response:
        response = web.Response(status=303, headers={**headers(ADDRESS), "Location": "/"})
        if session is not None:
            response.set_cookie(self._door.cookie, session, path="/", httponly=True, samesite="Strict")
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        text = page(self._title, request.host, FONT_SIZE)
        return web.Response(text=text, content_type="text/html", headers=headers(request.host))

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets[request.path]
        return web.Response(
            body=asset.content, content_type=asset.content_type, headers=headers(request.host)
        )

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not await self._seat.take():
            return _answer(request, 409, "the console is open in another tab")
        shown = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MOST_BYTES)
        try:
            await shown.prepare(request)
        except BaseException:
            self._seat.free()
            raise
        await self._seat.show(shown, _cells(request, "width", 80), _cells(request, "height", 24))
        return shown

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """What the console gives to be saved, such as a picture of itself; never shown as a page."""
        key = request.match_info["key"]
        try:
            found = await self._downloads.get_download_metadata(key)
        except KeyError:
            return _answer(request, 404, "there is no such download")
        response = web.StreamResponse(headers=headers(request.host))
        response.content_type = "application/octet-stream"
        name = _NOT_OF_A_NAME.sub("_", found.file_name)
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response


async def serve(server: ConsoleServer, port: int, told: Callable[[str], None], until: asyncio.Event) -> None:
    """Serve until the event is set; tells the address once it can be opened."""
    await server.start(port)
    try:
        told(server.url)
        await until.wait()
    finally:
        await server.close()


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((ADDRESS, port))
    except OSError as error:
        raise Unreachable(
            f"port {port} cannot be listened on",
            why=str(error.strerror),
            fix="maestro tui --web takes a free one",
        ) from error


def _cells(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else otherwise


def _refusal(why: str) -> web.Response:
    fix = "Open the address that `maestro tui --web` printed by hand, or run it again for a new one."
    return web.Response(status=403, text=f"Not for you: {why}.\n{fix}\n", headers=headers(ADDRESS))


def _answer(request: web.Request, status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=headers(request.host))
