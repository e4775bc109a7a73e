"""One console in one tab: a process, and the websocket that shows it.

Invariant: there is at most one console at a time, and when its tab is closed it ends: it is asked to, and
killed when it does not.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from maestro_cli.local.process import leashed
from maestro_cli.tui.pasting import tamed

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from aiohttp import web
    from textual_serve.app_service import AppService
    from textual_serve.download_manager import DownloadManager

FREE_SECONDS = 10.0  # a page that is loaded again waits so long for the console of before to end
END_SECONDS = 10.0  # a console has so long to end by itself
MOST_TYPED = 1 << 20  # characters of one message, as of a paste; a larger one is refused, with the bell
WIDEST, TALLEST = 1000, 500  # cells


class Seat:
    """Where one console is shown at a time."""

    def __init__(self, command: Sequence[str], downloads: DownloadManager) -> None:
        self._command = f"exec {shlex.join(leashed(command))}"
        self._downloads = downloads
        self._taken = asyncio.Lock()
        self._socket: web.WebSocketResponse | None = None

    async def take(self) -> bool:
        """Wait a moment for the console of before to end; False when it goes on."""
        try:
            await asyncio.wait_for(self._taken.acquire(), FREE_SECONDS)
        except TimeoutError:
            return False
        return True

    async def show(self, socket: web.WebSocketResponse, width: int, height: int) -> None:
        """Run a console until it or its tab ends; the seat was taken, and is free then."""
        from textual_serve.app_service import AppService

        # what a console says to a closed tab is read too: it would wait for that, and not end
        async def write_bytes(data: bytes) -> None:
            with suppress(ConnectionResetError, RuntimeError):
                await socket.send_bytes(data)

        async def write_text(text: str) -> None:
            with suppress(ConnectionResetError, RuntimeError):
                await socket.send_str(text)

        async def close() -> None:
            await socket.close()

        service = AppService(
            self._command,
            write_bytes=write_bytes,
            write_str=write_text,
            close=close,
            download_manager=self._downloads,
        )
        self._socket = socket
        try:
            await service.start(within(width, WIDEST), within(height, TALLEST))
            await _until_ended(socket, service)
        finally:
            self._socket = None
            self.free()

    def free(self) -> None:
        """Let the next console be shown."""
        self._taken.release()

    async def leave(self) -> None:
        """Close the tab's connection, which ends its console."""
        if self._socket is not None:
            await self._socket.close()


def within(cells: int, most: int) -> int:
    """A size that a terminal can have."""
    return min(max(cells, 1), most)


async def _until_ended(socket: web.WebSocketResponse, service: AppService) -> None:
    process = service._process  # it offers no way to wait for it, nor to kill it
    assert process is not None
    watch = asyncio.ensure_future(_close_after(process, socket))
    try:
        async for message in socket:
            await _obey(message.data, socket, service)
    finally:
        await _end(process, service)
        await watch


async def _end(process: Process, service: AppService) -> None:
    """Ask it to end, and kill it when it does not."""
    ending = asyncio.ensure_future(service.stop())
    exit_ = asyncio.ensure_future(process.wait())
    await asyncio.wait(
        [ending, exit_], timeout=END_SECONDS
    )  # a time-out that cancels `stop` is swallowed by it
    if not exit_.done():
        with suppress(ProcessLookupError):
            process.kill()
    await exit_
    ending.cancel()  # it reads what a program that the console started may still hold open
    await asyncio.wait([ending])


async def _close_after(process: Process, socket: web.WebSocketResponse) -> None:
    """A console that ended shows nothing any more."""
    await process.wait()
    await socket.close()


async def _obey(data: object, socket: web.WebSocketResponse, service: AppService) -> None:
    """Do what one message of the page says; another than the page sends is nothing."""
    if isinstance(data, str) and len(data) > MOST_TYPED:
        await socket.send_bytes(b"\a")
        return
    match _parsed(data):
        case ["stdin", str() as typed]:
            await service.send_bytes(tamed(typed).encode("utf-8", "replace"))
        case ["resize", {"width": int() as width, "height": int() as height}]:
            await service.set_terminal_size(within(width, WIDEST), within(height, TALLEST))
        case ["ping", str() as told]:
            await socket.send_json(["pong", told])
        case ["focus"]:
            await service.focus()
        case ["blur"]:
            await service.blur()


def _parsed(data: object) -> object:
    try:
        return json.loads(data) if isinstance(data, str) else None
    except (ValueError, RecursionError):
        return None
