"""Probes against real sockets: what they say, and that nothing a server answers can hold them up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from maestro_cli.local.kubelet.probes import TIMED_OUT, Target, act

HERE = "127.0.0.1"


async def run(command: Sequence[str], seconds: float) -> tuple[int, str]:
    """Stands in for a container: exits with its first word, says the second, takes no time."""
    assert seconds > 0
    return int(command[0]), command[1]


def probe(action: dict[str, Any], *, seconds: float = 30.0, **ports: int) -> tuple[bool, str]:
    return asyncio.run(act(action, Target(HERE, ports, run), seconds))


def against(
    answer: bytes, action: Callable[[int], dict[str, Any]], seconds: float = 30.0
) -> tuple[bool, str]:
    """Probe a server that says this to whoever connects."""

    async def serve() -> tuple[bool, str]:
        async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(talk, HERE, 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await act(action(port), Target(HERE, {}, run), 30.0)

    return asyncio.run(serve())


def refused_port() -> int:
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        return int(taken.getsockname()[1])


def get(port: int) -> dict[str, Any]:
    return {"httpGet": {"path": "/up", "port": port}}


@pytest.mark.parametrize(("code", "ok"), [(200, True), (302, True), (404, False), (500, False), (99, False)])
def test_the_status_code_decides(code: int, ok: bool) -> None:
    told = against(b"HTTP/1.1 %d Whatever\r\n\r\nbody" % code, get)
    assert told == (ok, f"HTTP probe failed with statuscode: {code}")


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 many\r\n\r\n", b"x" * 200_000])
def test_no_http_is_a_failure_and_no_crash(answer: bytes) -> None:
    ok, words = against(answer, get)
    assert not ok
    assert words


def test_refusals_are_told_as_kubernetes_does() -> None:
    port = refused_port()
    refused = f"dial tcp {HERE}:{port}: connect: connection refused"
    assert probe({"tcpSocket": {"port": port}}) == (False, refused)
    assert probe(get(port)) == (False, f'Get "http://{HERE}:{port}/up": {refused}')
    assert probe({"httpGet": {"port": "web"}}, web=port) == (False, f'Get "http://{HERE}:{port}/": {refused}')


def test_a_silent_server_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind((HERE, 0))
        silent.listen()
        port = silent.getsockname()[1]
        ok, words = probe(get(port), seconds=0.05)
    assert not ok
    assert words == f'Get "http://{HERE}:{port}/up": context deadline exceeded'


def test_commands_pass_with_exit_code_0() -> None:
    assert probe({"exec": {"command": ["0", "fine"]}})[0]
    assert probe({"exec": {"command": ["3", "broken"]}}) == (False, "broken")
    late = probe({"exec": {"command": [str(TIMED_OUT), "partial"]}}, seconds=2)
    assert late == (False, f'command timed out: "{TIMED_OUT} partial" timed out after 2s')


@pytest.mark.parametrize("port", [None, -1, 70_000, 10**30, "²", "9" * 5000])
@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket"])
def test_no_port_is_a_failure_and_no_crash(kind: str, port: int | str | None) -> None:
    ok, words = probe({kind: {} if port is None else {"port": port}})
    assert not ok
    assert words


def test_an_empty_header_is_sent_empty() -> None:
    headers = [{"name": "X-Empty"}]
    told = against(
        b"HTTP/1.1 200 OK\r\n\r\n", lambda port: {"httpGet": {"port": port, "httpHeaders": headers}}
    )
    assert told[0]


def test_an_unknown_kind_of_probe_fails_and_says_so() -> None:
    ok, words = probe({"grpc": {"port": 1}})
    assert not ok
    assert "not supported" in words
