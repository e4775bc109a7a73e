"""Samples that a real Prometheus gives as chunks are those that its query API tells, to the last bit."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google_crc32c import value as crc32c

from maestro_cli.config.settings import Endpoint
from maestro_cli.slo.ports import RawSeries, TooMuch
from maestro_cli.sources import prometheus_raw, remote_read
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import recorded_prometheus, running_prometheus
from tests.contract.slo.lived import openmetrics, services
from tests.contract.slo.native_histograms import write_samples

pytestmark = pytest.mark.contract
SECONDS = 2 * 3600
START = datetime(2026, 10, 1, 23, tzinfo=UTC)
END = START + timedelta(seconds=SECONDS)


def _odd() -> Iterator[str]:
    """Values of every kind at times that jitter, and a series of which nothing is left but that it ended."""
    chance = random.Random(3)
    for kind in ("NaN", "+Inf", "-1", "0.1", "1e300", "5e-324", "9007199254740993"):
        for number in range(150):
            value = kind if number % 3 else chance.random() * 10 ** chance.randrange(12)
            yield f'odd{{kind="{kind}"}} {value} {START.timestamp() + 30 * number + chance.random():.3f}'


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a day JSON is asked for, which is sooner there."""
    monkeypatch.setattr(prometheus_raw, "_FEW", timedelta(0))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = openmetrics(services(60, SECONDS, seed=11), round(START.timestamp()))
    text = text.replace("# EOF\n", "\n".join((*_odd(), "# EOF\n")))
    folder = tmp_path_factory.mktemp("chunks")
    with recorded_prometheus(folder, text, "--storage.remote.read-max-bytes-in-frame=900") as found:
        yield found  # frames so small that a series goes on in the next


def _told(source: RawPrometheus, selector: str, start: datetime, end: datetime) -> list[Any]:
    """With values as their bits: NaN is not equal to itself."""
    return [
        (sorted(one.labels.items()), list(one.times), [value.hex() for value in one.values])
        for one in source.samples(selector, start, end)
    ]


def _both(url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[RawPrometheus, RawPrometheus]:
    chunks, json = RawPrometheus(Endpoint(url=url)), RawPrometheus(Endpoint(url=url))
    monkeypatch.setattr(json, "_has_chunks", False)
    assert chunks.days_at_once > json.days_at_once
    return chunks, json


@pytest.mark.parametrize(
    "selector",
    [
        "r_total",
        'r_total{code=~"5.."}',
        'r_total{code!~"5..",service!="s1"}',
        '{__name__=~"r_total|odd",service=""}',
        "odd",
        'odd{kind="NaN"}',
        "nowhere",
        'r_total{service="}\\"\\n"}',
    ],
)
@pytest.mark.parametrize("minutes", [(0, 120), (13, 14), (37, 95), (-500, -300)])
def test_chunks_hold_what_the_query_api_tells(
    url: str, selector: str, minutes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks, json = _both(url, monkeypatch)
    start, end = (START + timedelta(minutes=one) for one in minutes)
    with closing(chunks), closing(json):
        with monkeypatch.context() as without:
            without.setattr(chunks, "_matrix", None)  # nothing is asked by JSON
            found = _told(chunks, selector, start, end)
        assert found == _told(json, selector, start, end)


def test_what_is_not_yet_on_the_disk_is_told_without_the_marks_of_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that is scraped no more ends with a mark, which PromQL leaves out, and is a NaN of its own."""
    (tmp_path / "data").mkdir()
    (stale,) = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    begin = round(end.timestamp() * 1000) - 400 * 5000
    found = [(begin + 5000 * index, stale if index % 150 == 149 else 1.0 * index) for index in range(400)]
    with running_prometheus(tmp_path, "--web.enable-remote-write-receiver") as url:
        write_samples(url, {"__name__": "r_total"}, found)
        chunks, json = _both(url, monkeypatch)
        first, last = (end - timedelta(seconds=5 * (400 - index)) for index in (100, 300))
        with closing(chunks), closing(json):
            told = _told(json, "r_total", first, last)
            monkeypatch.setattr(chunks, "_matrix", None)
            assert _told(chunks, "r_total", first, last) == told
    assert len(told[0][1]) == 200 - 2  # the sample at the start, and not that at the end


def test_chunks_of_another_encoding_are_asked_by_queries(tmp_path: Path) -> None:
    """XOR2, which a Prometheus from 3.13 on has where its configuration says so."""
    (tmp_path / "data").mkdir()
    config = "storage: {tsdb: {chunk_encoding: {floats: xor2}}}"
    told = subprocess.run(["prometheus", "--version"], check=True, capture_output=True, text=True)
    if (version := tuple(map(int, re.findall(r"\d+", told.stdout + told.stderr)[:2]))) < (3, 13):
        pytest.skip(f"Prometheus {version} has one encoding of floats")
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    begin = round(end.timestamp() * 1000) - 400 * 5000
    with running_prometheus(tmp_path, "--web.enable-remote-write-receiver", config=config) as url:
        found = [(begin + 5000 * index, 3.0 * index) for index in range(401)]
        write_samples(url, {"__name__": "r_total", "a.b": "x"}, found)
        with closing(RawPrometheus(Endpoint(url=url))) as source:
            first, last = (end - timedelta(seconds=5 * (400 - index)) for index in (100, 300))
            (one,) = source.samples("r_total", first, last)
            assert source.days_at_once == prometheus_raw._DAYS_OF_JSON
    assert list(one.values) == [3.0 * index for index in range(100, 300)]
    assert one.labels["a.b"] == "x"


def test_an_answer_of_too_many_samples_is_too_much(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_read, "MOST_SAMPLES", 1000)
    with closing(RawPrometheus(Endpoint(url=url))) as source, pytest.raises(TooMuch):
        list(source.samples("r_total", START, END))


def test_nothing_is_taken_of_a_selector_that_promql_refuses(url: str) -> None:
    with closing(RawPrometheus(Endpoint(url=url))) as source, pytest.raises(Exception, match="evaluate"):
        list(source.samples('{job=""}', START, END))


@pytest.mark.parametrize(
    "config",
    [
        "global: {external_labels: {service: s1}}",
        "remote_read: [{url: http://127.0.0.1:1/read}]",
    ],
)
def test_one_that_adds_to_what_it_holds_is_asked_by_queries(
    tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remote read would add the label to each series, and take a matcher of it for none."""
    (tmp_path / "data").mkdir()
    with running_prometheus(tmp_path, config=config) as url, closing(RawPrometheus(Endpoint(url=url))) as one:
        asked: list[str] = []
        monkeypatch.setattr(one, "_matrix", lambda path, _: iter(asked.append(path) or ()))  # type: ignore[func-returns-value]
        assert list(one.samples("r_total", START, END)) == []
        assert asked == ["query"]


def test_an_error_within_an_answer_is_no_answer() -> None:
    """Prometheus writes it after the frames it has sent, with HTTP 200 before them."""
    whole = b"\x02" + crc32c(b"\x0a\x00").to_bytes(4) + b"\x0a\x00"
    assert list(remote_read.read_series(whole, START, END)) == []
    for text in (b"context deadline exceeded\n", b"\n", b"x" * 300, b"\x0a", whole[:-1]):
        with pytest.raises(ValueError, match=r"cut off|none|nobody|checksum"):
            list(remote_read.read_series(whole + text, START, END))


def test_a_system_that_has_no_remote_read_is_asked_by_queries(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_read, "STREAMED", "application/x-another")
    with closing(RawPrometheus(Endpoint(url=url))) as source:
        found: list[RawSeries] = list(source.samples("odd", START, END))
        assert len(found) == 7
        assert source.days_at_once < 31
