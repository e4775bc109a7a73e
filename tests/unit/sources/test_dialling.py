"""A name with dead addresses, a look-up that hangs and a trickling answer take no longer than was given."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.config.channels import Email
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.facts.web import WebRequest
from maestro_cli.journal.messages import Attempt, Delivery, Outcome, Standing
from maestro_cli.sources.notify import mail
from maestro_cli.sources.notify.dialling import Cut, dial
from maestro_cli.sources.web import Web
from tests.patience import PATIENCE_SECONDS


class Lines:
    """Sockets of a network on which time passes only while one connects; `alive` answer at once."""

    def __init__(self, *alive: str) -> None:
        self.alive, self.now = alive, 0.0
        self.tried: list[tuple[str, float]] = []
        self.closed = 0

    def monotonic(self) -> float:
        return self.now

    def __call__(self, *kind: Any) -> Any:
        lines = self

        class Line:
            def settimeout(self, seconds: float) -> None:
                self.seconds = seconds

            def connect(self, address: tuple[str, int]) -> None:
                lines.tried.append((address[0], self.seconds))
                if address[0] not in lines.alive:
                    lines.now += self.seconds
                    raise TimeoutError(f"{address[0]} is dead")

            def close(self) -> None:
                lines.closed += 1

        return Line()


def addresses(*names: str) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, 25)) for name in names]


def dialled(lines: Lines, *names: str) -> socket.socket:
    return dial(
        "mail.example.com", 25, 6.0,
        look_up=lambda *_, **__: addresses(*names), opened=lines, monotonic=lines.monotonic,
    )  # fmt: skip


def test_all_dead_addresses_together_have_the_time_of_one() -> None:
    lines = Lines()
    with pytest.raises(TimeoutError, match="c is dead"):
        dialled(lines, "a", "b", "c")
    assert lines.tried == [("a", 2.0), ("b", 2.0), ("c", 2.0)]
    assert (lines.now, lines.closed) == (6.0, 3)


def test_one_that_answers_is_reached_behind_dead_ones() -> None:
    lines = Lines("c")
    assert dialled(lines, "a", "b", "c") is not None
    assert lines.tried == [("a", 2.0), ("b", 2.0), ("c", 2.0)]
    assert lines.closed == 2


def test_what_an_address_leaves_over_is_for_the_others() -> None:
    lines = Lines("a")
    assert dialled(lines, "a", "b") is not None
    assert lines.tried == [("a", 3.0)]


def test_a_name_without_an_address_is_no_answer() -> None:
    with pytest.raises(TimeoutError):
        dialled(Lines())
    with pytest.raises(OSError, match="no host has such a name"):
        dial("mail..example.com", 25, 6.0)


def test_a_look_up_that_hangs_is_waited_for_no_longer_than_that() -> None:
    over = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            dial("mail.example.com", 25, 0.05, look_up=lambda *_, **__: [(over.wait(PATIENCE_SECONDS),)])
    finally:
        over.set()


@pytest.fixture
def trickling() -> Iterator[int]:
    """The port of a server that begins an answer and never ends it."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                line, _ = listening.accept()
                with line:
                    while not over.wait(0.02):
                        line.sendall(b"2")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
    thread.join(PATIENCE_SECONDS)


def test_a_cut_ends_what_is_awaited(trickling: int) -> None:
    line = socket.create_connection(("127.0.0.1", trickling), timeout=PATIENCE_SECONDS)
    with line, Cut(0.05) as cut:
        cut.hold(line)
        while line.recv(1024):  # without the cut for ever
            pass


def test_a_connection_that_is_made_after_its_time_is_ended_at_once(trickling: int) -> None:
    with Cut(0.0) as cut:
        cut._timer.join(PATIENCE_SECONDS)
        with socket.create_connection(("127.0.0.1", trickling), timeout=PATIENCE_SECONDS) as line:
            cut.hold(line)
            while line.recv(1024):
                pass


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_whose_answer_trickles_holds_up_nobody_for_longer(
    trickling: int, security: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "LETTER_SECONDS", 0.1)
    message = Delivery(
        "msg-1", "notify/x/1", "channel:x", "webhook", {"text": "x"}, "inc-1", 0.2, "watch",
        Standing.WAITING, 0, "", "2026-11-23T09:00:01Z", "", "",
    )  # fmt: skip
    channel = Email(f"127.0.0.1:{trickling}", "m@example.com", ["ops@example.com"], security=security)
    found: list[Attempt] = []
    posting = threading.Thread(target=lambda: found.append(mail.post(message, channel, None)), daemon=True)
    posting.start()
    posting.join(PATIENCE_SECONDS)
    assert [one.outcome for one in found] == [Outcome.LATER]


@pytest.mark.parametrize(
    ("family", "address", "said"),
    [
        (socket.AF_INET, ("192.0.2.7", 40000), "[192.0.2.7]"),
        (socket.AF_INET6, ("2001:db8::7", 40000, 0, 0), "[IPv6:2001:db8::7]"),
        (socket.AF_INET6, ("fe80::7%eth0", 40000, 0, 2), "[IPv6:fe80::7]"),
    ],
    ids=["v4", "v6", "v6-of-a-link"],
)
def test_a_mail_server_is_told_the_own_address_as_its_protocol_has_it(
    family: int, address: tuple[Any, ...], said: str
) -> None:
    line: Any = SimpleNamespace(family=family, getsockname=lambda: address)
    assert mail._literal(line) == said


def test_redirects_share_the_time_of_their_request(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [0.0]
    given: list[float] = []

    def ask(request: WebRequest, url: str, safe: bool, seconds: float) -> Any:
        given.append(seconds)
        passed[0] += 4.0

        class Redirect:
            status, headers, body = 302, {"location": "/again"}, b""

        return Redirect()

    monkeypatch.setattr("maestro_cli.sources.web._ask", ask)
    with pytest.raises(Unreachable) as caught:
        Web(lambda: passed[0]).send(WebRequest("GET", "http://127.0.0.1:1/", {}, b"", 10.0))
    assert given == [10.0, 6.0, 2.0]
    assert "until the time is over" in f"{caught.value.what} {caught.value.why}"
