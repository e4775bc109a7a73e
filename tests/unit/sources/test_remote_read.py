"""Where chunks cannot be read, or do not come, the query API is asked instead, and from then on."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from google_crc32c import value as crc32c

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.slo.ports import TooMuch
from maestro_cli.sources.prometheus_raw import RawPrometheus
from maestro_cli.sources.remote_read import STREAMED, Damaged, read_series
from tests.unit.sources.test_xor_chunks import bits_of, encoded

END = datetime(2026, 10, 5, tzinfo=UTC)
START = END - timedelta(days=2)
SAMPLE = [END.timestamp() - 60, "7"]
ANSWER_SECONDS = 0.5


def test_where_only_python_reckons_checksums_they_are_the_same_and_nothing_is_said() -> None:
    code = (
        "import sys; sys.modules['google_crc32c.cext'] = None\n"
        "import maestro_cli.sources.remote_read as read, google_crc32c.python\n"
        "assert read.crc32c is google_crc32c.python.value\n"
        "print(f'{read.crc32c(b\"123456789\"):08x}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("e3069283\n", "")


def _framed(chunk: bytes) -> bytes:
    label = b"\x0a\x08__name__\x12\x01r"
    series = b"\x0a" + bytes([len(label)]) + label + b"\x12" + bytes([len(chunk)]) + chunk
    message = b"\x0a" + bytes([len(series)]) + series
    checksum: bytes = crc32c(message).to_bytes(4)
    return bytes([len(message)]) + checksum + message


def _chunk(encoding: int | None) -> bytes:
    told = b"" if encoding is None else b"\x18" + bytes([encoding])
    return told + b"\x22\x02\x00\x00"


@contextmanager
def answering(read: bytes | None, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Its URL, and the paths asked for; remote read is answered so, or None: not before the end."""
    over, asked = threading.Event(), list[str]()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def _tell(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            asked.append("read")
            if read is None:
                over.wait(60)
                return
            self._tell(read, STREAMED, status)

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            asked.append("probe" if "vector" in where.query else where.path.rpartition("/")[2])
            found = [{"metric": {"__name__": "r"}, "values": [SAMPLE]}]
            data: dict[str, Any] = {"resultType": "matrix", "result": found, "yaml": "global: {}"}
            self._tell(json.dumps({"status": "success", "data": data}).encode(), "application/json")

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            over.set()
            server.shutdown()


@pytest.mark.parametrize("encoding", [None, 0, 4, 5, 7])
def test_a_chunk_that_nobody_knows_is_an_error_and_no_missing_series(encoding: int | None) -> None:
    with pytest.raises(ValueError, match="encoded"):
        list(read_series(_framed(_chunk(encoding)), START, END))


def _two_frames() -> tuple[bytes, int]:
    """Two frames of a series, and where the second begins."""
    times = [round(START.timestamp() * 1000) + 1000 * second for second in range(4)]
    frames = []
    for own in (times[:2], times[2:]):
        data = encoded([(at, bits_of(1.0)) for at in own])
        frames.append(_framed(b"\x18\x01\x22" + bytes([len(data)]) + data))
    return b"".join(frames), len(frames[0])


def test_a_flipped_bit_anywhere_in_a_frame_or_its_checksum_is_refused_with_the_number_of_the_frame() -> None:
    whole, second = _two_frames()
    (one,) = read_series(whole, START, END)
    assert list(one.values) == [1.0] * 4
    for begin, number in ((0, 1), (second, 2)):
        end = second if number == 1 else len(whole)
        for at in range(begin + 1, end):  # the first byte is the length, which no checksum is over
            for bit in range(8):
                damaged = bytearray(whole)
                damaged[at] ^= 1 << bit
                with pytest.raises(Damaged, match=f"^frame {number} is not what its checksum says: "):
                    list(read_series(bytes(damaged), START, END))


def test_a_damaged_answer_is_told_and_its_samples_are_asked_by_queries() -> None:
    whole, _ = _two_frames()
    with answering(whole[:-1] + bytes([whole[-1] ^ 1])) as (url, asked):
        source = RawPrometheus(Endpoint(url), timeout_seconds=ANSWER_SECONDS)
        with closing(source):
            (one,) = source.samples("r", START, END)
            assert list(one.values) == [7.0]
            assert (
                f"remote read of {source.url}: frame 2 is not what its checksum says" in source.why_no_chunks
            )
    assert (asked.count("read"), asked.count("query")) == (1, 1)


@pytest.mark.parametrize("encoding", [2, 3])
def test_native_histograms_are_no_samples(encoding: int) -> None:
    assert list(read_series(_framed(_chunk(encoding)), START, END)) == []


@pytest.mark.parametrize(
    ("read", "status"),
    [(_framed(_chunk(4)), 200), (_framed(_chunk(None)), 200), (None, 200), (b"", 502), (b"", 504)],
    ids=["another encoding", "no encoding", "hangs", "bad gateway", "gateway timeout"],
)
def test_where_chunks_do_not_come_queries_tell_all_from_then_on(read: bytes | None, status: int) -> None:
    with answering(read, status) as (url, asked):
        source = RawPrometheus(Endpoint(url), timeout_seconds=ANSWER_SECONDS)
        with closing(source):
            for _ in range(2):
                (one,) = source.samples("r", START, END)
                assert list(one.values) == [7.0]
    assert (asked.count("read"), asked.count("query")) == (1, 2)


def test_of_many_who_ask_at_once_the_first_waits_for_chunks_that_do_not_come() -> None:
    found: list[float] = []

    def ask(source: RawPrometheus) -> None:
        found.extend(value for one in source.samples("r", START, END) for value in one.values)

    with answering(None) as (url, asked):
        source = RawPrometheus(Endpoint(url), timeout_seconds=ANSWER_SECONDS)
        with closing(source):
            who = [threading.Thread(target=ask, args=(source,)) for _ in range(5)]
            for one in who:
                one.start()
            for one in who:
                one.join()
            assert "was not answered: samples are asked by queries" in source.why_no_chunks
    assert found == [7.0] * 5
    assert asked.count("read") == 1


def test_of_a_chunk_only_the_samples_of_the_time_that_was_asked_for_are_told() -> None:
    """A store may give chunks whole; Prometheus cuts those at the ends itself."""
    first, last = (round(at.timestamp() * 1000) for at in (START, END))
    times = [first - 1, first, first + 1, last - 1, last, last + 1]
    data = encoded([(at, bits_of(float(at - first))) for at in times])
    chunk = b"\x18\x01\x22" + bytes([len(data)]) + data
    (one,) = read_series(_framed(chunk), START, END)
    assert [round(at * 1000) for at in one.times] == times[1:4]
    assert [round(value) for value in one.values] == [0, 1, last - 1 - first]


def test_a_month_of_chunks_that_does_not_come_is_asked_for_by_queries_in_few_days() -> None:
    with answering(None) as (url, asked):
        source = RawPrometheus(Endpoint(url), timeout_seconds=ANSWER_SECONDS)
        with closing(source):
            assert source.days_at_once > 30
            with pytest.raises(TooMuch):
                list(source.samples("r", END - timedelta(days=30), END))
            assert source.days_at_once == 4
    assert "query" not in asked


def test_one_that_answers_nothing_at_all_is_unreachable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        source = RawPrometheus(Endpoint(url), timeout_seconds=ANSWER_SECONDS)
        source._has_chunks = True
        with closing(source), pytest.raises(Unreachable):
            list(source.samples("r", START, END))
        assert source._has_chunks is True
