"""PromQL literals, credentials and limits of the Prometheus source; its answers are a contract test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import InvalidFile, InvalidQuery, Refused, Unreachable
from maestro_cli.sources.prometheus import Prometheus

Serve = Callable[[bytes | Callable[[], Iterator[bytes]]], Any]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def http(status: int, body: str) -> bytes:
    data = body.encode()
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        len(data),
        data,
    )


def test_numbers_that_are_no_numbers_stay_so(scripted: Serve) -> None:
    vector = ",".join(
        f'{{"metric":{{"v":"{text}"}},"value":[1.5,"{text}"]}}' for text in ("NaN", "+Inf", "-Inf")
    )
    body = (
        f'{{"status":"success","data":{{"resultType":"vector","result":[{vector}]}},"warnings":["partial"]}}'
    )
    prometheus = Prometheus(Endpoint(scripted(http(200, body)).url))
    answer = prometheus.query("x")
    prometheus.close()
    assert math.isnan(answer.samples[0].value)
    assert [sample.value for sample in answer.samples[1:]] == [math.inf, -math.inf]
    assert answer.warnings == ("partial",)
    assert answer.at == datetime.fromtimestamp(1.5, UTC)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"status":"error","errorType":"bad_data","error":"parse error: \\u001b[0m"}', InvalidQuery),
        (422, '{"status":"error","errorType":"execution","error":"too many samples"}', InvalidQuery),
        (400, "<html>bad gateway</html>", Unreachable),
        (401, "", Refused),
        (404, "404 page not found", Unreachable),
        (503, '{"status":"error","errorType":"timeout","error":"query timed out"}', Unreachable),
        (502, "<html>", Unreachable),
        (200, '{"status":"success"}', Unreachable),
        (200, "null", Unreachable),
        (200, '{"data":{"resultType":"vector","result":{"a":1}}}', Unreachable),
        (200, '{"data":{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"1"]}]}}', Unreachable),
        (200, '{"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"one"]}]}}', Unreachable),
        (200, '{"data":{"resultType":"vector","result":[{"metric":{},"value":[1e300,"1"]}]}}', Unreachable),
        (200, '{"data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}', InvalidQuery),
        (200, '{"data":{"resultType":"matrix","result":[]}}', InvalidQuery),
        (200, '{"data":{"resultType":"string","result":[1,"x"]}}', InvalidQuery),
    ],
)
def test_each_answer_becomes_its_error(
    status: int, body: str, kind: type[Exception], scripted: Serve
) -> None:
    prometheus = Prometheus(Endpoint(scripted(http(status, body)).url))
    with pytest.raises(kind) as caught:
        prometheus.query("up")
    prometheus.close()
    assert "\x1b" not in str(vars(caught.value))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, "slow down"),
        (500, "<html>"),
        (503, "starting"),
        (302, ""),
        (200, "<html>log in!</html>"),
        (200, '{"status":"success"}'),
        (200, '{"data":{"yaml":"global:\\n  external_labels: [cluster]\\n"}}'),
        (200, '{"data":{"yaml":"global:\\n  external_labels: {cluster: \\n"}}'),
    ],
)
def test_external_labels_that_cannot_be_read_are_an_error_and_not_none(
    status: int, body: str, scripted: Serve
) -> None:
    prometheus = Prometheus(Endpoint(scripted(http(status, body)).url))
    with pytest.raises(Unreachable):
        prometheus.external_labels()
    prometheus.close()


@pytest.mark.parametrize(
    ("status", "body", "labels"),
    [
        (400, 'unsupported path requested: "/api/v1/status/config"', {}),
        (404, "404 page not found", {}),
        (405, "", {}),
        (501, "", {}),
        (200, '{"data":{"yaml":"scrape_configs: []\\n"}}', {}),
        (200, '{"data":{"yaml":"global:\\n  external_labels:\\n    cluster: a\\n"}}', {"cluster": "a"}),
    ],
)
def test_a_system_without_a_configuration_has_no_external_labels(
    status: int, body: str, labels: dict[str, str], scripted: Serve
) -> None:
    prometheus = Prometheus(Endpoint(scripted(http(status, body)).url))
    assert prometheus.external_labels() == labels
    prometheus.close()


def test_a_range_has_1_to_11000_points(closed_port: int) -> None:
    prometheus = Prometheus(Endpoint(f"http://127.0.0.1:{closed_port}"))
    for step, end in ((1, NOON + timedelta(hours=4)), (0, NOON), (1, NOON - timedelta(1))):
        with pytest.raises(InvalidQuery, match="points"):
            prometheus.query_range("up", NOON, end, step)
    with pytest.raises(Unreachable):  # the limit itself is asked
        prometheus.query_range("up", NOON, NOON + timedelta(seconds=10_999), 1)
    prometheus.close()


def test_range_bounds_keep_their_fractions_and_credentials_are_read_at_each_request(
    scripted: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login thief password p\n", encoding="utf-8")
    (tmp_path / "token").write_text("one\n", encoding="utf-8")
    server = scripted(http(200, '{"data":{"resultType":"matrix","result":[]}}'))
    prometheus = Prometheus(Endpoint(server.url, token=f"file:{tmp_path / 'token'}"))
    start = NOON + timedelta(seconds=0.25)
    assert prometheus.query_range("up", start, start + timedelta(seconds=2), 0.5) == ()
    (tmp_path / "token").write_text("two\n", encoding="utf-8")
    prometheus.query_range("up", start, start, 0.5)
    prometheus.close()
    assert b"start=1767268800.25&end=1767268802.25&step=0.5" in server.requests[0]
    assert b"Authorization: Bearer one\r\n" in server.requests[0]
    assert b"Authorization: Bearer two\r\n" in server.requests[1]


def test_netrc_is_never_sent(scripted: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login thief password p\n", encoding="utf-8")
    server = scripted(http(200, '{"data":{"resultType":"vector","result":[]}}'))
    prometheus = Prometheus(Endpoint(server.url))
    assert prometheus.query("up").samples == ()
    prometheus.close()
    assert b"Authorization" not in server.requests[0]


def test_a_long_query_goes_as_a_form(scripted: Serve) -> None:
    server = scripted(http(200, '{"data":{"resultType":"vector","result":[]}}'))
    prometheus = Prometheus(Endpoint(server.url))
    prometheus.query("up + " * 2000 + "up")
    prometheus.close()
    assert server.requests[0].startswith(b"POST /api/v1/query HTTP/1.1")


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("http://h", ca_file="/absent"),
        Endpoint("http://h", ca_file=__file__),
    ],
)
def test_a_bad_authority_file_is_invalid(endpoint: Endpoint) -> None:
    with pytest.raises(InvalidFile, match="ca_file"):
        Prometheus(endpoint)


@pytest.mark.parametrize("token", ["plain", "env:MAESTRO_TEST_ABSENT", "file:/absent"])
def test_a_secret_that_leads_nowhere_is_invalid(token: str, closed_port: int) -> None:
    prometheus = Prometheus(Endpoint(f"http://127.0.0.1:{closed_port}", token=token))
    with pytest.raises(InvalidFile):
        prometheus.query("up")
    assert not prometheus.check().ok
    prometheus.close()
