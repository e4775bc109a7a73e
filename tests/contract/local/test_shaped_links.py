"""Faults of the way to a pod, on real sockets: each is felt, spares other pods, and ends by itself."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from maestro_cli.core.fault_leases import FaultLease
from maestro_cli.local.balancer.backends import Endpoint
from maestro_cli.local.balancer.proxy import ServiceProxy
from maestro_cli.local.balancer.shapes import KIND, Shapes
from tests.contract.local.test_moving_connections import HEAD, Client, Replica, Scene
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract
LATE = 0.15


class Lab:
    """A proxy before one replica, and a client of it."""

    def __init__(self, scene: Scene, client: Client) -> None:
        self.scene, self.proxy, self.replica, self.client = scene, scene.proxy, scene.a, client

    def lease(self, seconds: float = 60.0, **parameters: float) -> None:
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        self.proxy.shapes.learn(self.replica.endpoint.address, (FaultLease("chg", KIND, ends, parameters),))

    def end(self) -> None:
        self.proxy.shapes.learn(self.replica.endpoint.address, ())

    async def timed(self) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.client.ask()
        return loop.time() - began


def in_lab(work: Callable[[Lab], Awaitable[None]], *, speaks_http: bool = True) -> None:
    async def play() -> None:
        shapes = Shapes(lambda: datetime.now(UTC), Random(1))
        proxy = ServiceProxy(speaks_http=speaks_http, shapes=shapes)
        scene = Scene(proxy, await Replica(b"a").start(), await Replica(b"b").start())
        await proxy.start()
        scene.serve_from(scene.a)
        client = await scene.client()
        assert await client.ask() == b"a"
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await work(Lab(scene, client))
        finally:
            await scene.end()

    asyncio.run(play())


@pytest.mark.parametrize("speaks_http", [True, False])
def test_what_goes_to_the_pod_comes_late_and_no_more_so_when_it_is_over(speaks_http: bool) -> None:
    async def work(lab: Lab) -> None:
        lab.lease(milliseconds=1000 * LATE)
        assert await lab.timed() >= LATE
        lab.end()
        assert min([await lab.timed() for _ in range(3)]) < LATE

    in_lab(work, speaks_http=speaks_http)


def test_a_lease_ends_by_itself_when_nobody_takes_it_away() -> None:
    async def work(lab: Lab) -> None:
        lab.lease(seconds=0.2, partition=1)
        assert await lab.client.ask() == b"a", "what was held arrives as soon as it is over"
        assert min([await lab.timed() for _ in range(3)]) < LATE

    in_lab(work)


def test_nothing_passes_a_partition_either_way_until_it_is_over() -> None:
    async def work(lab: Lab) -> None:
        asked = lab.replica.asked
        lab.replica.may_answer.clear()
        answer = asyncio.ensure_future(lab.client.ask())
        while lab.replica.asked == asked:
            await asyncio.sleep(0)
        lab.lease(partition=1)
        lab.replica.may_answer.set()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(answer), 0.2)
        lab.end()
        assert await answer == b"a"

    in_lab(work)


def test_a_new_connection_goes_round_a_partition_where_somebody_else_serves() -> None:
    """Where there are two pods, each has an address of its own."""

    async def work(lab: Lab) -> None:
        port = lab.scene.b.endpoint.port
        relay = await asyncio.start_server(_relay(port), "127.0.0.2", 0)
        beside = Endpoint("127.0.0.2", int(relay.sockets[0].getsockname()[1]))
        lab.proxy.follow(frozenset({lab.replica.endpoint, beside}))
        lab.lease(partition=1)
        for _ in range(2):
            client = await lab.scene.client()
            assert await client.ask() == b"b"
        relay.close()

    in_lab(work)


def test_a_limited_way_carries_no_more_a_second_in_both_directions() -> None:
    async def work(lab: Lab) -> None:
        lab.lease(bytes_per_second=400)
        # some 50 bytes there and 40 back
        assert await lab.timed() >= 0.2

    in_lab(work)


def test_what_is_lost_comes_after_a_retransmission() -> None:
    async def work(lab: Lab) -> None:
        lab.lease(loss=0.15)
        times = [await lab.timed() for _ in range(12)]
        assert max(times) >= 0.2, "one was lost at least"
        assert min(times) < 0.2, "and one was not"

    in_lab(work)


def test_pieces_that_come_late_stay_in_order() -> None:
    async def work(lab: Lab) -> None:
        lab.lease(milliseconds=20, jitter_milliseconds=50)
        for _ in range(8):
            assert await lab.client.ask() == b"a"

    in_lab(work)


def test_who_goes_away_amid_a_fault_leaves_nothing_behind() -> None:
    async def work(lab: Lab) -> None:
        lab.lease(partition=1)
        asking = asyncio.ensure_future(lab.client.ask())
        await asyncio.sleep(0)
        reset(lab.client)
        with pytest.raises((EOFError, ConnectionError)):
            await asking
        while lab.proxy.links:
            await asyncio.sleep(0)
        assert not lab.proxy.shapes._waiting

    in_lab(work)


def reset(client: Client) -> None:
    """End its connection as a process does that is killed amid an answer: with RST, not with FIN."""
    found = client.writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


def _relay(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = Client(*await asyncio.open_connection("127.0.0.1", port))
        try:
            while await reader.read(1000):
                writer.write(HEAD + await there.ask())
        except (EOFError, ConnectionError):
            pass
        finally:
            there.writer.close()
            writer.close()

    return relay
