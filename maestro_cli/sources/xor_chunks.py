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
_SURE_BITS = 56  # of a word that begins anywhere in a byte, less the bit that says that a step is the same

_U = np.uint64
Words = NDArray[np.uint64]
Places = NDArray[np.int64]
# by the first four bits: how many of them say how long the change of the step is, and how long that is
_PREFIX = np.array([1] * 8 + [2] * 4 + [3] * 2 + [4] * 2, np.int64)
_CHANGE_BITS = np.array([0] * 8 + [14] * 4 + [17] * 2 + [20, _WORD], np.int64)
_NEW = 3  # the two bits before a change of the value that is told with its place
_VALUE_BITS = 13  # these two, and five and six of where it is


def _value_heads() -> Words:
    """By the first 13 bits of a change of a value, in a byte each from the lowest.

    How many bits come before it; how many are 0 after it, and how many it has, if it is told with its place;
    and a mask for how many it has at all.
    """
    bits = np.arange(1 << _VALUE_BITS)
    kind, leading, length = bits >> 11, bits >> 6 & 31, bits & 63
    length += (length == 0) * _WORD
    trailing = np.where(leading + length > _WORD, _WORD, _WORD - leading - length)
    head = np.array([1, 1, 2, _VALUE_BITS]).take(kind)
    found: Words = (head | trailing << 8 | length << 16 | (kind >= 2) * 255 << 24).astype(_U)
    return found


_VALUE_HEADS = _value_heads()
# as numpy has them: a number of Python's is made one of these with each use, which takes as long as the use
_ONE, _THREE, _SEVEN, _EIGHT, _SIXTEEN, _TWENTY_FOUR, _BYTE, _IN_WORD = (
    np.array(number, _U) for number in (1, 3, 7, 8, 16, 24, 255, _WORD)
)
_VALUE_SHIFT = np.array(_WORD - _VALUE_BITS, _U)
_FIRST_NEW = np.array(_NEW << _VALUE_BITS - 2, _U)


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


class _Lanes:
    """How far each chunk is read; the longest first, so that those that go on are always the first.

    `told` is the head of the last change of the value that was told with its place. `free` are numbers of no
    meaning, which what a step works out is written into: to make room anew takes as long as the work.
    """

    def __init__(self, places: Places, times: Places, steps: Places, values: Words, told: Words, free: Words):
        self.places, self.times, self.steps, self.values, self.told = places, times, steps, values, told
        self.free = free
        self.bits_read = places.view(_U)
        self.word, self.head, self.length, self.other = free
        self.index = self.head.view(np.int64)
        self.is_new = np.empty(len(places), np.bool_)

    @classmethod
    def at(cls, places: Places) -> _Lanes:
        """Nothing is read yet."""
        many = len(places)
        times, steps = np.zeros((2, many), np.int64)
        values, told = np.zeros((2, many), _U)
        return cls(places, times, steps, values, told, np.empty((4, many), _U))

    def first(self, many: int) -> _Lanes:
        """Views of the first so many."""
        return _Lanes(
            self.places[:many], self.times[:many], self.steps[:many], self.values[:many], self.told[:many],
            self.free[:, :many],
        )  # fmt: skip


def samples_in(chunks: Sequence[bytes]) -> int:
    """How many there are by the heads of the chunks; raises ValueError where one has none."""
    heads = b"".join([one[:_HEAD] for one in chunks])
    if len(heads) < _HEAD * len(chunks):
        raise ValueError("a chunk has no head")
    return int(np.frombuffer(heads, ">u2").sum(dtype=np.int64))


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
            if index == 1:
                _read_step(buffer, bits, now)
            else:
                _read_time(bits, now)
            _read_value(bits, now)
        times[into], values[into] = now.times, now.values
        into += 1
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


def _read_step(buffer: NDArray[np.uint8], bits: _Bits, lanes: _Lanes) -> None:
    """The time of a second sample: a step after the first."""
    lanes.places >>= 3
    lanes.steps[:] = _varint(buffer, lanes.places).view(np.int64)
    lanes.times += lanes.steps
    lanes.places <<= 3
    lanes.word[:] = bits.at(lanes.places)


def _read_time(bits: _Bits, lanes: _Lanes) -> None:
    """By how much the step is another, most often nothing; leaves in `word` what comes after it."""
    word = lanes.word
    np.right_shift(lanes.bits_read, _THREE, out=lanes.head)
    bits.words.take(lanes.index, mode="clip", out=word)
    np.bitwise_and(lanes.bits_read, _SEVEN, out=lanes.other)
    np.left_shift(word, lanes.other, out=word)
    if np.bitwise_or.reduce(word) >> _U(63):
        _change_step(bits, lanes, word)
        word[:] = bits.at(lanes.places)
    else:
        np.add(lanes.bits_read, _ONE, out=lanes.bits_read)
        np.left_shift(word, _ONE, out=word)
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
    """What differs from the value before: nothing, or bits at the same place as the last, or at a new one.

    `word` has what comes at the place of each.
    """
    word, head, length, other = lanes.word, lanes.head, lanes.length, lanes.other
    np.right_shift(word, _VALUE_SHIFT, out=other)
    np.greater_equal(other, _FIRST_NEW, out=lanes.is_new)
    _VALUE_HEADS.take(other.view(np.int64), mode="clip", out=head)
    np.copyto(lanes.told, head, where=lanes.is_new)
    np.right_shift(lanes.told, _SIXTEEN, out=length)
    np.right_shift(head, _TWENTY_FOUR, out=other)
    np.bitwise_and(length, other, out=length)
    np.bitwise_and(head, _BYTE, out=head)
    np.add(head, length, out=other)
    if np.maximum.reduce(other) > _SURE_BITS:
        word[:] = bits.whole(lanes.places + head.view(np.int64))
    else:
        np.left_shift(word, head, out=word)
    np.add(lanes.bits_read, other, out=lanes.bits_read)
    np.subtract(_IN_WORD, length, out=length)
    np.right_shift(word, length, out=word)
    np.right_shift(lanes.told, _EIGHT, out=other)
    np.bitwise_and(other, _BYTE, out=other)
    np.left_shift(word, other, out=word)
    np.bitwise_xor(lanes.values, word, out=lanes.values)
