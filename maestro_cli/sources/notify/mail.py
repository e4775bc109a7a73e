"""How a mail server is given a message.

Invariant: a line break in a title becomes no header; a server that must be encrypted is told nothing before
it is, and no password in the clear. What it answers decides as SMTP has it: 4xx is for later, 5xx is refused.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from maestro_cli.config.channels import Email
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.journal.messages import Attempt, Delivery, Outcome

SUBJECT = 150
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


def post(message: Delivery, channel: Email, password: str | None) -> Attempt:
    """Hand it to the server, within the message's time for each exchange."""
    try:
        with _connect(channel, message.timeout_seconds) as server:
            if channel.username is not None and password is not None:
                server.login(channel.username, password)
            refused = server.send_message(letter(message, channel))
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
        return Attempt(Outcome.DELIVERED, f"delivered, but for {len(refused)} of {len(channel.to)}")
    return Attempt(Outcome.DELIVERED, "the mail server took it")


def _connect(channel: Email, timeout_seconds: float) -> smtplib.SMTP:
    host, _, port = channel.server.rpartition(":")
    host = host.strip("[]")
    trust = ssl.create_default_context(cafile=channel.ca_file)
    if channel.security == "tls":
        return smtplib.SMTP_SSL(host, int(port), timeout=timeout_seconds, context=trust)
    server = smtplib.SMTP(host, int(port), timeout=timeout_seconds)
    try:
        if channel.security == "starttls":
            server.starttls(context=trust)
    except BaseException:
        server.close()
        raise
    return server
