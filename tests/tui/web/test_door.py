"""Whom the door of a served console lets in."""

from __future__ import annotations

import pytest

from maestro_cli.tui.web.door import Door

HERE = "127.0.0.1:4711"


@pytest.fixture
def door() -> Door:
    return Door(4711)


def test_the_ticket_is_exchanged_once(door: Door) -> None:
    session = door.exchange(door.ticket)
    assert session is not None
    assert door.knows(session)
    assert door.exchange(door.ticket) is None
    assert door.knows(session)


@pytest.mark.parametrize("guess", ["", "x", "\udcff", "é"], ids=["nothing", "short", "surrogate", "accent"])
def test_a_guess_is_neither_ticket_nor_session_and_uses_nothing_up(door: Door, guess: str) -> None:
    assert door.exchange(guess) is None
    assert not door.knows(guess)
    assert door.exchange(door.ticket) is not None
    assert not door.knows(guess)


def test_the_ticket_is_not_the_session(door: Door) -> None:
    assert door.exchange(door.ticket) != door.ticket
    assert not door.knows(door.ticket)


def test_two_doors_share_no_secret() -> None:
    first, second = Door(1), Door(1)
    assert first.ticket != second.ticket
    assert first.exchange(first.ticket) != second.exchange(second.ticket)


@pytest.mark.parametrize("host", [HERE, "localhost:4711", "LOCALHOST:4711"])
def test_a_name_of_this_machine_is_welcome(door: Door, host: str) -> None:
    assert door.objection([host], [], is_socket=False) == ""
    assert door.objection([host], [f"http://{host.lower()}"], is_socket=True) == ""


def test_no_port_is_named_where_it_is_the_usual_one() -> None:
    assert Door(80).objection(["localhost"], [], is_socket=False) == ""


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("",),
        ("127.0.0.1",),
        ("127.0.0.1:4712",),
        ("evil.example:4711",),
        ("127.0.0.1.evil.example:4711",),
        (HERE, HERE),
    ],
    ids=["none", "empty", "no-port", "other-port", "other-name", "name-like-it", "two"],
)
def test_another_host_is_refused(door: Door, hosts: tuple[str, ...]) -> None:
    assert door.objection(hosts, [], is_socket=False) == "the host is not this machine"


@pytest.mark.parametrize(
    "origins",
    [
        (),
        ("null",),
        ("http://evil.example",),
        ("https://127.0.0.1:4711",),
        ("http://localhost:4711",),
        (f"http://{HERE}", "http://evil.example"),
    ],
    ids=["none", "null", "other", "https", "other-name", "two"],
)
def test_a_socket_of_another_page_is_refused(door: Door, origins: tuple[str, ...]) -> None:
    assert door.objection([HERE], origins, is_socket=True) == "the origin is another page"
