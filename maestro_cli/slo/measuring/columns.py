"""Counts by minute in fewer bytes: a column of doubles as the least that holds it.

Format: a byte for the kind of number (`0`: all are zero, `B` `H` `I`: whole, of 1, 2 or 4 bytes, `d`:
doubles), a byte for how many minutes each stands for, then the numbers, little-endian; what has no column is
empty. Invariant: unpacked it is byte for byte what it was. It is no compression, whose bytes differ from one
library to another: the archive of a bundle has one around it, and on the disk it is not worth its time.
"""

from __future__ import annotations

import msgspec
import numpy as np

from maestro_cli.slo.measuring.pieces import Piece
from maestro_cli.slo.measuring.window import MINUTE, STEP_SECONDS

MOST_MINUTES = 2880  # of a piece, which is a day and what is looked at before it
_WHOLE = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"))
_STEP = STEP_SECONDS // MINUTE  # what is evaluated in steps says the same for so many minutes
_KINDS = {"B": "u1", "H": "<u2", "I": "<u4", "d": "<f8"}
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
    if column.count(0) == len(column):
        return b"0\x01"
    values = np.frombuffer(column, "<f8")
    times = 1
    if len(values) % _STEP == 0:
        steps = values.reshape(-1, _STEP)
        if (steps[0] == steps[0, 0]).all() and (steps == steps[:, :1]).all():
            values, times = values[::_STEP], _STEP
    raw = values.tobytes()
    low, high = values.min(), values.max()
    kind = next((kind for limit, kind in _WHOLE if low >= 0 and high < limit), "d")
    if kind != "d":
        whole = values.astype(_KINDS[kind])
        if whole.astype("<f8").tobytes() == raw:
            return bytes((ord(kind), times)) + whole.tobytes()
    return bytes((ord("d"), times)) + raw


def _unpacked(column: bytes, minutes: int) -> bytes:
    if not column:
        return b""
    kind, times, body = column[:1].decode("latin-1"), column[1:2], column[2:]
    if kind == "0" and not body:
        return bytes(_DOUBLE * minutes)
    if kind not in _KINDS or times not in (b"\x01", bytes((_STEP,))):
        raise ValueError("a column of no known kind")
    values = np.frombuffer(body, _KINDS[kind]).astype("<f8")
    if times[0] > 1:
        values = np.repeat(values, times[0])
    if len(values) != minutes:
        raise ValueError(f"a column of {len(values)} minutes in a piece of {minutes}")
    return values.tobytes()
