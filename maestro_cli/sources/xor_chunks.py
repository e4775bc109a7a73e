"""Chunks of samples as Prometheus keeps them on its disk, many decoded side by side.

Invariant: what comes out are the times and values that were appended, bit by bit, or ValueError. A chunk can
only be read from its front, so the loop is over the places of samples, and each step takes all chunks.
Format: prometheus/tsdb/docs/format/chunks.md (XOR) and tsdb/chunkenc/xor.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = 2  # bytes: how many samples, big-endian
_LONGEST_VARINT = 10
_WORD = 64
_SPARE = 16  # bytes after the last chunk, which a word may be read from
_LEAST_BITS = 2  # of a sample
_MOST_SAMPLES = 2**16
_SURE_BITS = 57  # of a word that begins anywhere in a byte

_U = np.uint64
Words = NDArray[np.uint64]
Places = NDArray[np.int64]
# by the first four bits: how many of them say how long the change of the step is, and how long that is
_PREFIX = np.array([1] * 8 + [2] * 4 + [3] * 2 + [4] * 2, np.int64)
_CHANGE_BITS = np.array([0] * 8 + [14] * 4 + [17] * 2 + [20, _WORD], np.int64)
# by the first two bits: how many of them, and of what follows, come before the bits of the value
_VALUE_HEAD = np.array([1, 1, 2, 13], np.int64)


@dataclass(slots=True)
class _Bits:
    """One long string of bits: by byte, the 64 bits that begin there."""

    words: Words

    def at(self, places: Places) -> Words:
        """From each place 57 bits or more, left-aligned; what is after them is 0."""
        return self.words.take(places >> 3, mode="clip") << (places & 7).view(_U)

    def whole(self, places: Places) -> Words:
        """From each place 64 bits."""
        more = self.words.take((places >> 3) + 8, mode="clip") >> _U(1)
        return self.at(places) | more >> (63 - (places & 7)).view(_U)


@dataclass(slots=True)
class _Lanes:
    """How far each chunk is read; the longest first, so that those that go on are always the first."""

    places: Places
    times: Places
    steps: Places
    values: Words
    trailing: Places
    lengths: Places  # bits of the last change of the value that was told with its place

    @classmethod
    def at(cls, places: Places) -> _Lanes:
        """Nothing is read yet."""
        return cls(
            places, *(np.zeros(len(places), kind) for kind in (np.int64, np.int64, _U, *[np.int64] * 2))
        )

    def first(self, many: int) -> _Lanes:
        """Views of the first so many."""
        return _Lanes(*(getattr(self, name)[:many] for name in self.__slots__))


def samples_in(chunks: Sequence[bytes]) -> int:
    """How many there are by the heads of the chunks; raises ValueError where one has none."""
    if any(len(one) < _HEAD for one in chunks):
        raise ValueError("a chunk has no head")
    return sum(int.from_bytes(one[:_HEAD], "big") for one in chunks)


def decode_chunks(chunks: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[np.float64], Places]:
    """Milliseconds since 1970 and values of all samples in the order of the chunks, and how many each has.

    Raises ValueError for what is no chunk.
    """
    if not samples_in(chunks):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(len(chunks), np.int64)
    sizes = np.array([len(one) for one in chunks], np.int64)
    buffer = np.frombuffer(b"".join(chunks) + bytes(_SPARE), np.uint8)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    many = buffer[starts].astype(np.int64) << 8 | buffer[starts + 1]
    if (many * _LEAST_BITS > sizes * 8).any():
        raise ValueError("a chunk is shorter than its samples")
    order = np.argsort(-many, kind="stable")  # the longest first
    times, values = np.empty(many.sum(), np.int64), np.empty(many.sum(), _U)
    lanes = now = _Lanes.at(starts[order] + _HEAD)
    into = (np.cumsum(many) - many)[order]
    bits = _Bits(np.ndarray((len(buffer) - 7,), ">u8", buffer, strides=(1,)).astype(_U))
    going = np.searchsorted(-many[order], -np.arange(many.max())).tolist()  # who has a sample at that place
    for index, wide in enumerate(going):
        if wide != len(now.places):
            now, into = lanes.first(wide), into[:wide]
        if index == 0:
            _read_first(buffer, bits, now)
        else:
            _read_time(buffer, bits, now, is_second=index == 1)
            _read_value(bits, now)
        place = into + index
        times[place], values[place] = now.times, now.values
    if (lanes.places > ends[order] * 8).any():
        raise ValueError("a chunk ends within a sample")
    return times, values.view(np.float64), many


def _read_first(buffer: NDArray[np.uint8], bits: _Bits, lanes: _Lanes) -> None:
    """A time and a value in whole; from here on places are of bits."""
    told = _varint(buffer, lanes.places)
    lanes.times[:] = (told >> _U(1)).view(np.int64) ^ -(told & _U(1)).view(np.int64)
    lanes.values[:] = bits.words.take(lanes.places, mode="clip")
    lanes.places[:] = (lanes.places + 8) * 8


def _varint(buffer: NDArray[np.uint8], places: Places) -> Words:
    """The number of seven bits a byte that begins at each place, in bytes; moves the places after it."""
    found, is_on = np.zeros(len(places), _U), np.ones(len(places), bool)
    for index in range(_LONGEST_VARINT):
        byte = buffer.take(places, mode="clip")
        found |= np.where(is_on, (byte & 0x7F).astype(_U) << _U(7 * index), _U(0))
        places += is_on
        is_on = is_on & (byte >= 0x80)
        if not is_on.any():
            return found
    raise ValueError("a number in a chunk is too long")


def _read_time(buffer: NDArray[np.uint8], bits: _Bits, lanes: _Lanes, *, is_second: bool) -> None:
    """The second has a step after the first; of others the change of the step is told, most often none."""
    if is_second:
        lanes.places >>= 3
        lanes.steps[:] = _varint(buffer, lanes.places).view(np.int64)
        lanes.places <<= 3
    else:
        word = bits.at(lanes.places)
        if np.bitwise_or.reduce(word) >> _U(63):
            _change_step(bits, lanes, word)
        else:
            lanes.places += 1
    lanes.times += lanes.steps


def _change_step(bits: _Bits, lanes: _Lanes, word: Words) -> None:
    kind = (word >> _U(60)).view(np.int64)
    prefix, length = _PREFIX.take(kind), _CHANGE_BITS.take(kind)
    change = ((word << prefix.view(_U)) >> (_WORD - length).view(_U)).view(np.int64)
    half = np.left_shift(1, np.maximum(length - 1, 0))
    change -= np.where((change > half) & (length > 0), half << 1, 0)  # half itself is positive
    is_whole = kind == 15
    if is_whole.any():
        change[is_whole] = bits.whole(lanes.places[is_whole] + 4).view(np.int64)
    lanes.steps += change
    lanes.places += prefix + length


def _read_value(bits: _Bits, lanes: _Lanes) -> None:
    """What differs from the value before: nothing, or bits at the same place as the last, or at a new one."""
    word = bits.at(lanes.places)
    kind = (word >> _U(62)).view(np.int64)
    is_new = kind == 3
    length = (word >> _U(51)).view(np.int64) & 63
    length += (length == 0) * _WORD
    trailing = _WORD - ((word >> _U(57)).view(np.int64) & 31) - length
    np.copyto(lanes.lengths, length, where=is_new)
    np.copyto(lanes.trailing, trailing, where=is_new)
    told = lanes.lengths * (kind >= 2)
    head = _VALUE_HEAD.take(kind)
    if np.maximum.reduce(head + told) > _SURE_BITS:
        word = bits.whole(lanes.places + head)
    else:
        word <<= head.view(_U)
    lanes.values ^= (word >> (_WORD - told).view(_U)) << lanes.trailing.view(_U)
    lanes.places += head + told
