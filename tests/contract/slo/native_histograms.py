"""Native histograms, written into a Prometheus by its remote write protocol: a scrape cannot have the past.

Format: prometheus/prompb `WriteRequest` (remote write 1.0, with histograms), as one literal of Snappy's block
format; https://github.com/prometheus/prometheus/blob/v2.42.0/prompb/types.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Histogram:
    """What was counted until then: by bucket of schema 0, the first of which ends at 2^`first`."""

    at_ms: int
    first: int
    counts: Sequence[int]


def write(url: str, series: Iterable[tuple[Mapping[str, str], Sequence[Histogram]]]) -> None:
    """Raises HTTPStatusError."""
    _write(url, b"".join(_field(1, _series(labels, found)) for labels, found in series))


def _write(url: str, body: bytes) -> None:
    headers = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    answer = httpx.post(
        f"{url}/api/v1/write", content=_snappy(body), headers=headers, trust_env=False, timeout=60
    )
    answer.raise_for_status()


def write_samples(url: str, labels: Mapping[str, str], found: Iterable[tuple[int, float]]) -> None:
    """Milliseconds and values of one series, in order. Raises HTTPStatusError."""
    told = b"".join(_field(2, _double(1, value) + _number(2, at_ms)) for at_ms, value in found)
    _write(url, _field(1, _labels(labels) + told))


def _series(labels: Mapping[str, str], found: Iterable[Histogram]) -> bytes:
    return _labels(labels) + b"".join(_field(4, _histogram(one)) for one in found)


def _labels(labels: Mapping[str, str]) -> bytes:
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode()))
        for name, value in sorted(labels.items())
    )


def _histogram(one: Histogram) -> bytes:
    deltas = [high - low for low, high in zip((0, *one.counts), one.counts, strict=False)]
    span = _number(1, _zigzag(one.first)) + _number(2, len(one.counts))
    return b"".join(
        (
            _number(1, sum(one.counts)),
            _double(3, 0.0),
            _number(4, 0),
            _double(5, 1e-9),
            _number(6, 0),
            _field(11, span),
            _field(12, b"".join(_varint(_zigzag(delta)) for delta in deltas)),
            _number(15, one.at_ms),
        )
    )


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _field(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _snappy(body: bytes) -> bytes:
    """As a single literal: nothing is made smaller."""
    return _varint(len(body)) + b"\xfc" + struct.pack("<I", len(body) - 1) + body
