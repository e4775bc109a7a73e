"""How a mail server is given a message.

Invariant: a line break in a title becomes no header; a server that must be encrypted is told nothing before
it is, and no password in the clear. What it answers decides as SMTP has it: 4xx is for later, 5xx is refused.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from maestro_cli.config.channels import Email
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.journal.messages import Attempt, Delivery, Outcome
from maestro_cli.sources.notify.dialling import Cut, dial

SUBJECT = 150
LETTER_SECONDS = 8.0  # with the message's own time less than the outbox's lease of a channel
_DETAILS = ("severity", "state", "owner", "workload", "namespace", "actor", "at")


def letter(message: Delivery, channel: Email) -> EmailMessage:
    """The mail; every one of an incident refers to the same first one, so that they are shown together."""
    content = message.content
    text = str(content.get("text", ""))
    mail = EmailMessage()
    mail["Subject"] = " ".join(text.split())[:SUBJECT] or "maestro"
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = format_datetime(from_rfc3339(str(content.get("at") or message.queued_at)))
    domain = channel.sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{message.id}@{domain}>" if message.id else make_msgid(domain=domain)
    if message.incident:
        mail["References"] = f"<{message.incident}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    details = "\n".join(f"{name}: {content[name]}" for name in _DETAILS if content.get(name))
    mail.set_content(f"{text}\n\n{details}\n")
    return mail


def post(
    message: Delivery,
    channel: Email,
    password: str | None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Attempt:
    """Hand it to the server: each exchange within the message's time, all within LETTER_SECONDS more, however
    many addresses its name has and however slowly an answer trickles.

    Once the server took it, nothing that follows (its answer to QUIT) has it mailed again.
    """
    until = monotonic() + message.timeout_seconds + LETTER_SECONDS
    patience = _Patience(message.timeout_seconds, until, monotonic)
    try:
        with Cut(message.timeout_seconds + LETTER_SECONDS) as cut:
            refused = _hand_over(message, channel, password, _connect(channel, patience, cut))
    except smtplib.SMTPResponseException as error:
        outcome = Outcome.REFUSED if error.smtp_code >= 500 else Outcome.LATER
        return Attempt(outcome, f"the mail server answered {error.smtp_code}")
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        later = bool(codes) and all(code < 500 for code in codes)
        return Attempt(
            Outcome.LATER if later else Outcome.REFUSED,
            f"the mail server takes nothing for any recipient: {', '.join(map(str, codes))}",
        )
    except smtplib.SMTPNotSupportedError:
        return Attempt(Outcome.REFUSED, "the mail server cannot do what the channel asks: see security:")
    except ssl.SSLError as error:
        return Attempt(Outcome.LATER, f"the mail server cannot be trusted: {error.reason or 'TLS failed'}")
    except (smtplib.SMTPException, OSError) as error:
        return Attempt(Outcome.LATER, f"the mail server does not answer: {type(error).__name__}")
    if refused:
        answers = ", ".join(sorted({str(code) for code, _ in refused.values()}))
        some = f"{len(refused)} of {len(channel.to)} recipients: {answers}"
        return Attempt(Outcome.DELIVERED, f"delivered, but never to {some}")
    return Attempt(Outcome.DELIVERED, "the mail server took it")


def _hand_over(
    message: Delivery, channel: Email, password: str | None, server: smtplib.SMTP
) -> dict[str, tuple[int, bytes]]:
    """The recipients for whom the server did not take it, with what it answered."""
    try:
        if channel.username is not None and password is not None:
            server.login(channel.username, password)
        refused = server.send_message(letter(message, channel))
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()
    return refused


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long one exchange may take, and when all must be over."""

    exchange_seconds: float
    until: float
    monotonic: Callable[[], float]

    def left(self) -> float:
        """Seconds for the next exchange; raises TimeoutError when there are none."""
        seconds = min(self.exchange_seconds, self.until - self.monotonic())
        if seconds <= 0:
            raise TimeoutError("the whole letter took too long")
        return seconds


class _Plain(smtplib.SMTP):
    """Waits for an answer no longer than its patience lasts, and in all not after its cut.

    It greets by the address it calls from: a name of this machine would be looked up, with no end to that.
    """

    def __init__(self, host: str, port: int, patience: _Patience, cut: Cut) -> None:
        self._patience, self._cut, self._own = patience, cut, ""
        smtplib.SMTP.__init__(self, host, port, self._own, timeout=patience.left())
        self.local_hostname = self._own

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """What the standard library asks for a connection, with that time for each address."""
        line = dial(host, port, self._patience.left())
        line.settimeout(timeout)
        self._cut.hold(line)
        self._own = _literal(line)
        return line

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(self._patience.left())
        return super().getreply()


class _Encrypted(smtplib.SMTP_SSL, _Plain):
    """The same, encrypted from the start."""

    def __init__(self, host: str, port: int, patience: _Patience, cut: Cut, trust: ssl.SSLContext) -> None:
        self._patience, self._cut, self._own = patience, cut, ""
        smtplib.SMTP_SSL.__init__(self, host, port, self._own, timeout=patience.left(), context=trust)
        self.local_hostname = self._own


def _literal(line: socket.socket) -> str:
    """The address of this end, as RFC 5321 (4.1.3) has who has no name of its own greet."""
    address = str(line.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if line.family == socket.AF_INET6 else f"[{address}]"


def _connect(channel: Email, patience: _Patience, cut: Cut) -> smtplib.SMTP:
    host, _, port = channel.server.rpartition(":")
    host = host.strip("[]")
    trust = ssl.create_default_context(cafile=channel.ca_file)
    if channel.security == "tls":
        return _Encrypted(host, int(port), patience, cut, trust)
    server = _Plain(host, int(port), patience, cut)
    try:
        if channel.security == "starttls":
            server.starttls(context=trust)
    except BaseException:
        server.close()
        raise
    return server
