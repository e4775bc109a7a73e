"""Chromium without a screen, driven by its own protocol over a websocket."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.tui.web.serving import until

PROGRAM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell"))
    ),
    None,
)


class Tab:
    """The one tab. `requested` has the addresses of all it asked for, `complaints` what it warned of."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call, and keep what is told before the answer."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            told = json.loads(await self._socket.receive_str())
            if told.get("id") == self._number:
                assert "error" not in told, told
                return dict(told["result"])
            self._keep(told["method"], told["params"])

    async def find(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def press(self, key: str, **parameters: Any) -> None:
        """Press a key; one letter types itself."""
        typed = {"text": key} if len(key) == 1 and not parameters.get("modifiers") else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **typed, **parameters)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **parameters)

    def _keep(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(told["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told))


@asynccontextmanager
async def tab(profile: Path) -> AsyncIterator[Tab]:
    """A tab of a browser with a profile of its own, which ends with the block."""
    assert PROGRAM is not None
    said = profile / "DevToolsActivePort"
    profile.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run"),
        *(
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1200,800",
        ),
        *(["--no-sandbox"] if os.getuid() == 0 else []),
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: (said.is_file() and "\n" in said.read_text()) or process.returncode is not None)
        if process.returncode is not None:
            pytest.skip(
                f"the Chromium of this machine does not start: {PROGRAM} ended with {process.returncode}"
            )
        port = said.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                found = Tab(socket)
                for domain in ("Page", "Network", "Runtime", "Log"):
                    await found.call(f"{domain}.enable")
                yield found
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
