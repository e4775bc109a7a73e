"""The pieces of time in a bundle, each as the bytes that it has there.

Invariant: what a bundle holds is unpacked when it is asked for, a stretch at a time, and nothing is that is
larger than, or written otherwise than, what is packed here: a few bytes can stand for a thousand times as
many, and nobody knows who made the bundle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.slo.measuring.columns import packed, unpacked
from maestro_cli.slo.measuring.keeping import Kept, Key

MOST_PIECES = 250_000
MOST_PIECE_BYTES = 16 << 20


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A piece of time with what it answers; `kept` is the msgpack of a `Kept` whose columns are packed."""

    key: Key
    kept: msgspec.Raw

    @property
    def size_bytes(self) -> int:
        return memoryview(self.kept).nbytes


Pieces = Annotated[list[Piece], msgspec.Meta(max_length=MOST_PIECES)]
_decode_pieces = msgspec.msgpack.Decoder(ready(Pieces)).decode
_decode_kept = msgspec.msgpack.Decoder(ready(Kept)).decode
_encode = msgspec.msgpack.encode


def packed_pieces(measured: Iterable[tuple[Key, Kept]]) -> list[Piece]:
    """In the order of their names."""
    return [
        Piece(key, msgspec.Raw(_encode(msgspec.structs.replace(kept, piece=packed(kept.piece)))))
        for key, kept in sorted(measured, key=lambda pair: pair[0].name)
    ]


def write_pieces(pieces: Iterable[Piece]) -> bytes:
    return _encode(list(pieces))


def read_pieces(data: bytes) -> list[Piece]:
    """Raises what msgspec raises for what is none, and for too many."""
    return _decode_pieces(data)


def unpacked_piece(piece: Piece) -> Kept:
    """Raises ValueError or MsgspecError for what `packed_pieces` does not give."""
    if piece.size_bytes > MOST_PIECE_BYTES:
        raise ValueError(f"a piece of {piece.size_bytes} bytes")
    kept = _decode_kept(piece.kept)
    if _encode(kept) != bytes(piece.kept):
        raise ValueError("a piece that is not written as it should be")
    return msgspec.structs.replace(kept, piece=unpacked(kept.piece))
