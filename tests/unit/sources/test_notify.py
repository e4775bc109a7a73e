"""What channels are sent, what their answers mean, and that no record shows their address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from maestro_cli.journal.messages import Attempt, Delivery, Outcome, Standing
from maestro_cli.journal.outbox import Sender
from maestro_cli.runbooks.steps.notify import lasting
from maestro_cli.sources.notify.channels import Channels, is_address, webhook
from maestro_cli.sources.web import Web
from tests.unit.sources.conftest import ScriptedServer

Start = Callable[[bytes | Callable[[], Iterator[bytes]]], ScriptedServer]
CHANNELS: Sender = Channels(Web())


def a_message(channel: str = "env:CHAT", form: str = "webhook", timeout_seconds: float = 5.0) -> Delivery:
    return Delivery(
        "msg-1", "run/r/tell", channel, form, {"text": "é <x>"}, "", timeout_seconds, "ada", Standing.WAITING,
        0, "", "", "", "",
    )  # fmt: skip


def sent_to(url: str, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    monkeypatch.setenv("CHAT", url)
    return CHANNELS.send(a_message())


def test_a_webhook_gets_the_text_and_the_key(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = webhook(a_message(), "https://chat.example/hooks?x=1")
    assert (sent.method, sent.url) == ("POST", "https://chat.example/hooks?x=1")
    assert sent.headers == {"Idempotency-Key": "run/r/tell"}
    assert json.loads(sent.body or b"") == {"text": "é <x>", "key": "run/r/tell"}
    server = scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert sent_to(f"{server.url}/hooks/T0?x=1", monkeypatch).outcome is Outcome.DELIVERED
    assert server.requests[0].startswith(b"POST /hooks/T0?x=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("status", "more", "outcome", "asked"),
    [
        ("204 No Content", "", Outcome.DELIVERED, 0.0),
        ("302 Found", "Location: https://127.0.0.1/\r\n", Outcome.REFUSED, 0.0),
        ("400 Bad Request", "", Outcome.REFUSED, 0.0),
        ("404 Not Found", "Retry-After: 9\r\n", Outcome.REFUSED, 0.0),
        ("408 Request Timeout", "", Outcome.LATER, 0.0),
        ("429 Too Many Requests", "Retry-After: 30\r\n", Outcome.LATER, 30.0),
        ("429 Too Many Requests", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", Outcome.LATER, 0.0),
        ("503 Service Unavailable", f"Retry-After: {'9' * 40}\r\n", Outcome.LATER, 0.0),
    ],
)
def test_an_answer_means_delivered_later_or_refused(
    scripted: Start,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    more: str,
    outcome: Outcome,
    asked: float,
) -> None:
    server = scripted(f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\n\r\n".encode())
    attempt = sent_to(server.url, monkeypatch)
    assert (attempt.outcome, attempt.asked_seconds) == (outcome, asked)


def test_nobody_there_is_for_later_and_names_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = sent_to("http://127.0.0.1:1/hooks/T0/abcdefgh?token=x", monkeypatch)
    assert attempt.outcome is Outcome.LATER
    assert "does not answer" in attempt.reason
    assert "hooks" not in attempt.reason
    assert "abcdefgh" not in attempt.reason


@pytest.mark.parametrize("address", ["not a url", "ftp://x/", "http://", "http://[", "https://x/\nHost: y"])
def test_what_is_no_address_is_refused_and_not_shown(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_address(address)
    attempt = sent_to(address, monkeypatch)
    assert attempt == Attempt(Outcome.REFUSED, "what env:CHAT holds is not an http or https URL")


def test_who_cannot_read_the_address_or_write_the_form_makes_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHAT", raising=False)
    assert CHANNELS.send(a_message()).outcome is Outcome.ELSEWHERE
    assert CHANNELS.send(a_message(form="pigeon")).outcome is Outcome.ELSEWHERE


def test_an_address_in_the_home_of_nobody_is_a_file_that_cannot_be_read() -> None:
    attempt = CHANNELS.send(a_message(lasting("file:~no-such-user-of-this-machine/chat")))
    assert attempt.outcome is Outcome.ELSEWHERE
    assert "the secret file ~no-such-user-of-this-machine/chat cannot be read" in attempt.reason
