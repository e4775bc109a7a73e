"""Counts by minute in fewer bytes: a column of doubles as the least that holds it.

Format: a byte for the kind of number (`0`: all are zero, `B` `H` `I`: whole, of 1, 2 or 4 bytes, `d`:
doubles), a byte for how many minutes each stands for, then the numbers, little-endian; what has no column is
empty. Invariant: unpacked it is byte for byte what it was. It is no compression, whose bytes differ from one
library to another: the archive around it has one.
"""

from __future__ import annotations

from array import array
from itertools import chain, repeat

import msgspec

from maestro_cli.slo.measuring.samples import Piece, doubles
from maestro_cli.slo.measuring.steps import STEP_SECONDS
from maestro_cli.slo.measuring.window import MINUTE

MOST_MINUTES = 2880  # of a piece, which is a day and what is looked at before it
_WHOLE = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"))
_STEP = STEP_SECONDS // MINUTE  # what is evaluated in steps says the same for so many minutes
_DOUBLE = 8


def packed(piece: Piece) -> Piece:
    """The piece with its columns packed."""
    return msgspec.structs.replace(piece, counted=_packed(piece.counted), total=_packed(piece.total))


def unpacked(piece: Piece) -> Piece:
    """What `packed` was given. Raises ValueError for what it did not give."""
    if not 0 <= piece.minutes <= MOST_MINUTES:
        raise ValueError(f"a piece of {piece.minutes} minutes")
    counted, total = (_unpacked(column, piece.minutes) for column in (piece.counted, piece.total))
    return msgspec.structs.replace(piece, counted=counted, total=total)


def _packed(column: bytes) -> bytes:
    if not column:
        return b""
    if not any(column):
        return b"0\x01"
    values = doubles(column)
    times = 1
    if len(values) % _STEP == 0 and all(values[n::_STEP] == values[::_STEP] for n in range(1, _STEP)):
        values, times = values[::_STEP], _STEP
    raw = values.tobytes()
    low, high = min(values), max(values)
    kind = next((kind for limit, kind in _WHOLE if low >= 0 and high < limit), "d")
    if kind != "d":
        whole = array(kind, map(int, values))
        if array("d", whole).tobytes() == raw:
            return bytes((ord(kind), times)) + whole.tobytes()
    return bytes((ord("d"), times)) + raw


def _unpacked(column: bytes, minutes: int) -> bytes:
    if not column:
        return b""
    kind, times, body = column[:1].decode("latin-1"), column[1:2], column[2:]
    if kind == "0" and not body:
        return bytes(_DOUBLE * minutes)
    if kind not in ("B", "H", "I", "d") or times not in (b"\x01", bytes((_STEP,))):
        raise ValueError("a column of no known kind")
    found = array(kind)
    found.frombytes(body)
    values = array("d", found)
    if times[0] > 1:
        values = array("d", chain.from_iterable(map(repeat, values, repeat(times[0]))))
    if len(values) != minutes:
        raise ValueError(f"a column of {len(values)} minutes in a piece of {minutes}")
    return values.tobytes()
