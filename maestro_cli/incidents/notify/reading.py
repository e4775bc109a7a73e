"""Channels as they stand, and the message that tries one. Invariant: shows no address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.config.channels import NAMED, Channel, Route
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.ids import new_id
from maestro_cli.incidents.notify.herald import TIMEOUT_SECONDS
from maestro_cli.journal.messages import Message
from maestro_cli.journal.outbox import Outbox

TEST_TEXT = "maestro: this is a test of the channel. Nothing is wrong."


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel: what it is told of, in words a route; how many messages wait or were refused; how often it
    failed in a row and until when it is left alone (RFC 3339, "" when it is not)."""

    name: str
    kind: str
    told: tuple[str, ...]
    waiting: int
    refused: int
    failures: int
    paused_until: str


def channel_lines(
    outbox: Outbox, channels: Mapping[str, Channel], routes: Sequence[Route]
) -> tuple[ChannelLine, ...]:
    """In the order of the context."""
    kept = outbox.messages(limit=-1)
    lines = []
    for name, channel in channels.items():
        reference = f"{NAMED}{name}"
        standings = [one.standing.value for one in kept if one.channel == reference]
        state = outbox.channel(reference)
        lines.append(
            ChannelLine(
                name,
                str(type(channel).__struct_config__.tag),
                tuple(_words(route) for route in routes if name in route.to),
                standings.count("waiting"),
                standings.count("refused"),
                state.failures,
                state.not_before,
            )
        )
    return tuple(lines)


def _words(route: Route) -> str:
    parts = [", ".join(route.on)]
    parts += [f"of {', '.join(route.severity)}"] if route.severity else []
    parts += [f"in {', '.join(route.namespaces)}"] if route.namespaces else []
    return " ".join([*parts, *(["drills too"] if route.drills else [])])


def trial(name: str, now: datetime, actor: str) -> Message:
    """A message that says it is a test."""
    content = {"text": TEST_TEXT, "moment": "test", "severity": "sev4", "actor": actor, "at": to_rfc3339(now)}
    return Message(
        key=f"test/{name}/{new_id('tst', now)}",
        channel=f"{NAMED}{name}",
        content=content,
        timeout_seconds=TIMEOUT_SECONDS,
    )
