"""A client's connection and the endpoint's connection that serves it.

Invariant: bytes pass unchanged and in order, with back-pressure both ways. Where HTTP is spoken, an endpoint
is left only between an answer and the next request, and the client does not notice: what it sends next goes
to another one. Elsewhere its connection is closed. No byte of a client is sent to two endpoints, but for a
request that may be repeated and whose endpoint was lost before it said anything: one other is asked, once.
What faults do to the way to a pod happens between that pod's connection and everything here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from maestro_cli.local.balancer.backends import Backends, Endpoint
from maestro_cli.local.balancer.conversation import Conversation
from maestro_cli.local.balancer.shapes import Shapes
from maestro_cli.local.balancer.wire import Wire

Dial = Callable[[asyncio.Protocol, Endpoint], Awaitable[asyncio.Transport]]

_IDLE_SECONDS = 0.02


class Owner(Protocol):
    """What a link needs of its proxy."""

    backends: Backends
    links: set[Link]
    shapes: Shapes
    speaks_http: bool

    async def dial(self, protocol: asyncio.Protocol, endpoint: Endpoint) -> asyncio.Transport:
        """Open a connection; raises OSError and TimeoutError."""

    def background(self, work: Awaitable[None]) -> None: ...


class _ClientSide(asyncio.Protocol):
    """The client's end of a link; hands everything to the pod's end."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._link.accepted()

    def data_received(self, data: bytes) -> None:
        self._link.from_client(data)

    def eof_received(self) -> bool:
        if (pod := self._link.backend) is None or pod.transport is None:
            return False
        self._link.has_said_all = True
        pod.send_end()
        return True

    def pause_writing(self) -> None:
        if (pod := self._link.backend) is not None and pod.transport is not None:
            pod.transport.pause_reading()

    def resume_writing(self) -> None:
        if (pod := self._link.backend) is not None and pod.transport is not None:
            pod.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost(self)


class _PodSide(asyncio.Protocol):
    """The pod's end of a link; what goes there and comes from there goes by wires, in order."""

    def __init__(self, link: Link, shapes: Shapes, address: str) -> None:
        self._link = link
        self.transport: asyncio.Transport | None = None
        self._to = Wire(shapes, address, to_pod=True, pause=self.pause_writing, resume=self.resume_writing)
        self._from = Wire(shapes, address, to_pod=False, pause=self._pause_pod, resume=self._resume_pod)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, data: bytes) -> None:
        self._to.carry(len(data), lambda: self._write(data))

    def send_end(self) -> None:
        """The client says nothing any more."""
        self._to.carry(0, self._write_end)

    def drop(self) -> None:
        """Nobody is there any more for what is under way."""
        self._to.drop()
        self._from.drop()

    def _write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def _write_end(self) -> None:
        if self.transport is not None and self.transport.can_write_eof():
            self.transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self._from.carry(len(data), lambda: self._arrived(data))

    def _arrived(self, data: bytes) -> None:
        if self is self._link.backend:
            self._link.from_endpoint(data)

    def pause_writing(self) -> None:
        if self is self._link.backend and (client := self._link.client.transport) is not None:
            client.pause_reading()

    def resume_writing(self) -> None:
        if self is self._link.backend and (client := self._link.client.transport) is not None:
            client.resume_reading()

    def _pause_pod(self) -> None:
        if self.transport is not None:
            self.transport.pause_reading()

    def _resume_pod(self) -> None:
        if self.transport is not None:
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has said all: the client is told after what is buffered is written."""
        self._to.drop()
        self._from.carry(0, lambda: self._link.lost(self))


class Link:
    """Lives as long as the client's connection does."""

    def __init__(self, proxy: Owner) -> None:
        self._proxy = proxy
        self.client = _ClientSide(self)
        self.backend: _PodSide | None = None
        self.endpoint: Endpoint | None = None
        self._conversation = Conversation() if proxy.speaks_http else None
        self._held = b""  # what the client said while it had no endpoint
        self._waiting_for_answer = True  # a connection that was just made is about to be used
        self._last_moved = 0.0
        self._lost = False
        self._has_repeated = False  # what kills its endpoint must not go on to kill them all
        self.has_said_all = False  # the client asks nothing any more: it leaves when it has its answers

    def accepted(self) -> None:
        self._proxy.links.add(self)
        self._find_endpoint()

    def from_client(self, data: bytes) -> None:
        self._moved(waiting_for_answer=True)
        if self._conversation is not None:
            self._conversation.ask(data)
        if self.endpoint is not None and self.backend is not None:
            self.backend.send(data)
            return
        self._held += data
        self._find_endpoint()

    def from_endpoint(self, data: bytes) -> None:
        self._moved(waiting_for_answer=False)
        self._has_repeated = False
        if self._conversation is not None:
            self._conversation.answer(data)
        if self.client.transport is not None:
            self.client.transport.write(data)

    def _moved(self, *, waiting_for_answer: bool) -> None:
        self._waiting_for_answer = waiting_for_answer
        self._last_moved = asyncio.get_running_loop().time()

    def _find_endpoint(self) -> None:
        if self.client.transport is not None:
            self.client.transport.pause_reading()  # until there is somebody to read for
        self._proxy.background(self._connect())

    async def _connect(self) -> None:
        loop, backends = asyncio.get_running_loop(), self._proxy.backends
        for endpoint in backends.order(loop.time()):
            self.backend = side = _PodSide(self, self._proxy.shapes, endpoint.address)
            try:
                side.transport = await self._proxy.dial(side, endpoint)
            except (OSError, TimeoutError):
                backends.unreachable(endpoint, loop.time())
                continue
            if self._lost:
                side.transport.close()
                return
            if side.transport.is_closing():  # it hung up at once, and was told nothing
                backends.unreachable(endpoint, loop.time())
                continue
            self._serve_from(endpoint, side)
            return
        if self.client.transport is not None:
            self.client.transport.abort()  # as near to «connection refused» as an accepted one can be

    def _serve_from(self, endpoint: Endpoint, side: _PodSide) -> None:
        self.endpoint = endpoint
        self._proxy.backends.opened(endpoint)
        self._last_moved = asyncio.get_running_loop().time()
        held, self._held = self._held, b""
        if held:
            side.send(held)
        if self.client.transport is not None:
            self.client.transport.resume_reading()

    def is_idle(self, now: float) -> bool:
        """Nothing asked and unanswered; where that cannot be read, quiet for a moment after an answer."""
        if self._conversation is not None:
            return self._conversation.is_over
        return not self._waiting_for_answer and now - self._last_moved >= _IDLE_SECONDS

    def move(self) -> None:
        """Leave the endpoint of an idle link."""
        if self._may_go_on:
            self._leave()
        else:
            self.close()

    def _leave(self) -> None:
        """Let go of the endpoint and keep the client."""
        side, self.backend = self.backend, None
        endpoint, self.endpoint = self.endpoint, None
        if endpoint is not None:
            self._proxy.backends.closed(endpoint)
        if side is not None:
            side.drop()
            if side.transport is not None:
                side.transport.close()

    def close(self) -> None:
        """Close both ends after what is buffered is written."""
        if self.backend is not None:
            self.backend.drop()
        for side in (self.client, self.backend):
            if side is not None and side.transport is not None:
                side.transport.close()

    def lost(self, side: _ClientSide | _PodSide) -> None:
        """One of its connections ended."""
        if side is not self.client and (side is not self.backend or self.endpoint is None):
            return  # an endpoint that was left, or that is not served from yet
        if side is self.backend and self._may_go_on:
            self._leave()
            return
        if side is self.backend and (request := self._to_repeat()):
            self._repeat(request)
            return
        if not self._lost:
            self._lost = True
            self._proxy.links.discard(self)
            if self.endpoint is not None:
                self._proxy.backends.closed(self.endpoint)
        self.close()

    def _to_repeat(self) -> bytes:
        """The request that another endpoint may be asked in place of one that is gone."""
        talk = self._conversation
        if talk is None or self._lost or self.has_said_all or self._has_repeated:
            return b""
        return talk.to_repeat

    def _repeat(self, request: bytes) -> None:
        """Ask another endpoint, or the same one on another connection when there is no other."""
        if self.endpoint is not None:
            self._proxy.backends.unreachable(self.endpoint, asyncio.get_running_loop().time())
        self._leave()
        self._has_repeated = True
        self._held = request
        self._find_endpoint()

    @property
    def _may_go_on(self) -> bool:
        """Whether the client can be served by another endpoint from here."""
        talk = self._conversation
        if talk is None or self._lost or self.has_said_all:
            return False
        return talk.is_over and not talk.says_goodbye
