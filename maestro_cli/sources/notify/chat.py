"""How Slack and Microsoft Teams are written to.

Formats: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (at most 50 blocks, a
section of 3,000 characters; some 13,000 in all are taken) and Adaptive Cards 1.4 in the envelope that
workflows of Teams take (28 KB).

Invariant: nothing of a message is markup there: no link, no mention, no call of a channel.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from maestro_cli.core.facts.web import WebRequest
from maestro_cli.core.untrusted import visible
from maestro_cli.journal.messages import Delivery

SLACK_SECTION = 3000
SLACK_TEXT = 12_000
TEAMS_BYTES = 28 * 1024
_TEAMS_TEXT = 5000  # characters of up to four bytes: the card stays below its limit
# Slack reads & < > as markup and formats by * _ ~ `; others that look alike stand in for them.
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'", "*": "∗", "_": "＿", "~": "∼"})
_TEAMS = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]()#+-.!|<>~"})
_FACTS = ("severity", "state", "owner", "workload", "namespace")


def slack(message: Delivery, address: str) -> WebRequest:
    """One post of an incoming webhook."""
    content = message.content
    text = visible(str(content.get("text", "")), SLACK_TEXT).translate(_SLACK)[:SLACK_TEXT]
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": part, "verbatim": True}}
        for part in _parts(text, SLACK_SECTION)
    ]
    facts = "  ·  ".join(f"{name}: {value.translate(_SLACK)}" for name, value in _facts(content))
    if facts:
        element = {"type": "mrkdwn", "text": facts[:SLACK_SECTION], "verbatim": True}
        blocks.append({"type": "context", "elements": [element]})
    return _post(message, address, {"text": text[:SLACK_SECTION], "blocks": blocks})


def teams(message: Delivery, address: str) -> WebRequest:
    """One post of a workflow's webhook: a card with the text and a few facts."""
    content = message.content
    text = visible(str(content.get("text", "")), _TEAMS_TEXT)
    body: list[dict[str, Any]] = [{"type": "TextBlock", "wrap": True, "text": text.translate(_TEAMS)}]
    facts = [{"title": name, "value": value.translate(_TEAMS)} for name, value in _facts(content)]
    if facts:
        body.append({"type": "FactSet", "facts": facts})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return _post(message, address, {"type": "message", "attachments": [attachment]})


def _parts(text: str, size: int) -> Iterator[str]:
    """The text in pieces of at most that size, none of which parts an escape; one piece for no text."""
    start = 0
    while True:
        end = start + size
        escape = text.rfind("&", max(end - 4, start), end)
        if end < len(text) and escape > start and ";" not in text[escape:end]:
            end = escape
        yield text[start:end] or "-"
        start = end
        if start >= len(text):
            return


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _FACTS:
        if content.get(name):
            yield name, visible(str(content[name]), 300)


def _post(message: Delivery, address: str, data: Mapping[str, Any]) -> WebRequest:
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
    return WebRequest("POST", address, {}, body, message.timeout_seconds)
