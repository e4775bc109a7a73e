"""What was measured of days that are over, on this disk, so that it is asked for once.

Invariant: an entry is whole or not there: it carries the digest of what it holds, and one that does not agree
with it is set aside. Nobody is given what another Prometheus, or the same one for another user, has answered.
Only what is not expected to change is kept: a day without a gap ten minutes after its end, and one with gaps
two days after it, since late samples (out of order, or of an agent that was cut off) may still close them.
Days are those of UTC; where a calendar of another zone cuts one, its part is kept too.
Of a target that had no sample at all in a day nobody knows that its samples are late: `--fresh` asks again.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import time as now
from typing import Protocol

import msgspec

from maestro_cli.core.files import write_atomically
from maestro_cli.slo.measuring.binning import gap_limit
from maestro_cli.slo.measuring.samples import Piece
from maestro_cli.slo.measuring.window import zone_named

SETTLED = timedelta(minutes=10)  # what is older and has no gap no longer changes
LATE = timedelta(days=2)  # until then samples may come that close a gap
LOOK_BACK_SECONDS = 300  # before a span, where the sample is that the first increment starts from
UNUSED_DAYS = 100
_DAY_SECONDS = 86400
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

    def save(self, key: Key, kept: Kept) -> Kept:
        """Keep it if it is worth that; gives what is to be measured by: what was there first, or this."""


class Nowhere:
    """Keeps nothing."""

    def load(self, key: Key) -> Kept | None:
        return None

    def save(self, key: Key, kept: Kept) -> Kept:
        return kept


class KeptOnDisk:
    """One file a piece in a folder of the cache, of days that are over; a full disk keeps nothing.

    `identity` tells which Prometheus answers, and whom: what was kept under another is not found. It is in
    the names of the files as a part of a digest alone. What nobody used for 100 days goes. `zones` are those
    of the calendars whose periods are measured.
    """

    def __init__(self, folder: Path, identity: str, zones: Iterable[str] = ()) -> None:
        self._folder = folder
        self._identity = identity
        self._zones = tuple(zone_named(zone) for zone in dict.fromkeys(zones))
        self._decoder = msgspec.msgpack.Decoder(Kept)
        self._swept: set[str] = set()

    def load(self, key: Key) -> Kept | None:
        """None for what is not kept, or no longer as it was written: that is set aside as `NAME.corrupt`."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        with suppress(OSError):
            os.utime(path)  # it is used
        try:
            return self._decoder.decode(_opened(data))
        except (ValueError, zlib.error, msgspec.MsgspecError):
            _set_aside(path)
            return None

    def save(self, key: Key, kept: Kept) -> Kept:
        if self._is_asked_again(key) and _is_settled(key, kept):
            self._write(key, kept)
        return kept

    def _write(self, key: Key, kept: Kept) -> None:
        body = msgspec.msgpack.encode(kept)
        sealed = _FORMAT + hashlib.sha256(body).digest() + zlib.compress(body, _FASTEST)
        path = self._path(key)
        try:
            write_atomically(path, sealed, mode=0o600)
        except OSError:
            return  # it is asked for again
        self._sweep(path.parent)

    def _is_asked_again(self, key: Key) -> bool:
        """Whether it is a day, a part of one that a calendar cuts, or what is looked at before one of these.

        A window that rolls has other ends every minute.
        """
        look_back = timedelta(seconds=LOOK_BACK_SECONDS)
        return self._is_midnight(key.end) and any(map(self._is_midnight, (key.start, key.start + look_back)))

    def _is_midnight(self, at: datetime) -> bool:
        return any(at.astimezone(zone).time() == time.min for zone in (UTC, *self._zones))

    def _path(self, key: Key) -> Path:
        name = hashlib.sha256(f"{self._identity}\x00{key.name}".encode()).hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.piece"

    def _sweep(self, folder: Path) -> None:
        """Remove what is old there, once for each of the 256 folders that something is written to."""
        if folder.name in self._swept:
            return
        self._swept.add(folder.name)
        oldest = now() - UNUSED_DAYS * _DAY_SECONDS
        try:
            for path in folder.iterdir():
                if path.stat().st_mtime < oldest:
                    path.unlink()
        except OSError:
            return  # somebody else is sweeping, or may


def _is_settled(key: Key, kept: Kept) -> bool:
    age = kept.asked_at - key.end
    return bool(kept.piece.covered) and (age >= LATE or (age >= SETTLED and _is_whole(kept.piece)))


def _is_whole(piece: Piece) -> bool:
    """Whether every target that has a sample in it has one in each of its minutes, or at each scrape."""
    steps: dict[str, float] = {}
    for part in piece.series:
        steps[part.target] = max(part.step_seconds, steps.get(part.target, 0.0))
    for target, stretches in piece.covered.items():
        (start, end), limit = stretches[0], gap_limit(steps.get(target, 0.0))
        if len(stretches) > 1 or start - piece.start > limit or piece.end - end > limit:
            return False
    return True


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
