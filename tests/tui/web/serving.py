"""A served console, with a program in its place that says what it is told."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from maestro_cli.tui.web.server import ConsoleServer

PATIENCE_SECONDS = 120.0
# Speaks as a console does: its first word, its size and process id, then what it hears. argv[1] is how.
CONSOLE = r"""
import json, os, signal, sys

def say(kind, data):
    sys.stdout.buffer.write(kind + len(data).to_bytes(4, "big") + data)
    sys.stdout.buffer.flush()

manner = sys.argv[1]
if manner == "broken":
    sys.exit("no console today")
sys.stdout.buffer.write(b"__GANGLION__\n")
say(b"D", ("%s x %s of %d\n" % (os.environ["COLUMNS"], os.environ["ROWS"], os.getpid())).encode())
if manner == "giving":
    say(b"M", json.dumps({"type": "deliver_file_start", "key": "k", "path": "/x/p\u00e9\r\nX: y.svg",
                          "open_method": "browser", "mime_type": "text/html", "encoding": ""}).encode())
while manner == "deaf":
    signal.pause()
chunks = [b"<script>", b""]
while head := sys.stdin.buffer.read(5):
    data = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if head[:1] == b"D":
        if data == b"die":
            os._exit(3)
        say(b"D", b"heard " + data)
        continue
    meta = json.loads(data)
    if meta["type"] == "quit":
        break
    if meta["type"] == "resize":
        say(b"D", ("now %(width)s x %(height)s" % meta).encode())
    if meta["type"] == "deliver_chunk_request":
        chunk = chunks.pop(0)
        say(b"P", b"ts13:deliver_chunks1:k%d:%se" % (len(chunk), chunk))
"""


@dataclass(frozen=True)
class Served:
    """The server, and a browser that has no session yet."""

    server: ConsoleServer
    browser: aiohttp.ClientSession

    @property
    def home(self) -> str:
        return self.server.url.partition("/?")[0]

    async def enter(self) -> None:
        """Visit the address, as a browser does."""
        async with self.browser.get(self.server.url) as answer:
            assert answer.status == 200

    def socket(self, query: str = "", origin: str | None = "") -> Any:
        """The websocket of the page; with another origin than its own, or with none."""
        headers = {} if origin is None else {"Origin": origin or self.home}
        return self.browser.ws_connect(f"{self.home}/ws{query}", headers=headers)


@asynccontextmanager
async def serving(manner: str = "", *, aloud: bool = False) -> AsyncIterator[Served]:
    """Serve until the end of the block."""
    server = ConsoleServer([sys.executable, "-IS", "-c", CONSOLE, manner], "maestro <prod>", aloud=aloud)
    await server.start(0)
    try:
        limit = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=limit) as browser:
            yield Served(server, browser)
    finally:
        await server.close()


async def shown(socket: AsyncIterable[aiohttp.WSMessage], wanted: str) -> str:
    """Wait until the console shows it; all that it showed until then."""
    seen = ""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for message in socket:
            data = message.data
            seen += data.decode() if isinstance(data, bytes) else str(data)
            if wanted in seen:
                return seen
    raise AssertionError(f"it ended without {wanted!r}: {seen!r}")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether no process has that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pid_in(text: str) -> int:
    """The process id in a console's first line."""
    return int(text.split(" of ")[1].split()[0])
