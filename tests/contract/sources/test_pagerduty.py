"""PagerDuty's REST API v2, against a mock.

A mock, for PagerDuty is a service that cannot run here: it answers `GET /oncalls` and `GET /abilities` as the
published reference says (token scheme, media type, classic pagination, 401, 429 with `ratelimit-reset`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import ExitCode, InvalidFile, Refused, Unreachable
from maestro_cli.core.facts.oncall import PagedTurn
from maestro_cli.sources.pagerduty import ACCEPT, PagerDuty

KEY = "u+mock-key"
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Mock(ThreadingHTTPServer):
    """What an account with `entries` answers; `limited` requests are refused first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.entries: list[dict[str, Any]] = []
        self.limited, self.reset = 0, "2"
        self.asked: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Mock

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        self.server.asked.append(query)
        if self.headers["Authorization"] != f"Token token={KEY}":
            self._send(401, {"error": {"code": 2006, "message": "You shall not pass."}})
        elif self.headers["Accept"] != ACCEPT:
            self._send(406, {"error": {"message": "wrong media type"}})
        elif self.server.limited > 0:
            self.server.limited -= 1
            error = {"error": {"code": 2020, "message": "Rate Limit Exceeded"}}
            self._send(429, error, {"ratelimit-reset": self.server.reset})
        elif url.path == "/oncalls":
            self._send(200, self._page(query))
        else:
            self._send(200, {"abilities": []})

    def _page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        wanted = query["schedule_ids[]"]
        found = [one for one in self.server.entries if one["schedule"]["id"] in wanted]
        limit, offset = min(int(query["limit"][0]), 100), int(query["offset"][0])
        more = offset + limit < len(found)
        part = found[offset : offset + limit]
        return {"oncalls": part, "limit": limit, "offset": offset, "more": more, "total": None}

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: object) -> None: ...


def entry(person: str, hour: int | None, *, schedule: str = "P1", level: int = 1) -> dict[str, Any]:
    start = BEGIN + timedelta(hours=hour) if hour is not None else None
    return {
        "user": {
            "id": "U",
            "type": "user",
            "summary": person,
            "name": person,
            "email": f"{person}@example.org",
        },
        "schedule": {"id": schedule, "type": "schedule_reference", "summary": "primary"},
        "escalation_policy": {"id": f"E{level}", "type": "escalation_policy_reference"},
        "escalation_level": level,
        "start": start.isoformat().replace("+00:00", "Z") if start else None,
        "end": (start + timedelta(hours=1)).isoformat().replace("+00:00", "Z") if start else None,
    }


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    monkeypatch.setenv("PAGER_KEY", KEY)
    with Mock() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def pager(mock: Mock, slept: list[float]) -> Iterator[PagerDuty]:
    made = PagerDuty(Endpoint(mock.url, token="env:PAGER_KEY"), sleep=slept.append)
    yield made
    made.close()


def turns(pager: PagerDuty) -> tuple[PagedTurn, ...]:
    return pager.turns("P1", BEGIN, BEGIN + timedelta(days=14))


def test_every_page_is_read_and_a_turn_is_told_once(mock: Mock, pager: PagerDuty) -> None:
    mock.entries = [entry(f"p{hour}", hour, level=level) for level in (1, 2) for hour in range(130)]
    mock.entries.append(entry("stranger", 0, schedule="P2"))
    found = turns(pager)
    assert [one.person for one in found] == [f"p{hour}" for hour in range(130)]
    assert found[0] == PagedTurn("p0", "p0@example.org", BEGIN, BEGIN + timedelta(hours=1))
    assert [query["offset"] for query in mock.asked] == [["0"], ["100"], ["200"]]
    assert mock.asked[0]["since"] == ["2026-11-23T09:00:00.000000Z"]


def test_who_is_always_on_call_has_no_end(mock: Mock, pager: PagerDuty) -> None:
    mock.entries = [entry("ana", None)]
    assert turns(pager) == (PagedTurn("ana", "ana@example.org", None, None),)


def test_a_limit_is_waited_for_once_as_long_as_is_asked(
    mock: Mock, pager: PagerDuty, slept: list[float]
) -> None:
    mock.entries, mock.limited = [entry("ana", 0)], 1
    assert [one.person for one in turns(pager)] == ["ana"]
    assert slept == [2.0]


@pytest.mark.parametrize(("limited", "reset", "waits"), [(2, "2", [2.0]), (1, "3600", []), (1, "soon", [])])
def test_a_limit_that_is_not_over_in_time_is_told(
    mock: Mock, pager: PagerDuty, slept: list[float], limited: int, reset: str, waits: list[float]
) -> None:
    mock.limited, mock.reset = limited, reset
    with pytest.raises(Unreachable) as refused:
        turns(pager)
    assert (refused.value.exit_code, "429" in str(refused.value.why)) == (ExitCode.UNREACHABLE, True)
    assert slept == waits


def test_a_token_that_is_not_taken_ends_5_and_is_never_shown(
    mock: Mock, pager: PagerDuty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER_KEY", "revoked-key")
    with pytest.raises(Refused) as refused:
        turns(pager)
    assert refused.value.exit_code == ExitCode.REFUSED
    assert "revoked-key" not in f"{refused.value.what}{refused.value.why}{refused.value.fix}"
    assert pager.check().error
    monkeypatch.delenv("PAGER_KEY")
    with pytest.raises(InvalidFile, match="PAGER_KEY"):
        turns(pager)


def test_it_is_checked_like_every_endpoint(mock: Mock, pager: PagerDuty) -> None:
    found = pager.check()
    assert (found.ok, found.version) == (True, "REST API v2")


def test_an_account_that_does_not_answer_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        turns(PagerDuty(Endpoint("http://127.0.0.1:1")))
