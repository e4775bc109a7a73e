"""One HTTP backend, asked safely.

Invariant: every request ends in time (a backend that never answered has FIRST_CONTACT_SECONDS), bodies
have a limit, redirects are not followed, and every failure of the wire is an Unreachable; a write
that may have reached the backend is an OutcomeUnknown.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.sources.credentials import authorization, tls_context
from maestro_cli.sources.deadline import unless_cancelled, within
from maestro_cli.sources.failures import (
    checked_url,
    not_like,
    outcome_unknown,
    quoted,
    refused,
    server_error,
    unreachable,
)
from maestro_cli.sources.opened import Opened, ask_when_silent

if TYPE_CHECKING:
    import httpx

    from maestro_cli.core.cancellation import Cancellation

FIRST_CONTACT_SECONDS = 3.5  # leaves a command time to start and to say it within five
CONNECT_SECONDS = 3.0
# Below uvicorn's 5 s: a write must not go out on a connection that the server is just closing.
KEEP_ALIVE_SECONDS = 2.0
T = TypeVar("T")
Params = Mapping[str, str | int] | Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status; `headers` have lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `safe` ones change nothing, so they may be sent twice."""

    method: str
    path: str
    params: Params | None = None
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    safe: bool = False
    max_bytes: int | None = None
    truncate: bool = False  # cut a body at max_bytes instead of refusing it
    headers: Mapping[str, str] | None = None
    patience: float = 1.0  # times the backend's time-out, once it is known to be there


class HttpBackend:
    """A base URL with its credentials, TLS, time-outs and limits; safe to share between threads."""

    def __init__(
        self,
        system: str,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        proxy: str | None = None,
        timeout_seconds: float = 4.0,
        first_contact_seconds: float | None = None,
        max_bytes: int = 16 * 2**20,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        # httpx imports its own command line, and with it click and rich, unless that cannot be imported
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        import httpx  # 0.1 s

        self._made_as = partial(
            HttpBackend, system, url, headers=headers, tls=tls, server_name=server_name, proxy=proxy,
            timeout_seconds=timeout_seconds, max_bytes=max_bytes, transport=transport,
        )  # fmt: skip
        self.system = system
        self.url = checked_url(url, system)
        self._headers = headers
        self._extensions = {"sni_hostname": server_name} if server_name else {}
        self._timeout_seconds = timeout_seconds
        self._first_contact_seconds = first_contact_seconds
        self._max_bytes = max_bytes
        self._has_answered = False
        verify = tls if tls is not None else self.url.startswith("https:")
        limits = httpx.Limits(max_connections=20, keepalive_expiry=KEEP_ALIVE_SECONDS)
        self._dial = partial(httpx.Client, verify=verify, proxy=proxy, transport=transport)
        self._client = self._dial(limits=limits)
        self._streaming: httpx.Client | None = None
        self._lock = threading.Lock()
        self._dropped = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
        self._never_sent = (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
            httpx.LocalProtocolError,
            httpx.InvalidURL,
        )
        self._failures = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, OSError)

    def close(self) -> None:
        """Close its connections; the source is of no use afterwards."""
        self._client.close()
        if self._streaming is not None:
            self._streaming.close()

    def apart(self) -> HttpBackend:
        """The same backend over a connection of its own, which a balancer may give to another server."""
        made = self._made_as()
        made._has_answered = self._has_answered
        return made

    def get(self, path: str, params: Params | None = None) -> Answer:
        """A GET of that path; raises Unreachable."""
        return self.ask(Ask("GET", path, params, safe=True))

    def ask(self, ask: Ask) -> Answer:
        """Send it and give back whatever status came; raises Unreachable or OutcomeUnknown."""
        limit = patience = self._timeout_seconds * ask.patience
        if not self._has_answered:
            limit = min(self._timeout_seconds, self._first_contact_seconds or FIRST_CONTACT_SECONDS)
        url = self.url + ask.path
        headers = {**self._headers(), **(ask.headers or {}), "Accept": ask.accept}
        if ask.body is not None:
            headers["Content-Type"] = ask.content_type
        try:
            # A quarter of a second more than the socket time-outs, which know better what was awaited.
            return within(limit + 0.25, partial(self._send, ask, url, headers, limit))
        except self._failures as error:
            if ask.safe and self._has_answered and limit < patience:
                return self.ask(ask)  # it is there, and slow: it gets its whole time
            if ask.safe or isinstance(error, self._never_sent):
                raise unreachable(self.system, self.url, error, limit) from error
            raise outcome_unknown(self.system, self.url, error, limit) from error

    def _send(self, ask: Ask, url: str, headers: Mapping[str, str], limit: float) -> Answer:
        started = time.monotonic()
        try:
            return self._exchange(ask, url, headers, started, limit)
        except self._dropped:
            # The server closed an idle connection just as it was used; that shows at once.
            if not ask.safe or time.monotonic() - started > limit / 4:
                raise
            return self._exchange(ask, url, headers, started, limit)

    def _exchange(
        self, ask: Ask, url: str, headers: Mapping[str, str], started: float, limit: float
    ) -> Answer:
        most = ask.max_bytes or self._max_bytes
        body = bytearray()
        connect = min(CONNECT_SECONDS, limit)
        with self._client.stream(
            ask.method, url, params=ask.params, content=ask.body, headers=headers, follow_redirects=False,
            timeout=(connect, limit, limit, limit), extensions=self._extensions,
        ) as response:  # fmt: skip
            self._has_answered = True
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > most:
                    if not ask.truncate:
                        raise not_like(self.system, self.url, f"the answer is larger than {most} bytes")
                    del body[most:]
                    break
                if time.monotonic() - started > limit:
                    raise TimeoutError("the answer trickles in too slowly")
            return Answer(url, response.status_code, response.headers, bytes(body))

    def open(
        self, ask: Ask, cancellation: Cancellation, *, silence_seconds: float,
        begin_seconds: float | None = None,
    ) -> Opened:  # fmt: skip
        """Send it once, and give back its answer once it begins, to be read as it comes and closed.

        As many may be open as one likes. Raises Unreachable, here when it does not begin in time and later
        when nothing comes for `silence_seconds`; Interrupted at once when cancelled.
        """
        limit = self._timeout_seconds * ask.patience

        def send() -> Opened:
            headers = {**self._headers(), "Accept": ask.accept, "Accept-Encoding": "identity"}
            client = self._streaming_client()
            request = client.build_request(
                ask.method, self.url + ask.path, params=ask.params, headers=headers,
                timeout=(min(CONNECT_SECONDS, limit), silence_seconds, limit, limit),
                extensions={**self._extensions, "trace": ask_when_silent},
            )  # fmt: skip
            response = client.send(request, stream=True, follow_redirects=False)
            return Opened(response, cancellation, self._translated)

        with self._translated():
            opened = unless_cancelled(cancellation, send, seconds=begin_seconds or limit, late=Opened.close)
        self._has_answered = True
        return opened

    def _streaming_client(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._streaming is None:
                limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_SECONDS)
                self._streaming = self._dial(limits=limits)
            return self._streaming

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise unreachable(self.system, self.url, error, self._timeout_seconds) from error

    def expect_ok(self, answer: Answer, *, safe: bool = True) -> Answer:
        """The answer when its status is 2xx.

        Raises Refused for 401 and 403, Unreachable for redirects, 5xx and anything else that this
        system would not say (OutcomeUnknown for a 5xx to a write).
        """
        status = answer.status
        if 200 <= status < 300:
            return answer
        if status in (401, 403):
            raise refused(self.system, self.url, status, quoted(answer.body))
        if 300 <= status < 400:
            where = quoted(answer.headers.get("location", "nowhere"))
            raise not_like(self.system, self.url, f"it redirects (HTTP {status}) to {where}")
        if status >= 500 or status == 429:
            raise server_error(self.system, self.url, status, answer.body, safe=safe)
        raise not_like(self.system, self.url, f"HTTP {status}: {quoted(answer.body)}")

    def decode(self, answer: Answer, kind: type[T]) -> T:
        """The JSON body as that type, unknown keys ignored; raises Unreachable when it is something else."""
        try:
            return msgspec.json.decode(answer.body, type=ready(kind))
        except (msgspec.DecodeError, RecursionError) as error:
            kind_said = answer.headers.get("content-type", "no content type")
            raise not_like(self.system, answer.url, f"expected JSON, got {kind_said}: {error}") from error


def endpoint_backend(
    system: str,
    endpoint: Endpoint,
    *,
    timeout_seconds: float,
    transport: httpx.BaseTransport | None = None,
    secrets: Secrets = NO_VAULT,
) -> HttpBackend:
    """The backend behind one endpoint of a context; raises InvalidFile for a bad URL or ca_file."""
    return HttpBackend(
        system,
        endpoint.url,
        headers=partial(authorization, endpoint, system, secrets),
        tls=tls_context(endpoint, system),
        timeout_seconds=timeout_seconds,
        transport=transport,
    )


def checked(system: str, url: str, version: Callable[[], str]) -> EndpointCheck:
    """Ask a system for its version, and time it; never raises for a system that does not answer."""
    started = time.monotonic()
    try:
        said = version()
    except MaestroError as error:
        text = f"{error.what}: {error.why}" if error.why else error.what
        return EndpointCheck(system, url, False, "", time.monotonic() - started, text, error.fix)
    return EndpointCheck(system, url, True, said, time.monotonic() - started)
