"""Mail against a real mail server (aiosmtpd), which takes and refuses as the tests say."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Literal

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from maestro_cli.config.channels import Email
from maestro_cli.journal.messages import Attempt, Outcome
from maestro_cli.journal.outbox import LEASE_MARGIN_SECONDS
from maestro_cli.local.certificates import ensure_pki
from maestro_cli.sources.notify.mail import LETTER_SECONDS, post
from tests.contract.sources.notified import a_message, send

Security = Literal["starttls", "tls", "none"]


class Mailbox:
    """What a mail server does with a letter: keeps it, or answers `code`."""

    def __init__(self) -> None:
        self.code = ""
        self.goodbye = "221 bye"
        self.strangers: dict[str, str] = {}
        self.asked: Callable[[], None] = lambda: None
        self.letters: list[tuple[list[str], bytes, bool]] = []
        self.greeted: list[str | None] = []

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
        self.greeted.append(session.host_name)
        self.letters.append((list(envelope.rcpt_tos), content, session.ssl is not None))
        return "250 taken"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@contextmanager
def mail_server(
    mailbox: Mailbox, tls: ssl.SSLContext | None = None, *, begins: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A mail server on a port that the system chooses; its address. `begins`: encrypted from the start."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def made() -> SMTP:
        return SMTP(
            mailbox, hostname="localhost", loop=loop, tls_context=tls, require_starttls=tls is not None
        )

    async def begin() -> asyncio.Server:
        return await loop.create_server(made, "127.0.0.1", 0, ssl=begins)

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


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_is_greeted_by_the_own_address_and_no_name_of_this_machine_is_looked_up(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    looked_up: list[str] = []

    def getfqdn(name: str = "") -> str:
        looked_up.append(name)
        return "here.example.com"

    monkeypatch.setattr("smtplib.socket.getfqdn", getfqdn)
    pki = ensure_pki(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    later, first = (context if security == one else None for one in ("starttls", "tls"))
    with mail_server(mailbox, later, begins=first) as address:
        channel = Email(address, "m@example.com", ["o@example.com"], security=security, ca_file=str(pki.ca))
        assert send(channel, a_message()).outcome is Outcome.DELIVERED
    assert (mailbox.greeted, looked_up) == (["[127.0.0.1]"], [])


def test_a_mail_server_that_is_not_there_is_for_later() -> None:
    channel = Email("127.0.0.1:1", "m@example.com", ["ops@example.com"], security="tls")
    assert send(channel, a_message()).outcome is Outcome.LATER


def test_a_mail_server_whose_name_cannot_be_one_is_for_later() -> None:
    channel = Email("mail..example.com:25", "m@example.com", ["ops@example.com"], security="none")
    assert send(channel, a_message()).outcome is Outcome.LATER
