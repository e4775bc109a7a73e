"""Channels that people are told by, and what each is told of.

Invariant: whatever lets its holder write to a channel (a webhook's URL, a routing key, a password) is a
secret reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from maestro_cli.config.secrets import REFERENCES, is_reference
from maestro_cli.config.strict import Document

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MAILBOX = re.compile(r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\[\]\\]+")
_LABEL = "[A-Za-z0-9-]{1,63}"  # longer or empty ones are no name that can be looked up
_SERVER = re.compile(rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9a-fA-F:]+\]):([0-9]{{1,5}})")
NAMED = "channel:"  # before the name of a channel of the context
DESTINATIONS = f"{NAMED}NAME of the context, or {REFERENCES} that holds a webhook's URL"
PAGERDUTY_URL = "https://events.pagerduty.com"

Moment = Literal[
    "opened", "reopened", "acknowledged", "severity-raised", "severity-lowered", "triaged", "mitigated",
    "resolved", "dismissed", "merged", "overdue", "left-to-people", "update", "published",
]  # fmt: skip
# What `{{ incident.NAME }}` of a template may be.
TEMPLATE_NAMES = (
    "id", "number", "title", "severity", "namespace", "owner", "state", "moment", "happened",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
MomentsOf = Annotated[list[Moment], msgspec.Meta(min_length=1)]


class Slack(msgspec.Struct, tag_field="kind", tag="slack", forbid_unknown_fields=True, frozen=True):
    """An incoming webhook of Slack, or of a chat that takes the same."""

    url: str


class Teams(msgspec.Struct, tag_field="kind", tag="teams", forbid_unknown_fields=True, frozen=True):
    """A workflow of Microsoft Teams that posts what a webhook gets."""

    url: str


class PagerDuty(msgspec.Struct, tag_field="kind", tag="pagerduty", forbid_unknown_fields=True, frozen=True):
    """A service of PagerDuty, by the integration key of its Events API v2."""

    key: str
    url: str = PAGERDUTY_URL


class CloudEvents(
    msgspec.Struct, tag_field="kind", tag="cloudevents", forbid_unknown_fields=True, frozen=True
):
    """Any web address; with a `secret` each request is signed as Standard Webhooks has it."""

    url: str
    secret: str | None = None


class Email(msgspec.Struct, tag_field="kind", tag="email", forbid_unknown_fields=True, frozen=True):
    """A mail server, `HOST:PORT`. `security`: encrypted after a greeting (starttls), from the start (tls), or
    not at all, which no password may pass."""

    server: str
    sender: str
    to: Annotated[list[str], msgspec.Meta(min_length=1, max_length=50)]
    username: str | None = None
    password: str | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str | None = None


class Bell(msgspec.Struct, tag_field="kind", tag="bell", forbid_unknown_fields=True, frozen=True):
    """The bell of the terminal in which a watch runs."""


Channel = Slack | Teams | PagerDuty | CloudEvents | Email | Bell


USUAL: tuple[Moment, ...] = (
    "opened", "reopened", "severity-raised", "mitigated", "resolved", "left-to-people",
)  # fmt: skip


class Route(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which moments of which incidents are told where. No `severity` means every one, no `namespaces` any
    place; `template` replaces the text."""

    to: Annotated[list[str], msgspec.Meta(min_length=1)]
    on: MomentsOf = msgspec.field(default_factory=lambda: list(USUAL))
    severity: list[Literal["sev1", "sev2", "sev3", "sev4"]] = []
    namespaces: list[str] = []
    drills: bool = False
    template: str | None = None


def is_destination(text: str) -> bool:
    """Whether a text says where a message goes: a channel of the context, or a secret reference."""
    return is_reference(text) or (text.startswith(NAMED) and bool(NAME.fullmatch(text.removeprefix(NAMED))))


def secrets_of(channel: Channel) -> dict[str, str]:
    """Its secret references by their keys."""
    keys = {
        Slack: ("url",), Teams: ("url",), PagerDuty: ("key",), CloudEvents: ("url", "secret"),
        Email: ("password",), Bell: (),
    }[type(channel)]  # fmt: skip
    named = {key: getattr(channel, key) for key in keys}
    return {key: value for key, value in named.items() if value is not None}


def check_channels(
    document: Document, channels: Mapping[str, Channel], routes: Sequence[Route], at: tuple[str, ...]
) -> None:
    """Raises InvalidFile for a value in a secret's place, and for a route that leads nowhere."""
    for name, channel in channels.items():
        here = (*at, "channels", name)
        if not NAME.fullmatch(name):
            raise document.fail("is not a name for a channel", here, fix="use letters a-z, digits and '-'")
        for key, reference in secrets_of(channel).items():
            if not is_reference(reference):
                what = "a secret is a reference, not a value"
                raise document.fail(what, (*here, key), fix=f"write {REFERENCES}")
        if isinstance(channel, Email):
            _check_email(document, channel, here)
        if isinstance(channel, PagerDuty) and not re.fullmatch(r"https?://[^\s/@]+/?", channel.url):
            raise document.fail("is not an http or https URL", (*here, "url"), fix=PAGERDUTY_URL)
    for index, route in enumerate(routes):
        for number, name in enumerate(route.to):
            if name not in channels:
                known = ", ".join(channels) or "none is configured"
                where: tuple[str | int, ...] = (*at, "notify", index, "to", number)
                raise document.fail(f"there is no channel {name!r}", where, fix=f"channels: {known}")
        for said in _PLACEHOLDER.findall(route.template or ""):
            if said.strip().removeprefix("incident.") not in TEMPLATE_NAMES or "." not in said:
                fix = f"use one of: {', '.join(f'incident.{name}' for name in TEMPLATE_NAMES)}"
                what = f"{{{{{said}}}}} stands for nothing"
                raise document.fail(what, (*at, "notify", index, "template"), fix=fix)


def _check_email(document: Document, channel: Email, at: tuple[str, ...]) -> None:
    server = _SERVER.fullmatch(channel.server)
    if server is None or not 0 < int(server[3]) < 65536:
        raise document.fail("is not HOST:PORT", (*at, "server"), fix="mail.example.com:587")
    for key, text in (("sender", channel.sender), *(("to", one) for one in channel.to)):
        if not _MAILBOX.fullmatch(text):
            raise document.fail(f"{text!r} is not a mail address", (*at, key), fix="ops@example.com")
    if (channel.username is None) != (channel.password is None):
        raise document.fail("needs username: and password: both", at)
    if channel.password is not None and channel.security == "none":
        what = "a password may not pass in the clear"
        raise document.fail(what, (*at, "security"), fix="security: starttls")
