"""The load balancer moves connections from one endpoint to another, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from maestro_cli.local.balancer.backends import Endpoint
from maestro_cli.local.balancer.proxy import ServiceProxy
from maestro_cli.local.ports import free_port
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract

ASK = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
AGAIN = ASK.replace(b"POST /", b"PUT /x")  # as long, and asking it twice does what asking it once does
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"


class Replica:
    """An endpoint that answers each request with its own letter, once it may."""

    def __init__(self, letter: bytes, head: bytes = HEAD) -> None:
        self._letter = letter
        self._head = head
        self._writers: set[asyncio.StreamWriter] = set()
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_end = asyncio.Event()  # after the head
        self.may_answer.set()
        self.may_end.set()
        self.endpoint = Endpoint("127.0.0.1", 0)

    async def start(self) -> Replica:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.endpoint = Endpoint("127.0.0.1", self._server.sockets[0].getsockname()[1])
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                await reader.readexactly(len(ASK))
                self.asked += 1
                await self.may_answer.wait()
                writer.write(self._head)
                await self.may_end.wait()
                writer.write(self._letter)
        except (EOFError, ConnectionError):
            writer.close()

    def die(self) -> None:
        """As a process that was killed: the listener and every connection are gone."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self.may_answer.set()
        self.may_end.set()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self) -> bytes:
        self.writer.write(ASK)
        return await self.answer()

    async def answer(self) -> bytes:
        await self.reader.readuntil(b"\r\n\r\n")
        return await self.reader.readexactly(1)

    async def is_closed(self) -> bool:
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


class Scene:
    def __init__(self, proxy: ServiceProxy, a: Replica, b: Replica) -> None:
        self.proxy = proxy
        self.a = a
        self.b = b
        self.clients: list[Client] = []

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.proxy.port))
        self.clients.append(client)
        return client

    async def end(self) -> None:
        await self.proxy.stop()
        for replica in (self.a, self.b):
            replica.die()
        for client in self.clients:
            client.writer.close()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)

    def serve_from(self, *replicas: Replica) -> None:
        self.proxy.follow(frozenset(replica.endpoint for replica in replicas))

    async def until_left(self, replica: Replica, but: int = 0) -> None:
        """Nobody, or only so many, are served from it any more."""
        while sum(link.endpoint == replica.endpoint for link in self.proxy.links) > but:
            await asyncio.sleep(0.01)

    async def move_while(self, asking: asyncio.Task[bytes]) -> None:
        """Replace replica a by b while a request to a is under way, until idle connections were moved."""
        while not self.a.asked:
            await asyncio.sleep(0.01)
        assert not asking.done()
        self.serve_from(self.b)
        await self.until_left(self.a, but=1)


def play(act: Callable[[Scene], Awaitable[None]], *, http: bool = True, head: bytes = HEAD) -> None:
    async def run() -> None:
        scene = Scene(
            ServiceProxy(speaks_http=http), await Replica(b"a", head).start(), await Replica(b"b").start()
        )
        await scene.proxy.start()
        scene.serve_from(scene.a)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await act(scene)
        finally:
            await scene.end()

    asyncio.run(run())


def test_a_client_does_not_notice_that_its_endpoint_departs() -> None:
    async def act(scene: Scene) -> None:
        client = await scene.client()
        assert await client.ask() == b"a"
        scene.serve_from(scene.b)
        await scene.until_left(scene.a)
        assert [await client.ask() for _ in range(3)] == [b"b"] * 3
        assert scene.a.asked == 1

    play(act)


def test_a_client_does_not_notice_that_its_endpoint_dies_between_two_requests() -> None:
    async def act(scene: Scene) -> None:
        scene.serve_from(scene.a, scene.b)
        clients = [await scene.client() for _ in range(4)]
        answers = [await client.ask() for client in clients]
        assert sorted(answers) == [b"a", b"a", b"b", b"b"]
        scene.a.die()
        await scene.until_left(scene.a)
        assert [await client.ask() for client in clients] == [b"b"] * 4

    play(act)


def test_a_request_under_way_is_answered_by_whom_it_was_sent_to() -> None:
    async def act(scene: Scene) -> None:
        scene.a.may_answer.clear()
        client, _idle = await scene.client(), await scene.client()
        asking = asyncio.ensure_future(client.ask())
        await scene.move_while(asking)
        scene.a.may_answer.set()
        assert await asking == b"a"
        await scene.until_left(scene.a)
        assert await client.ask() == b"b"

    play(act)


def test_an_answer_that_pauses_in_the_middle_is_not_cut() -> None:
    async def act(scene: Scene) -> None:
        scene.a.may_end.clear()
        client, _idle = await scene.client(), await scene.client()
        asking = asyncio.ensure_future(client.ask())
        await scene.move_while(asking)
        scene.a.may_end.set()
        assert await asking == b"a"

    play(act)


def test_a_request_that_an_endpoint_died_over_is_sent_to_no_other() -> None:
    async def act(scene: Scene) -> None:
        scene.a.may_answer.clear()
        client = await scene.client()
        client.writer.write(ASK)
        while not scene.a.asked:
            await asyncio.sleep(0.01)
        scene.serve_from(scene.a, scene.b)
        scene.a.die()
        assert await client.is_closed()
        assert scene.b.asked == 0

    play(act)


def test_a_request_that_may_be_repeated_is_sent_to_one_other_when_its_endpoint_dies_over_it() -> None:
    async def act(scene: Scene) -> None:
        third = await Replica(b"c").start()
        for replica in (scene.a, scene.b):
            replica.may_answer.clear()
        client = await scene.client()
        client.writer.write(AGAIN)
        while not scene.a.asked:
            await asyncio.sleep(0.01)
        scene.serve_from(scene.b)
        scene.a.die()
        while not scene.b.asked:
            await asyncio.sleep(0.01)
        scene.b.may_answer.set()
        assert [await client.answer(), await client.ask()] == [b"b", b"b"]

        scene.b.may_answer.clear()
        client.writer.write(AGAIN)
        while scene.b.asked < 3:
            await asyncio.sleep(0.01)
        again = await Replica(b"a").start()
        again.may_answer.clear()
        scene.serve_from(again)
        scene.b.die()
        while not again.asked:
            await asyncio.sleep(0.01)
        scene.serve_from(third)
        again.die()
        assert await client.is_closed(), "what kills two of them is not given to a third"
        assert third.asked == 0
        third.die()

    play(act)


def test_a_request_whose_answer_has_begun_is_not_repeated() -> None:
    async def act(scene: Scene) -> None:
        scene.a.may_end.clear()
        client = await scene.client()
        client.writer.write(AGAIN)
        await client.reader.readuntil(b"\r\n\r\n")
        scene.serve_from(scene.a, scene.b)
        scene.a.die()
        assert await client.is_closed()
        assert scene.b.asked == 0

    play(act)


@pytest.mark.parametrize("http", [True, False])
def test_of_a_client_that_left_nothing_is_kept(http: bool) -> None:
    async def act(scene: Scene) -> None:
        clients = [await scene.client() for _ in range(3)]
        for client in clients:
            assert await client.ask() == b"a"
            client.writer.close()
        while scene.proxy.links:
            await asyncio.sleep(0.01)
        assert scene.proxy.backends.surplus() == {}

    play(act, http=http)


def test_an_endpoint_that_refuses_costs_no_request() -> None:
    async def act(scene: Scene) -> None:
        nobody = Endpoint("127.0.0.1", free_port())
        scene.proxy.follow(frozenset({nobody, scene.a.endpoint}))
        clients = [await scene.client() for _ in range(4)]
        assert [await client.ask() for client in clients] == [b"a"] * 4

    play(act)


def test_where_no_endpoint_is_left_the_client_is_told_at_once() -> None:
    async def act(scene: Scene) -> None:
        client = await scene.client()
        await client.ask()
        scene.serve_from()
        await scene.until_left(scene.a)
        client.writer.write(ASK)
        assert await client.is_closed()

    play(act)


def test_an_answer_that_says_goodbye_ends_the_client_too() -> None:
    async def act(scene: Scene) -> None:
        client = await scene.client()
        assert await client.ask() == b"a"
        scene.a.die()
        assert await client.is_closed()

    play(act, head=HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


def test_without_http_a_connection_that_was_just_made_is_left_alone() -> None:
    async def act(scene: Scene) -> None:
        used, fresh = await scene.client(), await scene.client()
        assert await used.ask() == b"a"
        while len(scene.proxy.links) < 2 or any(link.endpoint is None for link in scene.proxy.links):
            await asyncio.sleep(0.01)
        scene.serve_from(scene.b)
        assert await used.is_closed()
        assert await fresh.ask() == b"a"

    play(act, http=False)


def test_without_http_an_idle_connection_is_closed_for_the_client_to_open_another() -> None:
    async def act(scene: Scene) -> None:
        client = await scene.client()
        assert await client.ask() == b"a"
        scene.serve_from(scene.b)
        assert await client.is_closed()
        assert await (await scene.client()).ask() == b"b"

    play(act, http=False)
