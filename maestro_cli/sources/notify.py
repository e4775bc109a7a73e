"""Channels that carry messages to people.

Invariant: an address is a secret, read anew at every attempt; no reason that is recorded shows it. A new kind
of channel is one function and one line in FORMS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from maestro_cli.config.secrets import resolve_secret
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.web import WebAnswer, WebRequest
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.messages import Attempt, Delivery, Outcome
from maestro_cli.sources.failures import shown_url

_LATER = (408, 425, 429)
Form = Callable[[Delivery, str], WebRequest]


class WebPort(Protocol):
    def send(self, request: WebRequest) -> WebAnswer: ...


def webhook(message: Delivery, address: str) -> WebRequest:
    """The content and the key as JSON, posted; `text` is what Slack, Mattermost and others show."""
    body = json.dumps({**message.content, "key": message.key}, ensure_ascii=True).encode()
    return WebRequest("POST", address, {"Idempotency-Key": message.key}, body, message.timeout_seconds)


FORMS: Mapping[str, Form] = {"webhook": webhook}


class Channels:
    """Hands messages to their channels; satisfies journal.outbox.Sender."""

    def __init__(self, web: WebPort) -> None:
        self._web = web

    def send(self, message: Delivery) -> Attempt:
        """One attempt: 2xx is delivered, no answer and 408, 425, 429 and 5xx are for later, else refused."""
        form = FORMS.get(message.form)
        if form is None:
            return Attempt(Outcome.ELSEWHERE, f"this maestro knows no channel of the form {message.form!r}")
        try:
            address = resolve_secret(message.channel)
        except MaestroError as error:
            return Attempt(Outcome.ELSEWHERE, f"{error.what}, here; {error.fix}".rstrip("; "))
        if not is_address(address):
            return Attempt(Outcome.REFUSED, f"what {message.channel} holds is not an http or https URL")
        try:
            answer = self._web.send(form(message, address))
        except MaestroError as error:
            hidden = Redactor(_spellings(address))
            return Attempt(Outcome.LATER, hidden.clean(f"{error.what}: {error.why}".rstrip(": ")))
        return _judged(answer)


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
