"""Whether a part that became ready still answers.

Invariant: only silence counts, for a long time and again and again, and a port on which nobody listens is
silent: a refused request, an error or half an answer is an answer, so that a busy machine restarts nothing
that works. A part without a URL cannot be asked.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from maestro_cli.core.clock import Clock

ASK_SECONDS = 15.0
ANSWER_SECONDS = 15.0
MISSES_ALLOWED = 4


class Pulse:
    """Of one process: asks now and then, in the background of the running loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked_at = clock.monotonic()
        self._misses = 0
        self._asking: asyncio.Task[bool] | None = None

    def is_lost(self, facts: Mapping[str, Any]) -> bool:
        """True once it was silent four times in a row; looks at the last answer, and asks when it is time."""
        if self._asking is not None and self._asking.done():
            self._misses = 0 if self._asking.result() else self._misses + 1
            self._asking = None
        due = self._clock.monotonic() - self._asked_at >= ASK_SECONDS
        if self._asking is None and due and (url := str(facts.get("url") or "")):
            self._asked_at = self._clock.monotonic()
            self._asking = asyncio.get_running_loop().create_task(responds(url))
        return self._misses >= MISSES_ALLOWED

    def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()


async def responds(url: str) -> bool:
    """False when nothing listens, or what listens says nothing at all within the time."""
    place = urlsplit(url)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            tls = any_server() if place.scheme == "https" else None
            reader, writer = await asyncio.open_connection(place.hostname, place.port, ssl=tls)
            try:
                writer.write(f"GET /healthz HTTP/1.0\r\nHost: {place.netloc}\r\n\r\n".encode("ascii"))
                await reader.read(1)
            finally:
                writer.close()
    except (TimeoutError, ConnectionRefusedError):
        return False
    except OSError:  # a TLS alert, a reset: somebody is there
        return True
    return True


def any_server() -> ssl.SSLContext:
    """Nothing secret is sent and nothing that comes is believed, so nobody has to be verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
