"""Alertmanager: the alerts of its API v2, and the webhook messages it sends.

Invariant: unknown keys are skipped, the sender's fingerprint is kept, and a message that lacks what maestro
needs is refused with the key that is wrong. `status` decides what fires; `endsAt` is only a time-out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.core.facts.alerts import Alert, Silence, WebhookMessage, fingerprint_of
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.matchers import Matcher
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.sources.failures import quoted, shown_url
from maestro_cli.sources.http import Answer, Ask, checked, endpoint_backend

if TYPE_CHECKING:
    import httpx

SYSTEM = "Alertmanager"


class _State(msgspec.Struct, rename="camel"):
    silenced_by: list[str] | None = None
    inhibited_by: list[str] | None = None
    muted_by: list[str] | None = None


class _ApiAlert(msgspec.Struct, rename="camel"):
    labels: dict[str, str]
    starts_at: datetime
    fingerprint: str = ""
    annotations: dict[str, str] | None = None
    ends_at: datetime | None = None
    generator_url: str | None = msgspec.field(name="generatorURL", default="")
    status: _State = msgspec.field(default_factory=_State)


class _Matcher(msgspec.Struct, rename="camel"):
    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class _SilenceState(msgspec.Struct):
    state: str


class _Silence(msgspec.Struct, rename="camel"):
    id: str
    status: _SilenceState
    matchers: list[_Matcher]
    starts_at: datetime
    ends_at: datetime
    created_by: str = ""
    comment: str = ""


class _Created(msgspec.Struct, rename="camel"):
    silence_id: str = msgspec.field(name="silenceID")


class _WebhookAlert(msgspec.Struct, rename="camel"):
    status: str
    labels: dict[str, str]
    starts_at: datetime
    fingerprint: str = ""
    annotations: dict[str, str] | None = None
    ends_at: datetime | None = None
    generator_url: str | None = msgspec.field(name="generatorURL", default="")


class _Webhook(msgspec.Struct, rename="camel"):
    alerts: list[_WebhookAlert]
    version: str = "4"
    group_key: str = ""
    truncated_alerts: int = 0
    status: str = ""


class _Version(msgspec.Struct):
    version: str = ""


class _Cluster(msgspec.Struct):
    status: str = ""


class _Status(msgspec.Struct, rename="camel"):
    version_info: _Version
    cluster: _Cluster = msgspec.field(default_factory=_Cluster)


class Alertmanager:
    """One Alertmanager. Methods raise Unreachable and Refused."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_seconds: float = 4,
        transport: httpx.BaseTransport | None = None,
        secrets: Secrets = NO_VAULT,
    ) -> None:
        self._backend = endpoint_backend(
            SYSTEM, endpoint, timeout_seconds=timeout_seconds, transport=transport, secrets=secrets
        )
        self.url = shown_url(endpoint.url)

    def close(self) -> None:
        """Close its connections; the source is of no use afterwards."""
        self._backend.close()

    def alerts(
        self, *, active: bool = True, silenced: bool = True, inhibited: bool = True,
        matchers: Sequence[Matcher] = (),
    ) -> tuple[Alert, ...]:  # fmt: skip
        """The alerts it holds now that match, all of them firing; resolved ones are gone from the API.

        Raises UsageError for matchers that are not accepted.
        """
        params = {"active": active, "silenced": silenced, "inhibited": inhibited, "unprocessed": True}
        asked: dict[str, str | list[str]] = {
            name: "true" if value else "false" for name, value in params.items()
        }
        if matchers:
            asked["filter"] = [matcher.in_quotes for matcher in matchers]
        answer = self._backend.get("/api/v2/alerts", asked)
        if matchers and answer.status == 400:  # such as names in quotes, before 0.27
            raise self._not_accepted(answer)
        self._backend.expect_ok(answer)
        return tuple(
            _alert(item, firing=True, source="alertmanager-api", status=item.status)
            for item in self._backend.decode(answer, list[_ApiAlert])
        )

    def send_alerts(
        self, alerts: Sequence[Mapping[str, str]], *, starts_at: datetime, ends_at: datetime
    ) -> None:
        """Have it know of alerts of these labels, as Prometheus would send them.

        Raises UsageError when they are not accepted, OutcomeUnknown when no answer came.
        """
        times = {"startsAt": to_rfc3339(starts_at), "endsAt": to_rfc3339(ends_at)}
        body = [{"labels": dict(labels), "annotations": {}, **times} for labels in alerts]
        self._write(Ask("POST", "/api/v2/alerts", body=msgspec.json.encode(body)))

    def silences(self) -> tuple[Silence, ...]:
        """Every silence it knows; those that are over stay known for its retention, five days by default."""
        answer = self._backend.expect_ok(self._backend.get("/api/v2/silences"))
        return tuple(map(_silence, self._backend.decode(answer, list[_Silence])))

    def create_silence(
        self, matchers: Sequence[Matcher], *, starts_at: datetime, ends_at: datetime, created_by: str,
        comment: str,
    ) -> str:  # fmt: skip
        """Its id. Raises UsageError when it is not accepted, OutcomeUnknown when no answer came."""
        body = {
            "matchers": [
                {"name": one.label, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal}
                for one in matchers
            ],
            "startsAt": to_rfc3339(starts_at),
            "endsAt": to_rfc3339(ends_at),
            "createdBy": created_by,
            "comment": comment,
        }
        made = self._write(Ask("POST", "/api/v2/silences", body=msgspec.json.encode(body)))
        return self._backend.decode(made, _Created).silence_id

    def expire_silence(self, silence_id: str) -> None:
        """End a silence now; raises NotFound when it is not known, OutcomeUnknown when no answer came."""
        self._write(Ask("DELETE", f"/api/v2/silence/{quote(silence_id, safe='')}"))

    def _write(self, ask: Ask) -> Answer:
        answer = self._backend.ask(ask)
        # before 0.26 it says so with 500
        if answer.status == 404 or (answer.status == 500 and b"not found" in answer.body):
            raise NotFound(f"{SYSTEM} at {self.url} does not know it", why=quoted(answer.body))
        if 400 <= answer.status < 500 and answer.status not in (401, 403, 429):
            raise self._not_accepted(answer)
        return self._backend.expect_ok(answer, safe=False)

    def _not_accepted(self, answer: Answer) -> UsageError:
        return UsageError(f"{SYSTEM} at {self.url} does not accept it", why=quoted(answer.body))

    def version(self) -> str:
        """The version it says."""
        return visible(self._status().version_info.version, 80)

    def status(self) -> str:
        """Its cluster status: `ready`, `settling` or `disabled`."""
        return visible(self._status().cluster.status, 80)

    def check(self) -> EndpointCheck:
        """Whether it answers; never raises for one that does not."""
        return checked(SYSTEM, self.url, self.version)

    def _status(self) -> _Status:
        return self._backend.decode(self._backend.expect_ok(self._backend.get("/api/v2/status")), _Status)


def parse_webhook(body: bytes) -> WebhookMessage:
    """One webhook message, version 4 (alertmanager `notify/webhook/webhook.go`).

    Raises InvalidFile naming the key, for anything without usable `alerts`.
    """
    try:
        message = msgspec.json.decode(body, type=ready(_Webhook))
    except msgspec.ValidationError as error:
        what, _, key = str(error).partition(" - at ")
        raise _bad(visible(what, 200), visible(key.strip("`").removeprefix("$."), 200)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad("is not JSON", why=visible(str(error), 200)) from error
    if message.version != "4":
        raise _bad(f"version {visible(message.version, 20)!r} is not known", "version")
    for index, item in enumerate(message.alerts):
        if item.status not in ("firing", "resolved"):
            raise _bad(f"{visible(item.status, 40)!r} is not firing or resolved", f"alerts[{index}].status")
    return WebhookMessage(
        alerts=tuple(
            _alert(item, firing=item.status == "firing", source="alertmanager-webhook")
            for item in message.alerts
        ),
        truncated=max(message.truncated_alerts, 0),
        group_key=Untrusted(message.group_key),
        status=Untrusted(message.status),
    )


def _bad(what: str, key: str = "", why: str = "") -> InvalidFile:
    return InvalidFile(
        what, file="webhook message", key=key, why=why, fix="send the default payload, version 4"
    )


def _alert(
    item: _ApiAlert | _WebhookAlert, *, firing: bool, source: str, status: _State | None = None
) -> Alert:
    held_by = [] if status is None else [status.silenced_by, status.inhibited_by, status.muted_by]
    return Alert(
        fingerprint=Untrusted(item.fingerprint or fingerprint_of(item.labels)),
        firing=firing,
        labels=_untrusted(item.labels),
        annotations=_untrusted(item.annotations or {}),
        starts_at=_utc(item.starts_at),
        # Go's zero time stands for "not known".
        ends_at=_utc(item.ends_at) if item.ends_at is not None and item.ends_at.year > 1 else None,
        generator_url=Untrusted(item.generator_url or ""),
        suppressed_by=tuple(Untrusted(name) for names in held_by for name in names or ()),
        source=source,
    )


def _silence(item: _Silence) -> Silence:
    return Silence(
        id=item.id,
        state=item.status.state,
        matchers=tuple(
            sorted(Matcher(one.name, one.value, one.is_regex, one.is_equal) for one in item.matchers)
        ),
        starts_at=_utc(item.starts_at),
        ends_at=_utc(item.ends_at),
        created_by=Untrusted(item.created_by),
        comment=Untrusted(item.comment),
    )


def _untrusted(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name: Untrusted(value) for name, value in pairs.items()}


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
