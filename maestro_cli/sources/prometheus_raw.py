"""What Prometheus holds, as it was scraped, for objectives that are measured over long times.

Invariant: samples are those with start <= time < end, whatever of the two ends a version of Prometheus counts
in; an answer that is too large is TooMuch, not a part of one, and one that says of itself that something may
be missing is NoData.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidQuery, MaestroError, NoData, Unreachable
from maestro_cli.core.facts.metrics import HeadSeries
from maestro_cli.core.quantities import parse_duration_seconds, prometheus_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.slo.measuring.selectors import parse_selector
from maestro_cli.slo.ports import RawSeries, TooMuch
from maestro_cli.sources.deadline import within
from maestro_cli.sources.failures import QUOTE_LIMIT, not_like, unreachable
from maestro_cli.sources.prometheus import MAX_POINTS, SYSTEM, Prometheus

if TYPE_CHECKING:
    from requests import Response

T = TypeVar("T")
_DAYS_OF_CHUNKS = 33  # a month and what is looked at before it
_FEW = timedelta(days=1)  # of two series as many samples as are decoded of JSON while chunks are once
_DAYS_OF_JSON = 4  # so that the numbers of an answer stay in the processor's cache: ten took a fifth longer
_NOT_ALL_HERE = re.compile(r"^(\s*external_labels|remote_read):", re.MULTILINE)
TIMEOUT_SECONDS = 30.0  # ten days of samples are read from the disk
PROBE_SECONDS = 10.0  # what costs nothing is answered in, by whoever answers at all
_LEAST = 0.001  # seconds: times of samples are whole milliseconds
_HINT = "PromQL info:"  # of versions before 3, which have it among the warnings: nothing is missing
_NO_TIME = "0001-01-01"  # Go's zero time
_ITS_OWN_TROUBLE = (500, 503)  # which passes; 501 says that it cannot, and 502 and 504 are of a proxy
_TOO_MANY = ("too many samples", "exceeded maximum resolution")


class _Item(msgspec.Struct):
    metric: dict[str, str]
    values: msgspec.Raw = msgspec.Raw(b"[]")


class _Data(msgspec.Struct, rename="camel"):
    result_type: str = ""
    result: list[_Item] = []


class _Matrix(msgspec.Struct, rename="camel"):
    """`warnings` are of Prometheus, Thanos and Mimir, `is_partial` is of VictoriaMetrics."""

    data: _Data
    warnings: list[str] | None = None
    is_partial: bool = False


class _Config(msgspec.Struct):
    yaml: str = ""


class _Runtime(msgspec.Struct, rename="camel"):
    storage_retention: str = ""
    start_time: str = ""


_decode_matrix = msgspec.json.Decoder(ready(_Matrix)).decode
_decode_numbers = msgspec.json.Decoder(ready(list[float])).decode
_decode_texts = msgspec.json.Decoder(ready(list[tuple[float, str]])).decode


class _Count(msgspec.Struct):
    name: str
    value: int


class _Head(msgspec.Struct, rename="camel"):
    num_series: int = 0


class _Tsdb(msgspec.Struct, rename="camel"):
    head_stats: _Head = msgspec.field(default_factory=_Head)
    series_count_by_metric_name: list[_Count] = []


class RawPrometheus(Prometheus):
    """A Prometheus that is asked for samples. Methods raise Unreachable and Refused besides what they say.

    Whoever waited in vain has waited for all who ask in the next as many seconds, if what costs nothing was
    not answered either: they are told the same at once, so that fifty objectives wait no longer for a
    Prometheus that hangs than one. A query that is too heavy for one that lives keeps no other from it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        probe_seconds: float = PROBE_SECONDS,
        secrets: Secrets = NO_VAULT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(endpoint, timeout_seconds=timeout_seconds, secrets=secrets)
        self._probe_seconds = min(probe_seconds, timeout_seconds)
        self._monotonic = monotonic
        self._in_vain: tuple[float, Unreachable] | None = None  # until when, and what is told
        self._endpoint = endpoint
        self._retention: tuple[float | None] | None = None
        self._has_chunks: bool | None = None  # not asked yet
        self._first_chunks = threading.Lock()  # who asks first finds out for all whether any come
        self._are_chunks_proven = False
        self.why_no_chunks = ""  # that remote read was waited for in vain
        self._is_here = _is_here(urlsplit(self._base).hostname or "")
        if self._is_here:
            self._session.headers["Accept-Encoding"] = "identity"  # packing takes longer than what it saves

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterator[RawSeries]:
        """Every sample with start <= time < end. Raises TooMuch and InvalidQuery."""
        chunks = self._chunks(selector, start, end)
        if chunks is not None:
            yield from chunks
            return
        if end - start > timedelta(days=_DAYS_OF_JSON):
            raise TooMuch(f"more than {_DAYS_OF_JSON} days")  # chunks were asked for, and did not come
        first, last = start.timestamp(), end.timestamp()
        # version 2 counts a sample at the start in, version 3 does not; both have the end
        span = prometheus_duration(last - first + _LEAST)
        for one in self._matrix("query", {"query": f"{selector}[{span}]", "time": to_rfc3339(end)}):
            low, high = bisect_left(one.times, first), bisect_left(one.times, last)
            if low < high:
                yield RawSeries(one.labels, one.times[low:high], one.values[low:high])

    @property
    def days_at_once(self) -> int:
        """Chunks are decoded side by side: a month takes hardly longer than four days."""
        return _DAYS_OF_CHUNKS if self._gives_chunks() else _DAYS_OF_JSON

    def _chunks(self, selector: str, start: datetime, end: datetime) -> Sequence[RawSeries] | None:
        """The samples by remote read; None where the query API has to tell them, or why there are none."""
        if end - start <= _FEW:
            return None
        if self._are_chunks_proven:
            return self._asked_chunks(selector, start, end)
        with self._first_chunks:
            return self._asked_chunks(selector, start, end)

    def _asked_chunks(self, selector: str, start: datetime, end: datetime) -> Sequence[RawSeries] | None:
        if not self._gives_chunks():
            return None
        from maestro_cli.sources import remote_read  # numpy

        try:
            request = remote_read.read_request(parse_selector(selector), start, end)
        except ValueError:
            return None
        headers, url = remote_read.HEADERS, f"{self._base}/api/v1/read"
        ask = partial(self._session.request, "POST", url, data=request, headers=headers)
        response: Response | None = self._unless_in_vain(partial(self._requested, ask), or_else=lambda: None)
        if response is None:  # a proxy may let nothing else through than queries
            self._has_chunks = False
            self.why_no_chunks = f"remote read of {self.url} was not answered: samples are asked by queries"
            return None
        self._are_chunks_proven = True
        is_told = response.headers.get("Content-Type", "").startswith(remote_read.STREAMED)
        if response.status_code == 200 and is_told:
            try:
                return tuple(remote_read.read_series(response.content, start, end))
            except remote_read.Damaged as error:
                self._has_chunks = False
                self.why_no_chunks = f"remote read of {self.url}: {error}; samples are asked by queries"
                return None
            except ValueError:  # it began to answer, and something went wrong, or it encodes otherwise
                self._has_chunks = False
                return None
        if response.status_code not in _ITS_OWN_TROUBLE:
            self._has_chunks = False
        return None

    def _gives_chunks(self) -> bool:
        """Whether remote read tells what the query API tells.

        It adds external labels, and takes a matcher of one for no matcher; what is asked of another store for
        it comes without that one's warnings.
        """
        if self._has_chunks is None:
            try:
                told = self._get("/api/v1/status/config", _Config).yaml
            except Unreachable:
                raise
            except MaestroError:
                told = ""  # a compatible system
            self._has_chunks = bool(told) and not _NOT_ALL_HERE.search(told)
        return self._has_chunks

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterator[RawSeries]:
        """The query at start + step, start + 2 steps … end. Raises TooMuch and InvalidQuery."""
        first, last = start.timestamp() + step_seconds, end.timestamp()
        if (last - first) / step_seconds >= MAX_POINTS:
            raise TooMuch(f"more than {MAX_POINTS} points a series")
        if last < first:
            return
        how = {"query": promql, "start": f"{first:.3f}", "end": f"{last:.3f}", "step": f"{step_seconds:g}"}
        yield from self._matrix("query_range", how)

    def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> Sequence[str]:
        """The values of a label in that time, in order."""
        how = urlencode({"match[]": selector, "start": to_rfc3339(start), "end": to_rfc3339(end)})
        return self._get(f"/api/v1/label/{quote(label, safe='')}/values?{how}", list[str])

    def label_sets(self, selector: str, start: datetime, end: datetime) -> Sequence[Mapping[str, str]]:
        """The labels of every series with samples about that time; of blocks that overlap it, as it says."""
        how = urlencode({"match[]": selector, "start": to_rfc3339(start), "end": to_rfc3339(end)})
        return self._get(f"/api/v1/series?{how}", list[dict[str, str]])

    def series(self, selector: str, start: datetime, end: datetime) -> Sequence[dict[str, str]]:
        """The labels of every series that the selector takes and that had samples about that time."""
        how = urlencode({"match[]": selector, "start": to_rfc3339(start), "end": to_rfc3339(end)})
        return self._get(f"/api/v1/series?{how}", list[dict[str, str]])

    def identity(self) -> str | None:
        """Which Prometheus this is and as whom it is asked, without any secret; None where nobody can tell.

        What listens at an address of this machine may be another one every day (a forwarded port): such a
        one is known by when it was started, and asked for that each time. Raises Unreachable where not even
        that is answered, which costs nothing.
        """
        one = self._endpoint
        user = urlsplit(self._base).username
        told = [self.url, user, one.username, one.token, one.password]  # references of secrets, not secrets
        if self._is_here:
            told.append(self._started())
            if told[-1] is None:
                return None
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _started(self) -> str | None:
        asked = partial(self._get, "/api/v1/status/runtimeinfo", _Runtime)
        try:
            at = within(self._probe_seconds, asked).start_time
        except TimeoutError as error:
            raise Unreachable(
                f"{SYSTEM} at {self.url} does not answer",
                why=f"it took the connection, and said nothing for {self._probe_seconds:g} s "
                "to what costs nothing",
                fix="look whether it is overloaded or another program: maestro doctor",
            ) from error
        except MaestroError:
            return None
        return None if not at or at.startswith(_NO_TIME) else at

    def retention_seconds(self) -> float | None:
        """How long it keeps samples, asked once; None where it does not tell, or keeps them by size alone."""
        if self._retention is None:
            self._retention = (self._told_retention(),)
        return self._retention[0]

    def _told_retention(self) -> float | None:
        try:
            told = self._get("/api/v1/status/runtimeinfo", _Runtime).storage_retention
            return parse_duration_seconds(_years_as_days(told.split(" or ")[0]))
        except (MaestroError, ValueError):
            return None  # a compatible system, or a retention in bytes

    def head_series(self) -> HeadSeries:
        """How many series it holds now, and of the metrics with most of them."""
        told = self._get("/api/v1/status/tsdb?limit=50", _Tsdb)
        counts = {one.name: one.value for one in told.series_count_by_metric_name}
        return HeadSeries(told.head_stats.num_series, counts)

    def _matrix(self, path: str, how: dict[str, str]) -> Iterator[RawSeries]:
        form = {**how, "timeout": f"{self._seconds:g}s"}
        url = f"{self._base}/api/v1/{path}"
        body = self._answered(url, form)
        try:
            answer = _decode_matrix(body)
            _check_whole(answer, self.url)
            data = answer.data
            if data.result_type != "matrix":
                raise InvalidQuery(f"the query does not give series over time: {form['query'][:120]}")
            for item in data.result:
                yield _series(item)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise not_like(SYSTEM, self._base, f"expected samples: {error}") from error

    def _bounded(self, run: Callable[[], T]) -> T:
        return self._unless_in_vain(partial(super()._bounded, run))

    def _unless_in_vain(self, ask: Callable[[], T], *, or_else: Callable[[], T] | None = None) -> T:
        """What it answers; `or_else`, if given, is for one that lives and does not answer this."""
        began, in_vain = self._monotonic(), self._in_vain
        if in_vain is not None and began < in_vain[0]:
            error = in_vain[1]
            raise Unreachable(error.what, why=error.why, fix=error.fix) from error
        try:
            return ask()
        except Unreachable as error:
            now = self._monotonic()
            if not self._lives():
                self._in_vain = now + (now - began), error
            elif or_else is not None:
                return or_else()
            raise

    def _lives(self) -> bool:
        """Whether it answers what costs nothing, whatever was waited for in vain."""
        url = f"{self._base}/api/v1/query?query=vector(1)"
        try:
            return within(self._probe_seconds, partial(self._session.request, "GET", url)).status_code < 500
        except (OverflowError, *self._wire_errors):
            return False

    def _requested(self, ask: Callable[[], Response]) -> Response:
        try:
            return within(self._seconds + 0.25, ask)
        except OverflowError as error:
            raise TooMuch(str(error)) from error
        except self._wire_errors as error:
            raise unreachable(SYSTEM, self._base, error, self._seconds) from error

    def _answered(self, url: str, form: dict[str, str]) -> bytes:
        ask = partial(self._session.request, "GET", url, params=form)
        response = self._unless_in_vain(partial(self._requested, ask))
        if response.status_code == 200:
            return bytes(response.content)
        failure = self._error(response)
        if isinstance(failure, InvalidQuery) and any(text in failure.why for text in _TOO_MANY):
            raise TooMuch(failure.why)
        raise failure


def _check_whole(answer: _Matrix, url: str) -> None:
    """Raises NoData, with what it says of itself, for an answer that may be a part."""
    told = [text for text in answer.warnings or () if not text.startswith(_HINT)]
    if told or answer.is_partial:
        raise NoData(
            f"{SYSTEM} at {url} gave an answer that may not be whole",
            why=visible("; ".join(told), QUOTE_LIMIT) if told else "it says that the answer is partial",
            fix="look at its stores and queriers, and ask again",
        )


def _is_here(host: str) -> bool:
    """Whether the host is this machine, by its name or address alone."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _series(item: _Item) -> RawSeries:
    """Raises DecodeError. Where every value is a number, all are read as one list: twice as fast."""
    told = bytes(item.values)
    try:
        flat = _decode_numbers(b"[" + told.translate(None, b'[]"') + b"]")
    except msgspec.DecodeError:
        flat = []  # NaN and infinities are none
    if len(flat) == told.count(b'"'):  # a sample is two numbers, one of them within two quotes
        return RawSeries(item.metric, array("d", flat[0::2]), array("d", flat[1::2]))
    points = [(at, float(value)) for at, value in _decode_texts(told)]
    return RawSeries(item.metric, array("d", [at for at, _ in points]), [value for _, value in points])


def _years_as_days(text: str) -> str:
    """Prometheus prints a year as 365 days, `1y`, which is no unit of maestro's."""
    years, unit, rest = text.partition("y")
    return f"{int(years) * 365}d{rest}" if unit and years.isdigit() and not rest else text
