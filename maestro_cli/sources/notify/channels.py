"""Hands messages to their channels, whatever they are.

Invariant: an address is a secret, read anew at every attempt; no reason that is recorded shows it. A message
goes to a channel of the context by its name, or to an address of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

from maestro_cli.config.channels import NAMED, Bell, Channel, CloudEvents, Email, PagerDuty, Slack, Teams
from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.core.clock import Clock, SystemClock, from_rfc3339
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.web import WebAnswer, WebRequest
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.messages import Attempt, Delivery, Outcome
from maestro_cli.sources.failures import shown_url
from maestro_cli.sources.notify.chat import slack, teams
from maestro_cli.sources.notify.events import cloudevent, pagerduty
from maestro_cli.sources.notify.mail import post

BELL_IS_LATE = timedelta(minutes=1)
_LATER = (408, 425, 429)


class WebPort(Protocol):
    def send(self, request: WebRequest) -> WebAnswer: ...


def no_bell() -> bool:
    """Where there is no terminal, nothing rings."""
    return False


def webhook(message: Delivery, address: str) -> WebRequest:
    """The content and the key as JSON, posted; `text` is what Slack, Mattermost and others show."""
    body = json.dumps({**message.content, "key": message.key}, ensure_ascii=True).encode()
    return WebRequest("POST", address, {"Idempotency-Key": message.key}, body, message.timeout_seconds)


class Channels:
    """Satisfies journal.outbox.Sender; `book` holds the channels of the context by their names, `ring` rings
    the bell of a terminal and says whether there is one."""

    def __init__(
        self,
        web: WebPort,
        book: Mapping[str, Channel] | None = None,
        *,
        clock: Clock | None = None,
        ring: Callable[[], bool] = no_bell,
        secrets: Secrets = NO_VAULT,
    ) -> None:
        self._web, self._book, self._ring = web, book or {}, ring
        self._clock = clock or SystemClock()
        self._resolve = secrets.resolve

    def send(self, message: Delivery) -> Attempt:
        """One attempt: 2xx is delivered, no answer and 408, 425, 429 and 5xx are for later, else refused.

        A defect is for later too, and named by its type alone: its text may hold what is secret.
        """
        try:
            return self._send(message)
        except Exception as error:  # noqa: BLE001 - one message must not end the delivery of the others
            return Attempt(Outcome.LATER, f"internal error: {type(error).__name__}")

    def _send(self, message: Delivery) -> Attempt:
        if not message.channel.startswith(NAMED):
            return self._to_address(message)
        name = message.channel.removeprefix(NAMED)
        channel = self._book.get(name)
        if channel is None:
            return Attempt(Outcome.ELSEWHERE, f"this context has no channel {name!r}")
        if isinstance(channel, Bell):
            return self._to_bell(message)
        try:
            return self._to_channel(message, channel)
        except MaestroError as error:
            return Attempt(Outcome.ELSEWHERE, f"{error.what}, here; {error.fix}".rstrip("; "))

    def _to_bell(self, message: Delivery) -> Attempt:
        """What is late is over: a bell says only that something happened just now."""
        if self._clock.now() - from_rfc3339(message.queued_at) > BELL_IS_LATE:
            return Attempt(Outcome.DELIVERED, "not rung: a bell that rings late says nothing")
        return (
            Attempt(Outcome.DELIVERED, "rung") if self._ring() else Attempt(Outcome.ELSEWHERE, "no terminal")
        )

    def _to_channel(
        self, message: Delivery, channel: Slack | Teams | PagerDuty | CloudEvents | Email
    ) -> Attempt:
        """Raises MaestroError when a secret is not here."""
        if isinstance(channel, Email):
            return post(message, channel, self._resolve(channel.password) if channel.password else None)
        if isinstance(channel, PagerDuty):
            key = self._resolve(channel.key)
            return self._ask(pagerduty(message, channel.url, key), (key,))
        address = self._resolve(channel.url)
        if not is_address(address):
            return Attempt(Outcome.REFUSED, f"what {channel.url} holds is not an http or https URL")
        if isinstance(channel, CloudEvents):
            secret = self._resolve(channel.secret) if channel.secret else None
            try:
                request = cloudevent(message, address, secret, self._clock.now())
            except ValueError:  # whsec_ and no base64
                return Attempt(Outcome.REFUSED, f"what {channel.secret} holds is no key: whsec_ and base64")
            return self._ask(request, _spellings(address))
        form = slack if isinstance(channel, Slack) else teams
        return self._ask(form(message, address), _spellings(address))

    def _to_address(self, message: Delivery) -> Attempt:
        if message.form != "webhook":
            return Attempt(Outcome.ELSEWHERE, f"this maestro knows no channel of the form {message.form!r}")
        try:
            address = self._resolve(message.channel)
        except MaestroError as error:
            return Attempt(Outcome.ELSEWHERE, f"{error.what}, here; {error.fix}".rstrip("; "))
        if not is_address(address):
            return Attempt(Outcome.REFUSED, f"what {message.channel} holds is not an http or https URL")
        return self._ask(webhook(message, address), _spellings(address))

    def _ask(self, request: WebRequest, hidden: tuple[str, ...]) -> Attempt:
        try:
            return _judged(self._web.send(request))
        except MaestroError as error:
            why = f"{error.what}: {error.why}".rstrip(": ")
            return Attempt(Outcome.LATER, Redactor(hidden).clean(why))


def is_address(text: str) -> bool:
    """Whether it is an http or https URL with a host."""
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and text.isprintable()
            and " " not in text
        )
    except ValueError:
        return False


def _spellings(address: str) -> tuple[str, ...]:
    """The address as errors may show it: without its query, and its path alone."""
    parts = urlsplit(address)
    path = parts.path.strip("/")
    return (address, shown_url(address), *([path] if len(path) >= 8 else []))


def _judged(answer: WebAnswer) -> Attempt:
    reason = f"the channel answered {answer.status}"
    if 200 <= answer.status < 300:
        return Attempt(Outcome.DELIVERED, reason)
    if answer.status in _LATER or answer.status >= 500:
        asked = answer.headers.get("retry-after", "")
        seconds = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0.0
        return Attempt(Outcome.LATER, reason, seconds)
    return Attempt(Outcome.REFUSED, reason)
