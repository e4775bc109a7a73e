"""When a conversation in HTTP is over, and when nobody can tell."""

from __future__ import annotations

import pytest

from maestro_cli.local.balancer.conversation import Conversation

ASK = b"POST /v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


def test_it_is_over_before_the_first_request() -> None:
    assert Conversation().is_over


@pytest.mark.parametrize("answer", [OK, CHUNKED])
def test_it_is_over_only_when_the_last_byte_of_the_answer_has_passed(answer: bytes) -> None:
    talk = Conversation()
    for place in range(len(ASK)):
        talk.ask(ASK[place : place + 1])
        assert not talk.is_over
    for place in range(len(answer)):
        assert not talk.is_over
        talk.answer(answer[place : place + 1])
    assert talk.is_over
    assert not talk.says_goodbye


def test_it_goes_on_and_is_over_again() -> None:
    talk = Conversation()
    for _ in range(3):
        talk.ask(ASK)
        talk.answer(OK)
        assert talk.is_over


def test_two_requests_at_once_want_two_answers() -> None:
    talk = Conversation()
    talk.ask(ASK + ASK)
    talk.answer(OK)
    assert not talk.is_over
    talk.answer(OK)
    assert talk.is_over


def test_continue_is_no_answer() -> None:
    talk = Conversation()
    talk.ask(ASK)
    talk.answer(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert not talk.is_over
    talk.answer(OK)
    assert talk.is_over


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
     b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"],
)  # fmt: skip
def test_an_answer_may_say_goodbye(answer: bytes) -> None:
    talk = Conversation()
    talk.ask(ASK)
    talk.answer(answer)
    assert talk.says_goodbye


@pytest.mark.parametrize(
    "asked",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-OpenSSH\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
     b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["tls", "ssh", "upgrade", "head"],
)  # fmt: skip
def test_of_what_cannot_be_followed_it_is_never_said_that_it_is_over(asked: bytes) -> None:
    talk = Conversation()
    talk.ask(asked)
    talk.answer(OK)
    talk.answer(b"anything")
    assert not talk.is_over


def test_an_answer_that_ends_with_its_connection_is_not_over() -> None:
    talk = Conversation()
    talk.ask(ASK)
    talk.answer(b"HTTP/1.1 200 OK\r\n\r\nas long as it takes")
    assert not talk.is_over


def test_what_may_be_asked_again_is_the_whole_of_one_request_until_a_byte_of_its_answer() -> None:
    talk, request = Conversation(), ASK.replace(b"POST", b"PUT")
    for _ in range(2):
        talk.ask(request[:30])
        assert talk.to_repeat == b"", "nobody knows yet what it is"
        talk.ask(request[30:])
        assert talk.to_repeat == request
        talk.answer(OK[:1])
        assert talk.to_repeat == b""
        talk.answer(OK[1:])
        assert (talk.is_over, talk.to_repeat) == (True, b"")


@pytest.mark.parametrize(
    ("asked", "again"),
    [("GET", True), ("PUT", True), ("DELETE", True), ("OPTIONS", True), ("POST", False), ("PATCH", False),
     ("HEAD", False)],
)  # fmt: skip
def test_only_what_does_the_same_when_asked_twice_is_asked_again(asked: str, again: bool) -> None:
    talk = Conversation()
    talk.ask(ASK.replace(b"POST", asked.encode()))
    assert bool(talk.to_repeat) is again


def test_of_two_requests_at_once_and_of_a_long_one_nothing_is_asked_again() -> None:
    talk, request = Conversation(), ASK.replace(b"POST", b"PUT")
    talk.ask(request + request)
    assert talk.to_repeat == b""
    talk.answer(OK)
    assert talk.to_repeat == b""
    long = Conversation()
    long.ask(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + bytes(100000))
    assert long.to_repeat == b""
