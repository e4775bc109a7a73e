"""What was measured of times that are over, on this disk, so that it is asked for once.

Invariant: an entry is whole or not there: it carries the digest of what it holds, and one that does not agree
with it is set aside. Only what can no longer change is kept.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from maestro_cli.core.canonical import digest
from maestro_cli.core.files import write_atomically
from maestro_cli.slo.measuring.samples import Piece

_FORMAT = b"maestro.slo.piece/1\n"
_DIGEST_BYTES = 32
_FASTEST = 1  # of zlib: a day of an objective is 23 KB, and 2 to 5 KB of it are left


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A piece, when it was asked for, and the digest of the piece alone."""

    asked_at: datetime
    piece: Piece


@dataclass(frozen=True, slots=True)
class Key:
    """What was asked: of whom, which query, how its series are told apart, from when to when."""

    url: str
    promql: str
    roles: str
    step_seconds: float | None
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        return digest(self)


class Store(Protocol):
    def load(self, key: Key) -> Kept | None: ...

    def save(self, key: Key, kept: Kept) -> None: ...


class Nowhere:
    """Keeps nothing."""

    def load(self, key: Key) -> Kept | None:
        return None

    def save(self, key: Key, kept: Kept) -> None: ...


class KeptOnDisk:
    """One file a piece in a folder of the cache; a disk that cannot be written keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decoder = msgspec.msgpack.Decoder(Kept)

    def load(self, key: Key) -> Kept | None:
        """None for what is not kept, or no longer as it was written: that is set aside as `NAME.corrupt`."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            return self._decoder.decode(_opened(data))
        except (ValueError, zlib.error, msgspec.MsgspecError):
            _set_aside(path)
            return None

    def save(self, key: Key, kept: Kept) -> None:
        body = msgspec.msgpack.encode(kept)
        sealed = _FORMAT + hashlib.sha256(body).digest() + zlib.compress(body, _FASTEST)
        try:
            write_atomically(self._path(key), sealed, mode=0o600)
        except OSError:
            return  # it is asked for again

    def _path(self, key: Key) -> Path:
        name = key.name
        return self._folder / name[:2] / f"{name[2:]}.piece"


def piece_digest(piece: Piece) -> str:
    """SHA-256 of what was made of an answer: see Asked."""
    return hashlib.sha256(msgspec.msgpack.encode(piece)).hexdigest()


def _opened(data: bytes) -> bytes:
    """Raises ValueError and zlib.error."""
    if not data.startswith(_FORMAT):
        raise ValueError("another format")
    head = len(_FORMAT) + _DIGEST_BYTES
    body = zlib.decompress(data[head:])
    if hashlib.sha256(body).digest() != data[len(_FORMAT) : head]:
        raise ValueError("the digest is another")
    return body


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".corrupt"))
    except OSError:
        return
