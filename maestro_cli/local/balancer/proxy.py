"""The proxy of one Service port.

Invariant: a connection is moved to another endpoint only while nothing is under way on it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime
from random import Random

from maestro_cli.core.fault_leases import CONNECT_SECONDS
from maestro_cli.local.balancer.backends import Backends, Endpoint
from maestro_cli.local.balancer.link import Dial, Link
from maestro_cli.local.balancer.shapes import Shapes

_CHECK_SECONDS = 0.05
_DRAIN_SECONDS = 30.0


async def dial(protocol: asyncio.Protocol, endpoint: Endpoint) -> asyncio.Transport:
    """Open a TCP connection."""
    loop = asyncio.get_running_loop()
    transport, _ = await asyncio.wait_for(
        loop.create_connection(lambda: protocol, endpoint.address, endpoint.port), CONNECT_SECONDS
    )
    return transport


class ServiceProxy:
    """Listens on 127.0.0.1 for one Service port; `speaks_http` holds for connections from then on."""

    def __init__(self, dial: Dial = dial, *, speaks_http: bool = False, shapes: Shapes | None = None) -> None:
        self._dial = dial
        self.shapes = shapes or Shapes(lambda: datetime.now(UTC), Random())
        self.speaks_http = speaks_http
        self.backends = Backends()
        self.links: set[Link] = set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining: asyncio.Task[None] | None = None

    async def dial(self, protocol: asyncio.Protocol, endpoint: Endpoint) -> asyncio.Transport:
        """Open a connection as late as the way there says; raises TimeoutError, and OSError."""
        shape = self.shapes.of(endpoint.address)
        if shape is not None:
            late = shape.lateness(self.shapes.random, to_pod=True)
            if shape.partition or late >= CONNECT_SECONDS:
                await asyncio.sleep(CONNECT_SECONDS)
                raise TimeoutError
            await asyncio.sleep(late)
        return await self._dial(protocol, endpoint)

    async def start(self, wanted_port: int = 0) -> None:
        """Listen, on the wanted port if it is free."""
        loop = asyncio.get_running_loop()
        for port in [wanted_port, 0] if wanted_port else [0]:
            try:
                self._server = await loop.create_server(lambda: Link(self).client, "127.0.0.1", port)
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
        """Move idle connections off departed or crowded endpoints, until none is left or time is up."""
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
                    link.move()
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
