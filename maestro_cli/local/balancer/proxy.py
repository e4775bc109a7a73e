"""The proxy of one Service port.

Invariant: bytes pass unchanged and in order, with back-pressure both ways; no byte of a client is
sent to two endpoints. A connection is moved (closed, so that the client opens another) only while
nothing is under way on it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from maestro_cli.local.balancer.backends import Backends, Endpoint

Dial = Callable[[asyncio.Protocol, Endpoint], Awaitable[asyncio.Transport]]

_IDLE_SECONDS = 0.02
_CHECK_SECONDS = 0.05
_DRAIN_SECONDS = 30.0
_CONNECT_SECONDS = 2.0


async def dial(protocol: asyncio.Protocol, endpoint: Endpoint) -> asyncio.Transport:
    """Open a TCP connection. The one place where faults (latency, loss, partition) can be put in."""
    loop = asyncio.get_running_loop()
    transport, _ = await asyncio.wait_for(
        loop.create_connection(lambda: protocol, endpoint.address, endpoint.port), _CONNECT_SECONDS
    )
    return transport


class _Side(asyncio.Protocol):
    """One end of a link; hands everything to the other end."""

    def __init__(self, link: _Link, *, from_client: bool) -> None:
        self._link = link
        self._from_client = from_client
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._from_client:
            transport.pause_reading()  # until there is somebody to read for
            self._link.accepted()

    def data_received(self, data: bytes) -> None:
        self._link.moved(from_client=self._from_client)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        if self._from_client and self.other is not None and self.other.transport is not None:
            if self.other.transport.can_write_eof():
                self.other.transport.write_eof()
            return True
        return False  # the endpoint has said all: close, after what is buffered is written

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost()


class _Link:
    """A client's connection and the endpoint's connection that serves it."""

    def __init__(self, proxy: ServiceProxy) -> None:
        self._proxy = proxy
        self.client = _Side(self, from_client=True)
        self._backend = _Side(self, from_client=False)
        self.client.other, self._backend.other = self._backend, self.client
        self.endpoint: Endpoint | None = None
        self._waiting_for_answer = False
        self._last_moved = 0.0
        self._lost = False

    def accepted(self) -> None:
        self._proxy.links.add(self)
        self._proxy.background(self._connect())

    async def _connect(self) -> None:
        loop, backends = asyncio.get_running_loop(), self._proxy.backends
        for endpoint in backends.order(loop.time()):
            try:
                self._backend.transport = await self._proxy.dial(self._backend, endpoint)
            except (OSError, TimeoutError):
                backends.unreachable(endpoint, loop.time())
                continue
            if self._lost:
                self._backend.transport.close()
                return
            self.endpoint = endpoint
            backends.opened(endpoint)
            self._last_moved = loop.time()
            if self.client.transport is not None:
                self.client.transport.resume_reading()
            return
        if self.client.transport is not None:
            self.client.transport.abort()  # as near to «connection refused» as an accepted one can be

    def moved(self, *, from_client: bool) -> None:
        self._waiting_for_answer = from_client
        self._last_moved = asyncio.get_running_loop().time()

    def is_idle(self, now: float) -> bool:
        """Nothing asked and unanswered, and quiet for a moment."""
        return not self._waiting_for_answer and now - self._last_moved >= _IDLE_SECONDS

    def close(self) -> None:
        """Close both ends after what is buffered is written."""
        for side in (self.client, self._backend):
            if side.transport is not None:
                side.transport.close()

    def lost(self) -> None:
        if not self._lost:
            self._lost = True
            self._proxy.links.discard(self)
            if self.endpoint is not None:
                self._proxy.backends.closed(self.endpoint)
        self.close()


class ServiceProxy:
    """Listens on 127.0.0.1 for one Service port."""

    def __init__(self, dial: Dial = dial) -> None:
        self.dial = dial
        self.backends = Backends()
        self.links: set[_Link] = set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining: asyncio.Task[None] | None = None

    async def start(self, wanted_port: int = 0) -> None:
        """Listen, on the wanted port if it is free."""
        loop = asyncio.get_running_loop()
        for port in [wanted_port, 0] if wanted_port else [0]:
            try:
                self._server = await loop.create_server(lambda: _Link(self).client, "127.0.0.1", port)
                break
            except OSError:
                if port == 0:
                    raise
        assert self._server is not None
        self.port = int(self._server.sockets[0].getsockname()[1])

    def background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def follow(self, endpoints: frozenset[Endpoint]) -> None:
        """Serve from these endpoints from now on, and move connections towards an even spread."""
        if endpoints == self.backends.endpoints:
            return
        self.backends.replace(endpoints)
        if self._draining is None or self._draining.done():
            self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        """Close idle connections to departed or crowded endpoints, until none is left or time is up."""
        loop = asyncio.get_running_loop()
        until, endpoints = loop.time() + _DRAIN_SECONDS, self.backends.endpoints
        while loop.time() < until:
            if self.backends.endpoints != endpoints:
                until, endpoints = loop.time() + _DRAIN_SECONDS, self.backends.endpoints
            surplus = Counter(self.backends.surplus())
            if not +surplus:
                return
            for link in list(self.links):
                if link.endpoint is not None and surplus[link.endpoint] > 0 and link.is_idle(loop.time()):
                    surplus[link.endpoint] -= 1
                    link.close()
            await asyncio.sleep(_CHECK_SECONDS)
        for link in list(self.links):
            if link.endpoint is not None and link.endpoint not in self.backends.endpoints:
                link.close()

    async def stop(self) -> None:
        """Close the listener and every connection."""
        for task in [*self._tasks, *([self._draining] if self._draining is not None else [])]:
            task.cancel()
        if self._server is not None:
            self._server.close()
        for link in list(self.links):
            link.close()
