"""Chunks of Prometheus, many at once: what was appended comes out, bit by bit, or an error."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.sources.xor_chunks import decode_chunks

Sample = tuple[int, int]  # milliseconds, and the 64 bits of the value
_CHANGES = ((14, "10"), (17, "110"), (20, "1110"))
T0 = 1_790_000_000_000


def encoded(samples: Sequence[Sample]) -> bytes:
    """As the appender of tsdb/chunkenc/xor.go writes it."""
    bits = ""
    leading, trailing = 255, 0
    for index, (at, value) in enumerate(samples):
        if index == 0:
            bits = _varint(at << 1 ^ at >> 63) + f"{value:064b}"
            continue
        step = at - samples[index - 1][0]
        if index == 1:
            bits += _varint(step)
        else:
            bits += _change(step - samples[index - 1][0] + samples[index - 2][0])
        differs = value ^ samples[index - 1][1]
        if not differs:
            bits += "0"
            continue
        zeros = min(64 - differs.bit_length(), 31), (differs & -differs).bit_length() - 1
        if leading != 255 and zeros[0] >= leading and zeros[1] >= trailing:
            bits += "10"
        else:
            leading, trailing = zeros
            bits += f"11{leading:05b}{(64 - leading - trailing) & 63:06b}"
        bits += f"{differs >> trailing:0{64 - leading - trailing}b}"
    bits += "0" * (-len(bits) % 8)
    return struct.pack(">H", len(samples)) + int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


def _varint(number: int) -> str:
    number &= 2**64 - 1
    found = ""
    while number >= 128:
        found += f"1{number & 127:07b}"
        number >>= 7
    return f"{found}{number:08b}"


def _change(number: int) -> str:
    if not number:
        return "0"
    for bits, prefix in _CHANGES:
        if -(2 ** (bits - 1)) + 1 <= number <= 2 ** (bits - 1):
            return prefix + f"{number & (2**bits - 1):0{bits}b}"
    return f"1111{number & (2**64 - 1):064b}"


def bits_of(value: float) -> int:
    found: int = struct.unpack(">Q", struct.pack(">d", value))[0]
    return found


def decoded(chunks: Sequence[bytes]) -> list[list[Sample]]:
    times, values, many = decode_chunks(chunks)
    told = iter(zip(times.tolist(), values.view("u8").tolist(), strict=True))
    return [[next(told) for _ in range(count)] for count in many.tolist()]


_STEPS = st.one_of(st.just(60_000), st.integers(59_990, 60_010), st.integers(0, 2**21), st.integers(0, 2**40))
_VALUES = st.one_of(
    st.integers(0, 2**40).map(lambda value: bits_of(float(value))),
    st.integers(0, 20).map(lambda value: bits_of(float(value))),
    st.integers(0, 2**64 - 1),
)


@st.composite
def _series(draw: st.DrawFn) -> list[Sample]:
    steps = draw(st.lists(_STEPS, max_size=130))
    at, found = draw(st.one_of(st.integers(-(2**40), 2**42), st.just(T0))), []
    for step in steps:
        found.append((at, draw(_VALUES)))
        at += step
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(_series(), max_size=6))
def test_what_was_appended_comes_out_bit_by_bit(found: list[list[Sample]]) -> None:
    assert decoded([encoded(one) for one in found]) == found


@pytest.mark.parametrize("change", [8191, 8192, 8193, -8191, -8192, 65536, -65535, 524_288, 524_289, 2**33])
def test_a_change_of_the_step_may_be_the_largest_of_its_kind(change: int) -> None:
    """The largest is positive, where two's complement would have it negative."""
    steps = (2**34, 2**34 + change, 2**34 + change)
    at = [T0, T0 + steps[0], T0 + steps[0] + steps[1], T0 + sum(steps)]
    samples = [(one, bits_of(float(index))) for index, one in enumerate(at)]
    assert decoded([encoded(samples)]) == [samples]


def test_long_and_short_chunks_are_read_side_by_side() -> None:
    found = [
        [(T0 + 60_000 * index, bits_of(index * 1.5)) for index in range(length)]
        for length in (3, 120, 0, 1, 240, 2)
    ]
    assert decoded([encoded(one) for one in found]) == found


def test_a_chunk_that_is_cut_off_is_an_error_wherever_it_is_cut() -> None:
    whole = encoded([(T0 + 60_000 * index + index % 3, bits_of(index * 7.3)) for index in range(20)])
    other = encoded([(T0, 0), (T0 + 1, 1)])
    for cut in range(len(whole)):
        with pytest.raises(ValueError, match="chunk"):
            decode_chunks([whole[:cut], other])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_what_is_no_chunk_is_an_error_or_as_many_samples_as_it_says(found: list[bytes]) -> None:
    try:
        times, values, many = decode_chunks(found)
    except ValueError:
        return
    said = [int.from_bytes(one[:2], "big") for one in found]
    assert many.tolist() == said
    assert len(times) == len(values) == sum(chain(said))
