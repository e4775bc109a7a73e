"""How PagerDuty's Events API v2 and any taker of CloudEvents are written to.

Formats: https://developer.pagerduty.com/docs/send-alert-event (a summary of 1,024 characters, a key of 255,
512 KB in all), CloudEvents 1.0 in structured mode, signed as https://www.standardwebhooks.com has it
(HMAC-SHA256 of id, time and body). Invariant: one incident is one alert of PagerDuty, by its key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from maestro_cli.core.facts.web import WebRequest
from maestro_cli.incidents.notify.moments import PAGERDUTY_ACTIONS
from maestro_cli.journal.messages import Delivery

SUMMARY = 1024
DEDUP_KEY = 255
_SEVERITIES = {"sev1": "critical", "sev2": "error", "sev3": "warning", "sev4": "info"}
_DETAILS = ("number", "state", "owner", "moment", "actor", "namespace", "workload", "policy", "who")


def pagerduty(message: Delivery, url: str, key: str) -> WebRequest:
    """One event: it triggers, acknowledges or resolves the alert of the message's incident.

    A message of no incident, or of a moment that is none of an incident's, triggers an alert of its own.
    """
    content = message.content
    action = PAGERDUTY_ACTIONS.get(str(content.get("moment", "")), "trigger")
    data: dict[str, object] = {
        "routing_key": key,
        "event_action": action,
        "dedup_key": (message.incident or message.key)[:DEDUP_KEY],
    }
    if action == "trigger":
        data["payload"] = {
            "summary": str(content.get("text", "")).strip()[:SUMMARY] or "maestro",
            "source": str(content.get("workload") or content.get("namespace") or "maestro"),
            "severity": _SEVERITIES.get(str(content.get("severity", "")), "error"),
            "timestamp": str(content.get("at") or message.queued_at),
            "custom_details": {name: content[name] for name in _DETAILS if content.get(name)},
        }
        data["client"] = "maestro"
    body = json.dumps(data, ensure_ascii=True).encode()
    return WebRequest("POST", f"{url.rstrip('/')}/v2/enqueue", {}, body, message.timeout_seconds)


def cloudevent(message: Delivery, address: str, secret: str | None, now: datetime) -> WebRequest:
    """One event in structured mode, signed when there is a secret."""
    content = message.content
    event = {
        "specversion": "1.0",
        "id": message.key,
        "source": "urn:maestro",
        "type": f"dev.maestro.incident.{content.get('moment') or 'message'}",
        "subject": message.incident or message.id,
        "time": str(content.get("at") or message.queued_at),
        "datacontenttype": "application/json",
        "data": dict(content),
    }
    body = json.dumps(event, ensure_ascii=True).encode()
    headers = {"Content-Type": "application/cloudevents+json", **signed(message.key, body, secret, now)}
    return WebRequest("POST", address, headers, body, message.timeout_seconds)


def signed(identity: str, body: bytes, secret: str | None, now: datetime) -> Mapping[str, str]:
    """The headers of Standard Webhooks; a secret may be spelled `whsec_` and base64, or be any text.

    Raises ValueError for `whsec_` and what is no base64.
    """
    if secret is None:
        return {"webhook-id": identity}
    at = str(int(now.timestamp()))
    key = secret.encode()
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    made = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(made).decode()}"
    return {"webhook-id": identity, "webhook-timestamp": at, "webhook-signature": signature}
