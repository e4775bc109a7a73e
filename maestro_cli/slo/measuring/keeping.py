"""What was measured of times that are over, on this disk, so that it is asked for once.

Invariant: an entry is whole or not there: it carries the digest of what it holds, and one that does not agree
with it is set aside. Only what can no longer change is kept.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from maestro_cli.core.files import write_atomically
from maestro_cli.slo.measuring.samples import Piece

SETTLED = timedelta(minutes=10)  # what is older no longer changes: late samples have come
_ALIGNED = 300  # seconds: only pieces between such times are asked for more than once
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
        stretch = f"{self.start.timestamp():.0f} {self.end.timestamp():.0f} {self.step_seconds}"
        return hashlib.sha256("\x00".join((self.url, self.promql, self.roles, stretch)).encode()).hexdigest()


class Store(Protocol):
    def load(self, key: Key) -> Kept | None:
        """What is kept of it, as it was saved."""

    def save(self, key: Key, kept: Kept) -> None:
        """Keep it if it is worth that."""


class Nowhere:
    """Keeps nothing."""

    def load(self, key: Key) -> Kept | None:
        return None

    def save(self, key: Key, kept: Kept) -> None: ...


class KeptOnDisk:
    """One file a piece in a folder of the cache, of times that are over; a full disk keeps nothing."""

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
        if not (_is_lasting(key, kept.asked_at) and kept.piece.covered):
            return
        body = msgspec.msgpack.encode(kept)
        sealed = _FORMAT + hashlib.sha256(body).digest() + zlib.compress(body, _FASTEST)
        try:
            write_atomically(self._path(key), sealed, mode=0o600)
        except OSError:
            return  # it is asked for again

    def _path(self, key: Key) -> Path:
        name = key.name
        return self._folder / name[:2] / f"{name[2:]}.piece"


def _is_lasting(key: Key, asked_at: datetime) -> bool:
    is_aligned = all(round(at.timestamp()) % _ALIGNED == 0 for at in (key.start, key.end))
    return is_aligned and key.end + SETTLED <= asked_at


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
