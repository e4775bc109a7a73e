"""Webhook messages as Alertmanager writes them, and as nobody should; the receiver over real sockets."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.errors import Busy, InvalidFile, Unreachable
from maestro_cli.core.facts.alerts import WebhookMessage, fingerprint_of
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources import webhook_receiver
from maestro_cli.sources.alertmanager import parse_webhook
from maestro_cli.sources.webhook_receiver import (
    MAX_BODY_BYTES,
    WebhookReceiver,
    basic,
    bearer,
    shared_secret,
)
from tests.patience import PATIENCE_SECONDS

TOKEN = "a-test-token"
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "ErrorBudgetBurn", "severity": "page\x1b[31m"},
    "annotations": {"summary": "burning"},
    "startsAt": "2026-01-01T10:00:00.123456789+02:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c0ffee",
}
MESSAGE: dict[str, Any] = {
    "version": "4", "groupKey": '{}:{alertname="x"}', "truncatedAlerts": 2, "status": "firing",
    "receiver": "maestro", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "",
    "notification_reason": "new in 0.32",
    "alerts": [ALERT, {**ALERT, "status": "resolved", "fingerprint": ""}],
}  # fmt: skip


def encoded(**changes: Any) -> bytes:
    return json.dumps({**MESSAGE, **changes}).encode()


def test_a_message_keeps_fingerprints_and_trusts_status_alone() -> None:
    message = parse_webhook(encoded())
    assert (message.truncated, message.group_key, message.status) == (2, '{}:{alertname="x"}', "firing")
    first, second = message.alerts
    assert (first.fingerprint, first.firing, second.firing) == ("c0ffee", True, False)
    assert second.fingerprint == fingerprint_of(ALERT["labels"])
    assert first.ends_at is None
    assert first.starts_at.isoformat() == "2026-01-01T08:00:00.123457+00:00"
    assert isinstance(first.labels["severity"], Untrusted)
    assert first.source == "alertmanager-webhook"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"[" * 50_000, "webhook message"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "webhook message"),
        (b"{}", "alerts"),
        (encoded(alerts=None), "alerts"),
        (encoded(alerts=[{**ALERT, "labels": {"a": 1}}]), "alerts[0].labels"),
        (encoded(alerts=[ALERT, {**ALERT, "startsAt": "noon"}]), "startsAt"),
        (encoded(alerts=[{**ALERT, "status": "maybe\x1b[2J"}]), "alerts[0].status"),
        (encoded(version="3"), "version"),
        (encoded(truncatedAlerts="many"), "truncatedAlerts"),
    ],
)
def test_a_bad_message_is_refused_with_the_key(body: bytes, words: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_webhook(body)
    assert words in caught.value.what
    assert "\x1b" not in caught.value.what


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with pytest.raises(InvalidFile):
        parse_webhook(body)


class Sink:
    """Keeps messages; `fail` makes it raise that instead."""

    def __init__(self) -> None:
        self.messages: list[WebhookMessage] = []
        self.fail: BaseException | None = None
        self.errors: list[BaseException] = []

    def __call__(self, message: WebhookMessage) -> None:
        if self.fail is not None:
            raise self.fail
        self.messages.append(message)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def receiver(sink: Sink) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(TOKEN, sink, on_error=sink.errors.append) as running:
        yield running


@pytest.fixture
def client(receiver: WebhookReceiver) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(headers=headers, timeout=10, trust_env=False) as client:
        yield client


def test_a_message_is_stored_before_it_is_answered(
    receiver: WebhookReceiver, client: httpx.Client, sink: Sink
) -> None:
    for count in (1, 2):  # the second on the same connection
        assert client.post(receiver.url, content=encoded()).status_code == 200
        assert len(sink.messages) == count
    assert client.get(receiver.url.replace("/webhook/alertmanager", "/healthz")).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer", TOKEN, "Basic x", "Bearer ä"])
def test_without_the_token_nothing_is_read(
    authorization: str, receiver: WebhookReceiver, client: httpx.Client, sink: Sink
) -> None:
    headers = {b"Authorization": authorization.encode("latin-1")}
    answer = client.post(receiver.url, content=encoded(), headers=headers)
    assert answer.status_code == 401
    assert sink.messages == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": "Basic b3BzOnDDpHNz"}, 200),  # ops:päss
        ({"X-Maestro-Secret": "shared"}, 200),
        ({"Authorization": "Bearer wrong", "X-Maestro-Secret": "shared"}, 200),
        ({"Authorization": "Basic b3BzOm5v"}, 401),
        ({"Authorization": "Bearer shared"}, 401),
        ({"X-Maestro-Secret": TOKEN}, 401),
        ({"X-Maestro-Secret": ""}, 401),
        ({}, 401),
    ],
)
def test_one_right_proof_is_enough_and_none_proves_for_another(
    headers: dict[str, str], status: int, sink: Sink
) -> None:
    proofs = (bearer(TOKEN), basic("ops", "päss"), shared_secret("shared"))
    assert not any("shared" in repr(proof) for proof in proofs)
    with WebhookReceiver(proofs, sink) as running:
        answer = httpx.post(running.url, content=encoded(), headers=headers, trust_env=False, timeout=60)
    assert (answer.status_code, len(sink.messages)) == (status, int(status == 200))


def test_wrong_requests_are_told_so(receiver: WebhookReceiver, client: httpx.Client, sink: Sink) -> None:
    url = receiver.url
    assert client.get(url).status_code == 405
    assert client.put(url, content=b"x").status_code == 405
    assert client.post(url + "/more", content=encoded()).status_code == 404
    assert client.get(url + "/more").status_code == 404
    answer = client.post(url, content=b"{}")
    assert answer.status_code == 400
    assert "alerts" in answer.json()["message"]
    assert client.post(url, content=iter([b"{}"])).status_code == 411
    assert sink.messages == []


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, 10**30, -1, "٣"])
def test_a_giant_body_is_refused_before_it_is_read(length: object, receiver: WebhookReceiver) -> None:
    lines = [
        "POST /webhook/alertmanager HTTP/1.1",
        f"Authorization: Bearer {TOKEN}",
        f"Content-Length: {length}",
    ]
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = connection.makefile("rb").readline()
    assert answer.split()[1] in (b"413", b"411")


@pytest.mark.parametrize(("token", "status"), [(TOKEN, b"413"), ("wrong", b"401")], ids=["giant", "unproven"])
def test_who_sends_a_whole_giant_body_first_still_reads_the_refusal(
    token: str, status: bytes, receiver: WebhookReceiver, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_receiver, "LINGER_SECONDS", PATIENCE_SECONDS)
    length = 4 * MAX_BODY_BYTES  # more than the buffers between both hold
    lines = (
        "POST /webhook/alertmanager HTTP/1.1", f"Authorization: Bearer {token}", f"Content-Length: {length}"
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.sendall(b"x" * length)
        answer = connection.makefile("rb").read()
    assert answer.split()[1] == status
    assert sink.messages == []


@pytest.mark.parametrize(
    "error", [Busy("locked"), sqlite3.OperationalError("disk full"), ZeroDivisionError()]
)
def test_a_message_that_cannot_be_stored_is_sent_again(
    error: BaseException, receiver: WebhookReceiver, client: httpx.Client, sink: Sink,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    sink.fail = error
    assert client.post(receiver.url, content=encoded()).status_code == 500
    sink.fail = None
    assert client.post(receiver.url, content=encoded()).status_code == 200
    assert sink.errors == [error]
    assert capfd.readouterr().err == ""


def test_many_senders_at_once(receiver: WebhookReceiver, client: httpx.Client, sink: Sink) -> None:
    statuses: list[int] = []

    def send() -> None:
        statuses.append(client.post(receiver.url, content=encoded()).status_code)

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50
    assert len(sink.messages) == 50


def test_stop_frees_the_port_and_a_taken_port_is_named(sink: Sink) -> None:
    first = WebhookReceiver(TOKEN, sink).start()
    with pytest.raises(Unreachable, match=f"cannot listen on 127.0.0.1:{first.port}"):
        WebhookReceiver(TOKEN, sink, port=first.port)
    first.stop()
    first.stop()
    WebhookReceiver(TOKEN, sink, port=first.port).stop()
    with pytest.raises(ValueError, match="token"):
        WebhookReceiver("", sink)
    for proofs in ([], [bearer(TOKEN), shared_secret("")]):
        with pytest.raises(ValueError, match="token"):
            WebhookReceiver(proofs, sink)


def test_stop_lets_a_message_that_is_being_stored_finish() -> None:
    entered, leave, stored = threading.Event(), threading.Event(), list[WebhookMessage]()

    def slowly(message: WebhookMessage) -> None:
        entered.set()
        leave.wait(60)
        stored.append(message)

    receiver = WebhookReceiver(TOKEN, slowly).start()
    headers, statuses = {"Authorization": f"Bearer {TOKEN}"}, list[int]()

    def send() -> None:
        answer = httpx.post(receiver.url, content=encoded(), headers=headers, trust_env=False, timeout=60)
        statuses.append(answer.status_code)

    sender, stopper = threading.Thread(target=send), threading.Thread(target=receiver.stop)
    sender.start()
    assert entered.wait(60)
    stopper.start()
    stopper.join(0.3)
    assert stopper.is_alive()  # it waits for the message
    leave.set()
    stopper.join(60)
    sender.join(60)
    assert len(stored) == 1
    assert statuses == [200]


def test_silent_connections_do_not_hold_up_stop(sink: Sink) -> None:
    receiver = WebhookReceiver(TOKEN, sink).start()
    silent = [socket.create_connection(("127.0.0.1", receiver.port)) for _ in range(40)]
    try:
        stopper = threading.Thread(target=receiver.stop)
        stopper.start()
        stopper.join(60)
        assert not stopper.is_alive()
    finally:
        for connection in silent:
            connection.close()
