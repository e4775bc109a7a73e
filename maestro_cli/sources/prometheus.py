"""Prometheus, and what speaks its HTTP API (Thanos, Mimir, VictoriaMetrics).

Invariant: an answer is complete or an error; NaN and infinities stay what they are; a query is data for
the backend, and text put into one goes through `core.promql`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile, InvalidQuery, MaestroError, Unreachable
from maestro_cli.core.facts.alerts import Alert, fingerprint_of
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.facts.metrics import Instant, Sample, Series
from maestro_cli.core.facts.rules import LoadedRule
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.sources.credentials import authorization, tls_context
from maestro_cli.sources.deadline import within
from maestro_cli.sources.failures import (
    checked_url,
    not_like,
    quoted,
    refused,
    server_error,
    shown_url,
    unreachable,
)
from maestro_cli.sources.http import CONNECT_SECONDS, checked
from maestro_cli.sources.prometheus_rules import RuleGroups, loaded_rules

if TYPE_CHECKING:
    from requests import Response

SYSTEM = "Prometheus"
MAX_POINTS = 11_000  # a series; Prometheus's own limit
MAX_BYTES = 64 * 2**20
_CONFIG_PATH = "/api/v1/status/config"
_NOT_THERE = (400, 404, 405, 501)  # how a compatible system says so; VictoriaMetrics answers 400
T = TypeVar("T")


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] | None = None


class _Data(msgspec.Struct, rename="camel"):
    result_type: str = ""


class _Envelope(msgspec.Struct):
    """What the library drops from an answer."""

    data: _Data = msgspec.field(default_factory=_Data)
    warnings: list[str] | None = None


class _Failure(msgspec.Struct, rename="camel"):
    status: str = ""
    error_type: str = ""
    error: str = ""


class _Alert(msgspec.Struct, rename="camel"):
    labels: dict[str, str]
    state: str
    active_at: datetime
    annotations: dict[str, str] | None = None


class _Alerts(msgspec.Struct):
    alerts: list[_Alert]


class _Config(msgspec.Struct):
    yaml: str = ""


class _Global(msgspec.Struct):
    external_labels: dict[str, str] = {}


class _Settings(msgspec.Struct):
    global_: _Global | None = msgspec.field(name="global", default=None)


class _Build(msgspec.Struct):
    version: str = ""


class _Target(msgspec.Struct):
    health: str = "unknown"


class _Targets(msgspec.Struct, rename="camel"):
    active_targets: list[_Target] | None = None


class _Answer(msgspec.Struct):
    """Any successful answer, its data still undecoded."""

    data: msgspec.Raw


class Prometheus:
    """One Prometheus. Methods raise Unreachable and Refused besides what they say."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_seconds: float = 4,
        max_bytes: int = MAX_BYTES,
        secrets: Secrets = NO_VAULT,
    ) -> None:
        # 0.12 to 0.22 s, most of it requests; the class's own module leaves pandas and dateparser alone.
        from prometheus_api_client.exceptions import PrometheusApiClientException
        from prometheus_api_client.prometheus_connect import PrometheusConnect
        from requests import RequestException
        from urllib3.util.retry import Retry

        from maestro_cli.sources.bounded_session import BoundedSession, HeaderAuth

        self._base = checked_url(endpoint.url, SYSTEM)
        self.url = shown_url(endpoint.url)
        self._seconds = timeout_seconds
        self._session = BoundedSession(
            HeaderAuth(partial(authorization, endpoint, SYSTEM, secrets)),
            timeouts=(min(CONNECT_SECONDS, timeout_seconds), timeout_seconds),
            max_bytes=max_bytes,
        )
        self._session.verify = endpoint.ca_file or True
        tls_context(endpoint, SYSTEM)  # refuse a bad ca_file here, with its name
        # No retries: a person waits, and the deadline is short.
        self._client = PrometheusConnect(self._base, session=self._session, retry=Retry(0, read=False))
        self._library_error = PrometheusApiClientException
        self._wire_errors = (RequestException, TimeoutError, OSError)

    def close(self) -> None:
        """Close its connections; the source is of no use afterwards."""
        self._session.close()

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        """Evaluate at that instant, or at the server's now.

        Raises InvalidQuery with Prometheus's message, and for a query that gives no numbers.
        """
        params = {"timeout": f"{self._seconds:g}s", **({"time": to_rfc3339(at)} if at is not None else {})}
        result, envelope = self._ask(partial(self._client.custom_query, promql, params))
        kind = envelope.data.result_type
        if kind == "scalar":
            result = [{"metric": {}, "value": result}]
        elif kind != "vector":
            why = f"it gives a {visible(kind, 40)}"
            raise InvalidQuery(
                f"the query {_short(promql)} does not give one number a series", why=why,
                fix="wrap a range in rate(), increase() or an …_over_time function",
            )  # fmt: skip
        samples = tuple(self._sample(item, promql) for item in self._typed(result, list[_Sample]))
        instant = at or (samples[0].at if samples else datetime.now(UTC))
        return Instant(promql, instant, samples, tuple(Untrusted(text) for text in envelope.warnings or ()))

    def query_range(
        self, promql: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """Evaluate every step from start to end; raises InvalidQuery, also for over 11,000 points."""
        span = (end - start).total_seconds()
        if step_seconds <= 0 or span < 0 or span / step_seconds + 1 > MAX_POINTS:
            least = max(span, 0) / (MAX_POINTS - 1)
            raise InvalidQuery(
                f"{span:g} s in steps of {step_seconds:g} s is not 1 to {MAX_POINTS} points",
                fix=f"use a step of {least:.3g} s or more, and an end after the start",
            )
        # The library rounds to whole seconds; params of the same name win.
        params = {"start": start.timestamp(), "end": end.timestamp(), "timeout": f"{self._seconds:g}s"}
        ask = partial(self._client.custom_query_range, promql, start, end, str(step_seconds), params)
        result, _ = self._ask(ask)
        return tuple(
            Series(_labels(item.metric), tuple(map(self._point, item.values)))
            for item in self._typed(result, list[_Series])
            if item.values
        )

    def alerts(self) -> tuple[Alert, ...]:
        """Pending and firing alerts; `firing` tells them apart.

        They have the labels, and so the computed fingerprints, that Alertmanager is given: with the external
        labels, which the API leaves out; only `alert_relabel_configs` is not known here. An alert starts
        when its expression began to hold, so that the `for` of its rule counts.
        """
        told = self._get("/api/v1/alerts", _Alerts).alerts
        external = self.external_labels() if told else {}
        return tuple(_alert(item, {**external, **item.labels}) for item in told)

    def parse(self, promql: str) -> str:
        """The query as it prints it; nothing is evaluated. Raises InvalidQuery for what is no PromQL."""
        return visible(self._get(f"/api/v1/format_query?{urlencode({'query': promql})}", str), 10_000)

    def rules(self) -> tuple[LoadedRule, ...]:
        """The rules it has loaded, in their order; a query as it prints it, not as it was written."""
        return loaded_rules(self._get("/api/v1/rules", RuleGroups))

    def external_labels(self) -> Mapping[str, str]:
        """What it adds to every alert it sends; empty where a compatible system has no such answer.

        Any other failure is raised: without its labels every alert would be another signal for a while.
        """
        response = self._exchange(self._base + _CONFIG_PATH)
        if response.status_code in _NOT_THERE:
            return {}
        if response.status_code != 200:
            raise self._error(response)
        try:
            return _external_labels(_data(response, _Config).yaml)
        except (msgspec.DecodeError, RecursionError) as error:
            raise not_like(SYSTEM, self._base, f"{_CONFIG_PATH} answers something else: {error}") from error
        except InvalidFile as error:
            raise not_like(
                SYSTEM, self._base, f"the global section of its configuration: {error.why}"
            ) from error

    def version(self) -> str:
        """The version it says, or "" when it does not tell."""
        return visible(self._get("/api/v1/status/buildinfo", _Build).version, 80)

    def ready(self) -> bool:
        """Whether it says that it can serve queries; raises Unreachable when nothing answers."""
        return bool(self._exchange(f"{self._base}/-/ready").status_code == 200)

    def target_health(self) -> Mapping[str, int]:
        """How many active scrape targets are `up`, `down` or `unknown`."""
        data, _ = self._ask(partial(self._client.get_targets, "active"))
        targets = self._typed(data, _Targets).active_targets or []
        return Counter(visible(target.health, 20) for target in targets)

    def check(self) -> EndpointCheck:
        """Whether it evaluates a query, which is what maestro needs of it."""
        return checked(SYSTEM, self.url, self._version_of_a_working_one)

    def _version_of_a_working_one(self) -> str:
        self.query("vector(1)")
        try:
            return self.version()
        except Unreachable:
            return ""  # not every compatible system has build information

    def _get(self, path: str, kind: type[T]) -> T:
        response = self._exchange(self._base + path)
        if response.status_code != 200:
            raise self._error(response)
        try:
            return _data(response, kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise not_like(SYSTEM, self._base, f"{path} answers something else: {error}") from error

    def _exchange(self, url: str) -> Response:
        return self._bounded(lambda: self._session.request("GET", url))

    def _ask(self, call: Callable[[], Any]) -> tuple[Any, _Envelope]:
        """Run a call of the library, and give also what it drops from the answer."""

        def run() -> tuple[Any, _Envelope]:
            result = call()
            return result, msgspec.json.decode(self._session.latest.content, type=ready(_Envelope))

        return self._bounded(run)

    def _bounded(self, run: Callable[[], T]) -> T:
        try:
            return within(self._seconds + 0.25, partial(self._translated, run))
        except self._wire_errors as error:
            raise unreachable(SYSTEM, self._base, error, self._seconds) from error

    def _translated(self, run: Callable[[], T]) -> T:
        try:
            return run()
        except self._library_error as error:
            # The library keeps of the answer only a text; the session has all of it.
            raise self._error(self._session.latest) from error
        except OverflowError as error:
            raise not_like(SYSTEM, self._base, str(error)) from error
        except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError) as error:
            # 200, and no JSON or another shape of it.
            raise not_like(SYSTEM, self._base, f"expected JSON: {type(error).__name__}: {error}") from error

    def _error(self, response: Response) -> MaestroError:
        status, body = response.status_code, response.content
        if status in (401, 403):
            return refused(SYSTEM, self._base, status, quoted(body))
        if status == 429 or (status >= 500 and status != 503):
            return server_error(SYSTEM, self._base, status, body, safe=True)
        try:
            failure = msgspec.json.decode(body, type=ready(_Failure))
        except (msgspec.DecodeError, RecursionError):
            failure = _Failure()
        if status in (400, 422) and failure.status == "error":
            return InvalidQuery("Prometheus cannot evaluate the query", why=quoted(failure.error))
        if status == 503:
            return server_error(SYSTEM, self._base, status, failure.error or body, safe=True)
        if 300 <= status < 400:
            return not_like(
                SYSTEM, self._base, f"it redirects to {quoted(response.headers.get('location', 'nowhere'))}"
            )
        return not_like(SYSTEM, self._base, f"HTTP {status}: {quoted(body)}")

    def _typed(self, data: Any, kind: type[T]) -> T:
        try:
            return msgspec.convert(data, ready(kind))
        except msgspec.ValidationError as error:
            raise not_like(SYSTEM, self._base, str(error)) from error

    def _sample(self, item: _Sample, promql: str) -> Sample:
        if item.value is None:
            raise InvalidQuery(
                f"the query {_short(promql)} gives histograms, not numbers", fix="use histogram_quantile()"
            )
        at, value = self._point(item.value)
        return Sample(_labels(item.metric), value, at)

    def _point(self, pair: tuple[float, str]) -> tuple[datetime, float]:
        try:
            # Values are text: `NaN`, `+Inf` and `-Inf` as Go prints them.
            return datetime.fromtimestamp(pair[0], UTC), float(pair[1])
        except (ValueError, OverflowError, OSError) as error:
            raise not_like(SYSTEM, self._base, f"a point of a series is no point: {error}") from error


def _alert(item: _Alert, labels: Mapping[str, str]) -> Alert:
    known = {name: value for name, value in labels.items() if value}  # an empty label is none
    return Alert(
        fingerprint=fingerprint_of(known),
        firing=item.state == "firing",
        labels=_labels(known),
        annotations=_labels(item.annotations or {}),
        starts_at=item.active_at.astimezone(UTC),
        source="prometheus",
    )


def _data(response: Response, kind: type[T]) -> T:
    """What an answer is about; raises msgspec.DecodeError."""
    answer = msgspec.json.decode(response.content, type=ready(_Answer))
    return msgspec.json.decode(answer.data, type=ready(kind))


def _external_labels(config: str) -> dict[str, str]:
    """The external labels of a configuration as Prometheus prints it: one line each, in `global`.

    The rest of the file, which may be long, is not looked at. Raises InvalidFile when the section is none.
    """
    lines = iter(config.splitlines())
    for line in lines:
        if line.startswith("global:"):
            break
    section = takewhile(lambda line: line[:1] in (" ", "\t"), lines)
    told = parse_yaml("\n".join(["global:", *section]), "Prometheus's configuration").decode(_Settings)
    return told.global_.external_labels if told.global_ is not None else {}


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: Untrusted(value) for name, value in labels.items()}


def _short(promql: str) -> str:
    return visible(" ".join(promql.split()), 120)
