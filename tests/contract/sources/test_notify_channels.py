"""Channels against servers of this test that take and refuse what the real ones do.

Mocks, and labelled so: Slack, Teams and PagerDuty cannot run here. They check what their documents say of
fields, sizes and answers. The mail server is a real one (aiosmtpd).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from maestro_cli.config.channels import Bell, Channel, CloudEvents, Email, PagerDuty, Slack, Teams
from maestro_cli.core.facts.web import WebAnswer, WebRequest
from maestro_cli.journal.messages import Attempt, Delivery, Outcome, Standing
from maestro_cli.journal.outbox import LEASE_MARGIN_SECONDS
from maestro_cli.local.certificates import ensure_pki
from maestro_cli.sources.notify.channels import Channels
from maestro_cli.sources.notify.mail import LETTER_SECONDS, post
from maestro_cli.sources.web import Web

HOSTILE = '<!channel> [x](http://evil) *b* `c` & \u2603 \U0001f525 "q" \\ ' * 120
TEXT = {"text": "sev2 #7 fraud: opened", "moment": "opened", "severity": "sev2", "title": "fraud"}
MORE = {
    "state": "detected",
    "owner": "ana <@U1>",
    "workload": "ml/deploy/fraud",
}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


def a_message(**content: str) -> Delivery:
    said = {**TEXT, **MORE, "at": "2026-11-23T09:00:00Z", **content}
    return Delivery(
        "msg-1", "notify/x/1", "channel:x", "webhook", said, "inc-1", 30.0, "watch",
        Standing.WAITING, 0, "", "2026-11-23T09:00:01Z", "", "",
    )  # fmt: skip


Judge = Callable[[bytes, dict[str, str]], tuple[int, dict[str, str], bytes]]


class Service(ThreadingHTTPServer):
    """A mock: answers what its judge says, and keeps what it took."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.taken: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        service = cast(Service, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, more, answer = service.judge(body, headers)
        if status < 300:
            service.taken.append((self.path, json.loads(body), headers))
        self.send_response(status)
        for name, value in {**more, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def serve() -> Iterator[Callable[[Judge], Service]]:
    services: list[tuple[Service, threading.Thread]] = []

    def start(judge: Judge) -> Service:
        service = Service(judge)
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        services.append((service, thread))
        return service

    yield start
    for service, thread in services:
        service.shutdown()
        thread.join()
        service.server_close()


def send(channel: Channel, message: Delivery) -> Attempt:
    return Channels(Web(), {"x": channel}, clock=FixedClock()).send(message)


def slack_judge(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """As incoming webhooks do: 400 invalid_payload, invalid_blocks; `ok` otherwise."""
    data = json.loads(body)
    blocks = data.get("blocks", [])
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    if headers["content-type"] != "application/json" or not data.get("text"):
        return 400, {}, b"no_text"
    if len(blocks) > 50 or any(not 0 < len(text) <= 3000 for text in texts) or sum(map(len, texts)) > 13_200:
        return 400, {}, b"invalid_blocks"
    return 200, {}, b"ok"


def test_slack_takes_the_longest_and_most_hostile_text(
    serve: Callable[[Judge], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(slack_judge)
    monkeypatch.setenv("CHAT", f"{service.url}/services/T0/B0/secret-part")
    for text in ("sev2 #7", HOSTILE, "&" * 12_000, "\U0001f525" * 12_000, ""):
        attempt = send(Slack("env:CHAT"), a_message(text=text))
        assert attempt.outcome is (Outcome.REFUSED if text == "" else Outcome.DELIVERED), attempt.reason
    path, data, _ = service.taken[1]
    assert path == "/services/T0/B0/secret-part"
    shown = json.dumps(data)
    for markup in ("<!channel>", "<@U1>", "`", "*b*"):
        assert markup not in shown
    parts = [block["text"]["text"] for block in service.taken[2][1]["blocks"] if block["type"] == "section"]
    assert all(part.replace("&amp;", "") in ("", "&", "&a", "&am", "&amp") for part in parts[-1:])
    assert all(part.replace("&amp;", "") == "" for part in parts[:-1])


@pytest.mark.parametrize(
    ("status", "more", "outcome", "asked"),
    [
        (429, {"Retry-After": "30"}, Outcome.LATER, 30.0),
        (500, {}, Outcome.LATER, 0.0),
        (404, {}, Outcome.REFUSED, 0.0),
        (410, {}, Outcome.REFUSED, 0.0),
    ],
    ids=["too-many", "down", "no-service", "archived"],
)
def test_what_slack_answers_decides(
    serve: Callable[[Judge], Service],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    more: dict[str, str],
    outcome: Outcome,
    asked: float,
) -> None:
    service = serve(lambda body, headers: (status, more, b"no"))
    monkeypatch.setenv("CHAT", f"{service.url}/services/T0/B0/secret-part")
    attempt = send(Slack("env:CHAT"), a_message())
    assert (attempt.outcome, attempt.asked_seconds) == (outcome, asked)
    assert "secret-part" not in attempt.reason


def teams_judge(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """As workflows do: 413 above 28 KB, 400 for what is no card, 202 otherwise."""
    if len(body) > 28 * 1024:
        return 413, {}, b""
    data = json.loads(body)
    (attachment,) = data["attachments"]
    card = attachment["content"]
    whole = (
        data["type"] == "message"
        and attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        and (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    )
    return (202, {}, b"") if whole else (400, {}, b"")


def test_teams_takes_the_longest_and_most_hostile_text(
    serve: Callable[[Judge], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(teams_judge)
    monkeypatch.setenv("TEAMS", f"{service.url}/workflows/1?sig=secret-part")
    long = {"title": "\U0001f525" * 300, "owner": "[x](y)" * 100, "workload": "\U0001f525" * 300}
    for text in ("sev2 #7", HOSTILE, "\U0001f525" * 12_000, "*" * 12_000, "\x01" * 12_000):
        assert send(Teams("env:TEAMS"), a_message(text=text, **long)).outcome is Outcome.DELIVERED
    body, facts = service.taken[1][1]["attachments"][0]["content"]["body"]
    assert "[x](http" not in body["text"]
    assert "\\[x\\]\\(http" in body["text"]
    assert {one["title"] for one in facts["facts"]} == {"severity", "state", "owner", "workload"}


def pagerduty_judge(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """As the Events API v2 does: 400 for what its document forbids, 202 otherwise."""
    data = json.loads(body)
    if len(body) > 512 * 1024 or len(data["routing_key"]) != 32 or len(data["dedup_key"]) > 255:
        return 400, {}, b""
    if data["event_action"] not in ("trigger", "acknowledge", "resolve"):
        return 400, {}, b""
    if data["event_action"] == "trigger":
        payload = data["payload"]
        fits = 0 < len(payload["summary"]) <= 1024 and payload["source"]
        if not fits or payload["severity"] not in ("critical", "error", "warning", "info"):
            return 400, {}, b""
        datetime.fromisoformat(payload["timestamp"])
    return 202, {}, b'{"status":"success"}'


def test_an_incident_is_one_alert_of_pagerduty(
    serve: Callable[[Judge], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(pagerduty_judge)
    monkeypatch.setenv("PAGER", "0123456789abcdef0123456789abcdef")
    channel = PagerDuty("env:PAGER", service.url)
    for moment in ("opened", "acknowledged", "resolved", "severity-raised", "test"):
        text = "\U0001f525" * 4000
        assert send(channel, a_message(moment=moment, text=text)).outcome is Outcome.DELIVERED
    sent = [data for _, data, _ in service.taken]
    actions = [one["event_action"] for one in sent]
    assert actions == ["trigger", "acknowledge", "resolve", "trigger", "trigger"]
    assert {one["dedup_key"] for one in sent} == {"inc-1"}
    assert sent[0]["payload"]["severity"] == "error"
    assert {path for path, _, _ in service.taken} == {"/v2/enqueue"}
    assert send(channel, a_message(moment="opened", severity="no such")).outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    "secret", ["any text", "whsec_c2VjcmV0LWtleS1vZi10aGUtaG9vaw=="], ids=["text", "whsec"]
)
def test_a_cloud_event_is_signed_as_standard_webhooks_are(
    serve: Callable[[Judge], Service], monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()

    def judge(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """As a taker of Standard Webhooks does: 401 for another signature or an old one."""
        said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        own = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        young = abs(int(headers["webhook-timestamp"]) - NOW.timestamp()) < 300
        return (204, {}, b"") if headers["webhook-signature"] == own and young else (401, {}, b"")

    service = serve(judge)
    monkeypatch.setenv("HOOK", f"{service.url}/take")
    monkeypatch.setenv("SIGN", secret)
    assert send(CloudEvents("env:HOOK", "env:SIGN"), a_message()).outcome is Outcome.DELIVERED
    _, event, headers = service.taken[0]
    assert headers["content-type"] == "application/cloudevents+json"
    assert (event["specversion"], event["type"]) == ("1.0", "dev.maestro.incident.opened")
    assert (event["id"], event["subject"], event["source"]) == ("notify/x/1", "inc-1", "urn:maestro")
    assert event["data"]["title"] == "fraud"
    monkeypatch.setenv("SIGN", "another")
    assert send(CloudEvents("env:HOOK", "env:SIGN"), a_message()).outcome is Outcome.REFUSED
    for broken in ("whsec_no base64!", "whsec_c2Vj-mV0_GtleS1vZi10aGUtaG9vaw"):
        monkeypatch.setenv("SIGN", broken)
        refused = send(CloudEvents("env:HOOK", "env:SIGN"), a_message())
        assert (refused.outcome, "holds is no key" in refused.reason) == (Outcome.REFUSED, True)
        assert broken not in refused.reason


class Mailbox:
    """What a mail server does with a letter: keeps it, or answers `code`."""

    def __init__(self) -> None:
        self.code = ""
        self.goodbye = "221 bye"
        self.strangers: dict[str, str] = {}
        self.asked: Callable[[], None] = lambda: None
        self.letters: list[tuple[list[str], bytes, bool]] = []

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.goodbye

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked()
        if address in self.strangers:
            return self.strangers[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.code:
            return f"{self.code} no"
        content = envelope.content
        assert isinstance(content, bytes)
        self.letters.append((list(envelope.rcpt_tos), content, session.ssl is not None))
        return "250 taken"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@contextmanager
def mail_server(mailbox: Mailbox, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A mail server on a port that the system chooses; its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def made() -> SMTP:
        return SMTP(mailbox, loop=loop, tls_context=tls, require_starttls=tls is not None)

    async def begin() -> asyncio.Server:
        return await loop.create_server(made, "127.0.0.1", 0)

    async def end(server: asyncio.Server) -> None:
        server.close()
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result(60)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def plain_server(mailbox: Mailbox) -> Iterator[str]:
    with mail_server(mailbox) as address:
        yield address


def test_mail_is_one_thread_an_incident_and_no_title_becomes_a_header(
    mailbox: Mailbox, plain_server: str
) -> None:
    channel = Email(
        plain_server, "maestro@example.com", ["ops@example.com", "b@example.com"], security="none"
    )
    text = "sev2 #7 fraud\r\nBcc: evil@example.com\r\n\r\nbody \u2603"
    assert send(channel, a_message(text=text)).outcome is Outcome.DELIVERED
    recipients, content, _ = mailbox.letters[0]
    mail = message_from_bytes(content, policy=default)
    assert recipients == ["ops@example.com", "b@example.com"]
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("sev2 #7 fraud Bcc: evil@example.com")
    assert (mail["Message-ID"], mail["References"]) == ("<msg-1@example.com>", "<inc-1@example.com>")
    body = mail.get_body()
    assert body is not None
    assert "owner: ana <@U1>" in body.get_content()


@pytest.mark.parametrize(
    ("code", "outcome"), [("451", Outcome.LATER), ("552", Outcome.REFUSED)], ids=["later", "refused"]
)
def test_what_the_mail_server_answers_decides(
    mailbox: Mailbox, plain_server: str, code: str, outcome: Outcome
) -> None:
    mailbox.code = code
    channel = Email(plain_server, "maestro@example.com", ["ops@example.com"], security="none")
    attempt = send(channel, a_message())
    assert (attempt.outcome, code in attempt.reason) == (outcome, True)


def test_a_letter_that_was_taken_is_delivered_however_the_server_says_goodbye(
    mailbox: Mailbox, plain_server: str
) -> None:
    mailbox.goodbye = "421 too busy"
    channel = Email(plain_server, "maestro@example.com", ["ops@example.com"], security="none")
    assert send(channel, a_message()).outcome is Outcome.DELIVERED
    assert len(mailbox.letters) == 1


def test_recipients_that_were_left_out_are_told_with_what_the_server_answered(
    mailbox: Mailbox, plain_server: str
) -> None:
    mailbox.strangers = {"b@example.com": "451 later"}
    channel = Email(plain_server, "m@example.com", ["ops@example.com", "b@example.com"], security="none")
    attempt = send(channel, a_message())
    assert attempt == Attempt(Outcome.DELIVERED, "delivered, but never to 1 of 2 recipients: 451")


def test_a_server_that_takes_long_for_each_exchange_gets_no_letter_after_the_channel_is_free_again(
    mailbox: Mailbox, plain_server: str
) -> None:
    passed = [0.0]

    def slow() -> None:
        passed[0] += 4.0

    mailbox.asked = slow
    recipients = [f"r{number}@example.com" for number in range(50)]
    channel = Email(plain_server, "m@example.com", recipients, security="none")
    attempt = post(a_message(), channel, None, lambda: passed[0])
    assert attempt == Attempt(Outcome.LATER, "the mail server does not answer: TimeoutError")
    assert mailbox.letters == []
    assert LETTER_SECONDS < LEASE_MARGIN_SECONDS


def test_a_mail_server_that_cannot_encrypt_is_told_nothing(mailbox: Mailbox, plain_server: str) -> None:
    channel = Email(plain_server, "maestro@example.com", ["ops@example.com"])
    assert send(channel, a_message()).outcome is Outcome.REFUSED
    assert mailbox.letters == []


def test_mail_is_encrypted_by_a_server_that_is_trusted_and_by_no_other(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    pki = ensure_pki(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    with mail_server(mailbox, context) as address:
        trusting = Email(address, "m@example.com", ["ops@example.com"], ca_file=str(pki.ca))
        assert send(trusting, a_message()).outcome is Outcome.DELIVERED
        assert [encrypted for _, _, encrypted in mailbox.letters] == [True]
        other = Email(address, "m@example.com", ["ops@example.com"])
        refused = send(other, a_message())
        assert (refused.outcome, "cannot be trusted" in refused.reason) == (Outcome.LATER, True)
        assert len(mailbox.letters) == 1


def test_a_mail_server_that_is_not_there_is_for_later() -> None:
    channel = Email("127.0.0.1:1", "m@example.com", ["ops@example.com"], security="tls")
    assert send(channel, a_message()).outcome is Outcome.LATER


def test_a_channel_that_the_context_lacks_or_whose_secret_is_elsewhere_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHAT", raising=False)
    assert send(Slack("env:CHAT"), a_message()).outcome is Outcome.ELSEWHERE
    assert Channels(Web(), {}).send(a_message()).outcome is Outcome.ELSEWHERE


def test_a_defect_is_for_later_and_shows_nothing_of_a_secret() -> None:
    class Broken:
        def send(self, request: WebRequest) -> WebAnswer:
            raise RuntimeError("hunter2")

    key = "0123456789abcdef0123456789abcdef"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGER", key)
        attempt = Channels(Broken(), {"x": PagerDuty("env:PAGER")}).send(a_message())
    assert attempt == Attempt(Outcome.LATER, "internal error: RuntimeError")


def test_a_mail_server_whose_name_cannot_be_one_is_for_later() -> None:
    channel = Email("mail..example.com:25", "m@example.com", ["ops@example.com"], security="none")
    assert send(channel, a_message()).outcome is Outcome.LATER


@pytest.mark.parametrize(
    ("queued", "terminal", "outcome", "rings"),
    [
        ("2026-11-23T08:59:30Z", True, Outcome.DELIVERED, 1),
        ("2026-11-23T08:59:30Z", False, Outcome.ELSEWHERE, 1),
        ("2026-11-23T08:58:30Z", True, Outcome.DELIVERED, 0),
        ("2026-11-23T08:58:30Z", False, Outcome.DELIVERED, 0),
    ],
    ids=["now", "no-terminal", "late", "late-and-no-terminal"],
)
def test_a_bell_rings_at_once_or_never(queued: str, terminal: bool, outcome: Outcome, rings: int) -> None:
    rung: list[bool] = []

    def ring() -> bool:
        rung.append(terminal)
        return terminal

    message = replace(a_message(), queued_at=queued)
    attempt = Channels(Web(), {"x": Bell()}, clock=FixedClock(), ring=ring).send(message)
    assert (attempt.outcome, len(rung)) == (outcome, rings)
