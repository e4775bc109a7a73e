"""Channels against servers of this test that take and refuse what the real ones do.

Mocks, and labelled so: Slack, Teams and PagerDuty cannot run here. They check what their documents say of
fields, sizes and answers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from maestro_cli.config.channels import Bell, CloudEvents, PagerDuty, Slack, Teams
from maestro_cli.core.facts.web import WebAnswer, WebRequest
from maestro_cli.journal.messages import Attempt, Outcome
from maestro_cli.sources.notify.channels import Channels
from maestro_cli.sources.web import Web
from tests.contract.sources.notified import NOW, FixedClock, a_message, send

HOSTILE = '<!channel> [x](http://evil) *b* `c` & \u2603 \U0001f525 "q" \\ ' * 120
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
