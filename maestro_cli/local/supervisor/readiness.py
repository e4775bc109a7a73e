"""When a part counts as ready, and what it is known by then.

Invariant: an announcement counts only when it names the pid that runs now, so a file left by an earlier
process never makes a part look ready.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maestro_cli.local.ports import LOOPBACK, Ports
from maestro_cli.local.process import read_announcement
from maestro_cli.local.supervisor.model import Readiness

_PROBE_SECONDS = 0.5


def announced(state: Path, name: str) -> Readiness:
    """Ready when it has announced itself; known by what it announced."""

    async def look(pid: int) -> Mapping[str, Any] | None:
        found = read_announcement(state, name)
        return found if found is not None and found.get("pid") == pid else None

    return look


def serving(
    ports: Ports, port_name: str, path: str, tls: Callable[[], ssl.SSLContext] | None = None
) -> Readiness:
    """Ready when the path answers 200 on its port; known by port and URL."""

    async def look(pid: int) -> Mapping[str, Any] | None:
        port = ports.of(port_name)
        if not await answers(port, path, tls() if tls is not None else None):
            return None
        scheme = "http" if tls is None else "https"
        return {"port": port, "url": f"{scheme}://{LOOPBACK}:{port}"}

    return look


async def answers(port: int, path: str, tls: ssl.SSLContext | None = None) -> bool:
    """True when an HTTP server on this port of loopback answers 200."""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=tls)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}:{port}\r\n\r\n".encode("ascii"))
                return (await reader.readline()).split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
