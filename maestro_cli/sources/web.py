"""Any web address, asked once for a step of a runbook.

Invariant: only reads are redirected, and only within the same scheme, host and port; a body is cut at
MAX_BODY_BYTES; every request ends within its time, redirects and all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from maestro_cli.core.facts.web import SAFE_METHODS, WebAnswer, WebRequest
from maestro_cli.sources.failures import not_like, shown_url
from maestro_cli.sources.http import Answer, Ask, HttpBackend

MAX_BODY_BYTES = 65_536
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_SYSTEM = "the server"


class Web:
    """Sends requests without keeping connections, cookies or credentials; safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic

    def send(self, request: WebRequest) -> WebAnswer:
        """The answer, whatever its status.

        Raises Unreachable, also for a redirect to another host or in a circle, and OutcomeUnknown for a
        write that got no answer.
        """
        url, safe = request.url, request.method in SAFE_METHODS
        until = self._monotonic() + request.timeout_seconds
        for _ in range(MAX_REDIRECTS + 1):
            left = until - self._monotonic()
            if left <= 0:
                raise not_like(_SYSTEM, request.url, "it redirects until the time is over")
            answer = _ask(request, url, safe, left)
            where = answer.headers.get("location")
            if not safe or answer.status not in _REDIRECTS or not where:
                cut = len(answer.body) >= MAX_BODY_BYTES
                return WebAnswer(answer.status, dict(answer.headers), answer.body, cut)
            target = urljoin(url, where)
            if _origin(target) != _origin(url):
                raise not_like(_SYSTEM, url, f"it redirects to another host: {shown_url(target)}")
            url = target
        raise not_like(_SYSTEM, request.url, f"it redirects more than {MAX_REDIRECTS} times")


def _ask(request: WebRequest, url: str, safe: bool, seconds: float) -> Answer:
    headers = dict(request.headers)
    given = {name.lower(): name for name in headers}
    accept = headers.pop(given["accept"]) if "accept" in given else "*/*"
    kind = headers.pop(given["content-type"]) if "content-type" in given else "application/json"
    origin = _origin(url)
    backend = HttpBackend(
        _SYSTEM,
        origin,
        headers=lambda: headers,
        timeout_seconds=seconds,
        first_contact_seconds=seconds,
    )
    try:
        return backend.ask(
            Ask(
                request.method,
                url[len(origin) :].partition("#")[0] or "/",
                body=request.body,
                content_type=kind,
                accept=accept,
                safe=safe,
                max_bytes=MAX_BODY_BYTES,
                truncate=True,
            )
        )
    finally:
        backend.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
