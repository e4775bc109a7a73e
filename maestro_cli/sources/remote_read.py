"""Remote read of Prometheus: samples as chunks from its disk, a tenth of the bytes that JSON takes.

Invariant: an answer is read to its last byte as what the format allows, or ValueError: an error that
Prometheus writes into an answer that it began is no frame, and a frame has to have its checksum (CRC-32C).
Format: prompb/remote.proto and types.proto, frames of storage/remote/chunked.go; github.com/google/snappy.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np

from maestro_cli.slo.measuring.selectors import Selector
from maestro_cli.slo.ports import RawSeries, TooMuch
from maestro_cli.sources.xor_chunks import decode_chunks, samples_in

with warnings.catch_warnings():  # where no wheel is, Python reckons it and says so on stderr: on the screen
    warnings.simplefilter("ignore", RuntimeWarning)
    from google_crc32c import value as crc32c

HEADERS: Mapping[str, str] = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Read-Version": "0.1.0",
}
STREAMED = "application/x-streamed-protobuf"
MOST_SAMPLES = 1_500_000  # at once: some 100 MB while they are decoded
_SIGNS = {"=": 0, "!=": 1, "=~": 2, "!~": 3}
_ACCEPT_STREAMED_XOR_CHUNKS = b"\x12\x01\x01"
_LITERAL = 60  # bytes of a literal whose length is in its tag
_CHECKSUM = 4
_XOR = b"\x01"  # the encoding of floats
_HISTOGRAMS = (
    b"\x02",
    b"\x03",
)  # native ones, of whole numbers and of floats, which JSON keeps apart from values, too
_STALE = np.uint64(0x7FF0000000000002)  # a series ended here: PromQL leaves it out
_VARINT = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_LONGEST_VARINT = 10
# a chunk within a series: min_time_ms, max_time_ms, type and data, each where its number is
_CHUNK = re.compile(
    rb"\x12(%b)((?:\x08%b)?(?:\x10%b)?(?:\x18([\x00-\x7f]))?\x22(%b))" % (_VARINT, _VARINT, _VARINT, _VARINT)
)


class Damaged(ValueError):
    """What came is not what was sent (or an error in words, long as a frame): its checksum is another."""


def read_request(selector: Selector, start: datetime, end: datetime) -> bytes:
    """A request for every sample with start <= time < end.

    Raises ValueError for text that is no UTF-8, and where no matcher refuses an empty label: PromQL takes no
    such selector, and remote read gives everything for it.
    """
    if selector.takes({}):
        raise ValueError("a selector has to name something")
    first, last = (round(at.timestamp() * 1000) for at in (start, end))
    query = b"\x08" + _varint(first) + b"\x10" + _varint(last - 1)
    for match in sorted(selector.matches):
        sign = _SIGNS[match.sign]
        told = (b"\x08" + _varint(sign) if sign else b"") + _field(0x12, match.label.encode())
        query += _field(0x1A, told + _field(0x1A, match.value.encode()))
    return _as_snappy(_field(0x0A, query) + _ACCEPT_STREAMED_XOR_CHUNKS)


def read_series(body: bytes, start: datetime, end: datetime) -> Iterator[RawSeries]:
    """The series of an answer, with their samples with start <= time < end.

    Raises ValueError for what is no such answer, and TooMuch.
    """
    found: dict[bytes, list[bytes]] = {}
    for frame in _frames(body):
        for tag, series in _messages(frame):
            if tag == 0x0A:
                _read_chunks(series, found)
    chunks = [chunk for own in found.values() for chunk in own]
    if samples_in(chunks) > MOST_SAMPLES:
        raise TooMuch(f"more than {MOST_SAMPLES} samples")
    times, values, many = decode_chunks(chunks)
    first, last = (round(at.timestamp() * 1000) for at in (start, end))
    is_here = (times >= first) & (times < last) & (values.view(np.uint64) != _STALE)
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(many)))
    begin = 0
    for labels, own in found.items():
        stretch = slice(int(ends[begin]), int(ends[begin + len(own)]))
        begin += len(own)
        here = is_here[stretch]
        at, value = times[stretch][here], values[stretch][here]
        if (at[1:] <= at[:-1]).any():
            raise ValueError("samples of a series are not in order")
        if len(at):
            yield RawSeries(_labels(labels), at / 1000, value)


def _read_chunks(series: bytes, found: dict[bytes, list[bytes]]) -> None:
    """Its labels, as they are written, and its chunks; a long series goes on in the next frame."""
    labels, chunks = b"", []
    numbers: dict[bytes, int] = {}  # a few lengths, each of which many chunks have
    at = 0
    while at < len(series):
        match = _CHUNK.match(series, at)
        if match is None:
            if series[at] != 0x0A:
                raise ValueError("a series has parts that nobody knows")
            size, begin = _number(series, at + 1)
            labels += series[at : begin + size]
            at = begin + size
            continue
        told, head, encoding, inner = match.groups()
        for one in (told, inner):
            if one not in numbers:
                numbers[one], _ = _number(one, 0)
        data, size = match.end(), numbers[inner]
        if numbers[told] != len(head) + size:
            raise ValueError("a chunk is cut off")
        at = data + size
        if encoding == _XOR:
            chunks.append(series[data:at])
        elif encoding not in _HISTOGRAMS:  # 4 is XOR2: floats, too, packed otherwise
            raise ValueError(f"nobody knows how a chunk is encoded: {encoding!r}")
    if at > len(series):
        raise ValueError("a part of a series is cut off")
    found.setdefault(labels, []).extend(chunks)


def _labels(told: bytes) -> dict[str, str]:
    found = {}
    for _, label in _messages(told):
        parts = dict(_messages(label))
        found[parts.get(0x0A, b"").decode()] = parts.get(0x12, b"").decode()
    return found


def _frames(body: bytes) -> Iterator[bytes]:
    """What is in each frame, before which its length and its checksum stand."""
    at = number = 0
    while at < len(body):
        number += 1
        size, at = _number(body, at)
        end = at + _CHECKSUM + size
        if end > len(body):
            raise ValueError("a frame is cut off")
        frame = body[at + _CHECKSUM : end]
        told, is_so = int.from_bytes(body[at : at + _CHECKSUM]), crc32c(frame)
        if told != is_so:
            raise Damaged(f"frame {number} is not what its checksum says: {is_so:08x}, not {told:08x}")
        yield frame
        at = end


def _messages(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Each part of a message that has a length, by its tag; numbers are passed over."""
    at = 0
    while at < len(message):
        tag = message[at]
        size, at = _number(message, at + 1)
        if tag & 7 == 0:
            continue
        if tag & 7 != 2 or at + size > len(message):
            raise ValueError("a message is none")
        yield tag, message[at : at + size]
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends. Raises ValueError."""
    if at < len(data) and data[at] < 0x80:  # most of them
        return data[at], at + 1
    found = 0
    for index in range(_LONGEST_VARINT):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return found, at
    raise ValueError("a number is cut off")


def _varint(number: int) -> bytes:
    found = bytearray()
    number &= 2**64 - 1
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _field(tag: int, data: bytes) -> bytes:
    return bytes([tag]) + _varint(len(data)) + data


def _as_snappy(data: bytes) -> bytes:
    """In the format of Snappy, not packed: literals alone, for which no library is needed."""
    parts = [data[at : at + _LITERAL] for at in range(0, len(data), _LITERAL)]
    return _varint(len(data)) + b"".join(bytes([(len(part) - 1) << 2]) + part for part in parts)
