"""Requests of runbooks, to servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from maestro_cli.core.errors import OutcomeUnknown, Unreachable
from maestro_cli.core.facts.web import WebRequest
from maestro_cli.runbooks.ports import WebPort
from maestro_cli.sources.web import MAX_BODY_BYTES, Web
from tests.unit.sources.conftest import ScriptedServer

Start = Callable[[bytes | Callable[[], Iterator[bytes]]], ScriptedServer]
WEB: WebPort = Web()


def redirect(where: str, status: str = "302 Found") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nLocation: {where}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )


def test_a_request_arrives_with_its_query_headers_and_content(scripted: Start) -> None:
    server = scripted(b"HTTP/1.1 204 No Content\r\n\r\n")
    request = WebRequest(
        "POST", f"{server.url}/a%2Fb?q=1", {"x-one": "1", "Content-Type": "text/plain"}, b"hi"
    )
    assert WEB.send(request).status == 204
    head = server.requests[0]
    assert head.startswith(b"POST /a%2Fb?q=1 HTTP/1.1\r\n")
    assert b"x-one: 1\r\n" in head
    assert b"Content-Type: text/plain\r\n" in head
    assert b"Content-Length: 2\r\n" in head


def test_a_redirect_to_another_host_is_not_followed(scripted: Start) -> None:
    other = scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    for where in (other.url, "//127.0.0.2/", "https://127.0.0.1/", "file:///etc/passwd"):
        server = scripted(redirect(where))
        with pytest.raises(Unreachable) as caught:
            WEB.send(WebRequest("GET", f"{server.url}/"))
        assert "redirects to another host" in f"{caught.value.what} {caught.value.why}"
    assert other.requests == []


def test_a_redirect_within_the_host_is_followed_but_not_for_ever(scripted: Start) -> None:
    parts = iter([redirect("/there")])
    server = scripted(lambda: iter([next(parts, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")]))
    assert WEB.send(WebRequest("GET", f"{server.url}/")).body == b"well"
    assert [request.split()[1] for request in server.requests] == [b"/", b"/there"]
    circle = scripted(redirect("/"))
    with pytest.raises(Unreachable):
        WEB.send(WebRequest("GET", f"{circle.url}/"))
    assert len(circle.requests) == 6


def test_a_write_is_never_redirected(scripted: Start) -> None:
    server = scripted(redirect("/there", "307 Temporary Redirect"))
    assert WEB.send(WebRequest("POST", f"{server.url}/")).status == 307
    assert len(server.requests) == 1


def test_a_long_answer_is_cut(scripted: Start) -> None:
    length = 4 * MAX_BODY_BYTES
    server = scripted(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + b"x" * length)
    answer = WEB.send(WebRequest("GET", f"{server.url}/"))
    assert (len(answer.body), answer.is_cut) == (MAX_BODY_BYTES, True)


def test_a_silent_server_ends_in_time_and_a_write_to_it_is_unknown(blackhole: int) -> None:
    for method, error in (("GET", Unreachable), ("POST", OutcomeUnknown)):
        with pytest.raises(error):
            WEB.send(WebRequest(method, f"http://127.0.0.1:{blackhole}/", timeout_seconds=0.3))


def test_a_server_that_is_not_there_did_not_get_the_write(closed_port: int) -> None:
    with pytest.raises(Unreachable) as caught:
        WEB.send(WebRequest("POST", f"http://127.0.0.1:{closed_port}/"))
    assert not isinstance(caught.value, OutcomeUnknown)
