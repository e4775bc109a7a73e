"""Asks at an address as callers do: over a connection of its own, and by the status of the answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from maestro_cli.core.errors import MaestroError
from maestro_cli.sources.http import Ask, HttpBackend

SYSTEM = "The service"
TIMEOUT_SECONDS = 1.5
_MOST_BYTES = 65_536


def ails(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """Why who asks there is not served, in words; "" where the answer is 2xx in time. Raises nothing."""
    parts = urlsplit(url)
    path = f"{parts.path}{f'?{parts.query}' if parts.query else ''}"
    try:
        backend = HttpBackend(SYSTEM, f"{parts.scheme}://{parts.netloc}", timeout_seconds=timeout_seconds)
    except MaestroError as error:
        return error.what
    try:
        ask = Ask("GET", path, safe=True, accept="*/*", max_bytes=_MOST_BYTES, truncate=True)
        status = backend.ask(ask).status
    except MaestroError as error:
        return "; ".join(filter(None, (error.what, error.why)))
    finally:
        backend.close()
    return "" if 200 <= status < 300 else f"HTTP {status}"
