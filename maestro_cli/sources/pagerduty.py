"""PagerDuty: who is on call, by its REST API v2. Invariant: reads only.

The token is a REST API key; it is read when a request needs it. A list is read page by page to its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.facts.oncall import PagedTurn
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.credentials import tls_context
from maestro_cli.sources.failures import not_like
from maestro_cli.sources.http import Answer, Ask, HttpBackend, checked

SYSTEM = "PagerDuty"
ACCEPT = "application/vnd.pagerduty+json;version=2"
PAGE = 100  # the most that it gives at once
MAX_PAGES = 100  # it refuses an offset beyond 10,000
LONGEST_WAIT_SECONDS = 30.0  # for its limit of requests to be over
TOO_MANY = 429


class _User(msgspec.Struct):
    summary: str = ""
    name: str = ""
    email: str = ""


class _OnCall(msgspec.Struct):
    user: _User
    start: datetime | None = None
    end: datetime | None = None


class _Page(msgspec.Struct):
    oncalls: list[_OnCall]
    more: bool = False


class PagerDuty:
    """One account; satisfies incidents.people.roster.PagerPort. Safe to share between threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        sleep: Callable[[float], None] = time.sleep,
        secrets: Secrets = NO_VAULT,
    ) -> None:
        """Raises InvalidFile for a bad URL or ca_file."""
        self._endpoint, self._sleep, self._secrets = endpoint, sleep, secrets
        self._backend = HttpBackend(
            SYSTEM,
            endpoint.url,
            headers=self._headers,
            tls=tls_context(endpoint, SYSTEM),
            timeout_seconds=8.0,
        )

    @property
    def url(self) -> str:
        return self._backend.url

    def close(self) -> None:
        self._backend.close()

    def check(self) -> EndpointCheck:
        """Whether it answers and takes the token."""

        def version() -> str:
            self._get("/abilities", {})
            return "REST API v2"

        return checked(SYSTEM, self._backend.url, version)

    def turns(self, schedule_id: str, begin: datetime, end: datetime) -> tuple[PagedTurn, ...]:
        """Who is on call by that schedule at any time of that span, in order, each turn once.

        A schedule is in as many answers as escalation policies name it. Raises Refused for a token that it
        does not take (401, 403), Unreachable for a limit that is not over in time (429) and all else.
        """
        found: dict[PagedTurn, None] = {}
        for number in range(MAX_PAGES):
            page = self._page(schedule_id, begin, end, number * PAGE)
            for one in page.oncalls:
                found[_turn(one)] = None
            if not page.more:
                return tuple(sorted(found, key=lambda one: (one.begin or begin, one.person)))
        raise not_like(SYSTEM, self.url, f"it has more than {MAX_PAGES * PAGE} turns in that time")

    def _page(self, schedule_id: str, begin: datetime, end: datetime, offset: int) -> _Page:
        answer = self._get(
            "/oncalls",
            {
                "schedule_ids[]": schedule_id,
                "include[]": "users",
                "since": to_rfc3339(begin),
                "until": to_rfc3339(end),
                "limit": PAGE,
                "offset": offset,
            },
        )
        return self._backend.decode(answer, _Page)

    def _get(self, path: str, params: Mapping[str, str | int]) -> Answer:
        """One GET; where it asks to wait no longer than we may, it is asked once more."""
        ask = Ask("GET", path, params, accept=ACCEPT, safe=True)
        answer = self._backend.ask(ask)
        wait = _asked_seconds(answer)
        if answer.status == TOO_MANY and wait is not None and wait <= LONGEST_WAIT_SECONDS:
            self._sleep(wait)
            answer = self._backend.ask(ask)
        return self._backend.expect_ok(answer)

    def _headers(self) -> Mapping[str, str]:
        if not self._endpoint.token:
            return {}
        value = self._secrets.resolve(self._endpoint.token, key="pagerduty.token")
        if not (value.isascii() and value.isprintable()):
            what = f"what {self._endpoint.token} holds cannot be sent as a header"
            raise InvalidFile(what, file="config", key="pagerduty.token")
        return {"Authorization": f"Token token={value}"}


def _asked_seconds(answer: Answer) -> float | None:
    """How long it asks to be left alone: `Retry-After`, or its own `ratelimit-reset`."""
    for name in ("retry-after", "ratelimit-reset"):
        text = answer.headers.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 10:
            return float(text)
    return None


def _turn(one: _OnCall) -> PagedTurn:
    person = Untrusted(one.user.name or one.user.summary or "somebody without a name")
    return PagedTurn(person, Untrusted(one.user.email), _utc(one.start), _utc(one.end))


def _utc(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC) if instant is not None else None
