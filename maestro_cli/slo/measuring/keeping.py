"""What was measured of days that are over, on this disk, so that it is asked for once.

Invariant: a file is whole or not there: it carries the digest of what it holds, and one that does not agree
with it is set aside. Nobody is given what another Prometheus, or the same one for another user, has answered.
Only what is not expected to change is kept: a day without a gap ten minutes after its end, and one with gaps
two days after it, since late samples (out of order, or of an agent that was cut off) may still close them.
Days are those of UTC; where a calendar of another zone cuts one, its part is kept too.
Of a target that had no sample at all in a day nobody knows that its samples are late: `--fresh` asks again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from time import time as now
from typing import Protocol

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.files import write_atomically
from maestro_cli.slo.measuring.pieces import Piece, gap_limit
from maestro_cli.slo.measuring.window import zone_named

SETTLED = timedelta(minutes=10)  # what is older and has no gap no longer changes
LATE = timedelta(days=2)  # until then samples may come that close a gap
LOOK_BACK_SECONDS = 300  # before a span, where the sample is that the first increment starts from
UNUSED_DAYS = 100
IN_MEMORY_SECONDS = 900.0  # who nobody can tell from another may be another by then
MOST_BYTES_IN_MEMORY = 64 << 20
_DAY_SECONDS = 86400
_FORMAT = b"maestro.slo.pieces/4\n"
_DIGEST_BYTES = 32


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A piece, when it was asked for, and the digest of the piece alone."""

    asked_at: datetime
    piece: Piece


@dataclass(frozen=True)
class Key:
    """What was asked: of whom, which query, how its series are told apart, from when to when."""

    url: str
    promql: str
    roles: str
    step_seconds: float | None
    start: datetime
    end: datetime

    @cached_property
    def name(self) -> str:
        stretch = f"{self.start.timestamp():.0f} {self.end.timestamp():.0f} {self.step_seconds}"
        return hashlib.sha256("\x00".join((self.url, self.promql, self.roles, stretch)).encode()).hexdigest()


_decode_shelf = msgspec.msgpack.Decoder(ready(dict[str, bytes])).decode
_decode_piece = msgspec.msgpack.Decoder(ready(Piece)).decode


class Store(Protocol):
    def load(self, keys: Sequence[Key]) -> list[Kept | None]:
        """What is kept of each, as it was saved."""

    def save(self, pieces: Sequence[tuple[Key, Kept]]) -> list[Kept]:
        """Keep those that are worth it; gives for each what is to be measured by: what was first, or this."""


class Nowhere:
    """Keeps nothing."""

    def load(self, keys: Sequence[Key]) -> list[Kept | None]:
        return [None] * len(keys)

    def save(self, pieces: Sequence[tuple[Key, Kept]]) -> list[Kept]:
        return [kept for _, kept in pieces]


class KeptInMemory:
    """What cannot be kept on disk, for a quarter of an hour and up to 64 MiB; of one process, thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], tuple[float, bytes]] = {}  # since when, the longest held first
        self._bytes = 0

    def read(self, shelf: str, names: Iterable[str]) -> dict[str, bytes]:
        with self._lock:
            self._drop()
            found = {name: self._held.get((shelf, name)) for name in names}
        return {name: held[1] for name, held in found.items() if held is not None}

    def write(self, shelf: str, pieces: Mapping[str, bytes]) -> None:
        with self._lock:
            for name, packed in pieces.items():
                if (shelf, name) not in self._held:
                    self._held[shelf, name] = (self._monotonic(), packed)
                    self._bytes += len(packed)
            self._drop()

    def _drop(self) -> None:
        oldest = self._monotonic() - IN_MEMORY_SECONDS
        while self._held:
            first = next(iter(self._held))
            at, packed = self._held[first]
            if at > oldest and self._bytes <= MOST_BYTES_IN_MEMORY:
                return
            del self._held[first]
            self._bytes -= len(packed)


def _untold(_: OSError) -> None:
    """Nobody is told."""


class KeptOnDisk:
    """One file a query and month in a folder of the cache; what a full disk does not take goes to `memory`,
    and where there is none, `unkept` is told why.

    Making a file costs more than what is in it: those of fifty objectives had taken a second of three. Who
    writes at the same time for the same query and month may undo what another kept: it is asked for again.

    `identity` tells which Prometheus answers, and whom: what was kept under another is not found. It is in
    the names of the files as a part of a digest alone. What nobody used for 100 days goes. `zones` are those
    of the calendars whose periods are measured.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        zones: Iterable[str] = (),
        memory: KeptInMemory | None = None,
        unkept: Callable[[OSError], None] = _untold,
    ) -> None:
        self._folder = folder
        self._memory = memory
        self._unkept = unkept
        self._identity = identity
        self._zones = tuple(zone_named(zone) for zone in dict.fromkeys(zones))
        self._decoder = msgspec.msgpack.Decoder(ready(Kept))
        self._swept: set[str] = set()
        self._paths: dict[tuple[object, ...], Path] = {}

    def load(self, keys: Sequence[Key]) -> list[Kept | None]:
        """None for what is not kept, or no longer as it was written: that is set aside as `NAME.corrupt`."""
        wanted: dict[Path, list[str]] = {}
        for key in keys:
            wanted.setdefault(self._path(key), []).append(key.name)
        shelves = {
            path: {**self._remembered(path, names), **self._read(path)} for path, names in wanted.items()
        }
        return [self._opened(shelves[self._path(key)].get(key.name)) for key in keys]

    def save(self, pieces: Sequence[tuple[Key, Kept]]) -> list[Kept]:
        from maestro_cli.slo.measuring.columns import packed

        shelves: dict[Path, dict[str, bytes]] = {}
        for key, kept in pieces:
            if self._is_asked_again(key) and _is_settled(key, kept):
                small = msgspec.structs.replace(kept, piece=packed(kept.piece))
                shelves.setdefault(self._path(key), {})[key.name] = msgspec.msgpack.encode(small)
        for path, shelf in shelves.items():
            self._write(path, shelf)
        return [kept for _, kept in pieces]

    def _remembered(self, path: Path, names: Iterable[str]) -> dict[str, bytes]:
        return {} if self._memory is None else self._memory.read(str(path), names)

    def _opened(self, written: bytes | None) -> Kept | None:
        from maestro_cli.slo.measuring.columns import unpacked

        try:
            kept = None if written is None else self._decoder.decode(written)
            return None if kept is None else msgspec.structs.replace(kept, piece=unpacked(kept.piece))
        except (ValueError, msgspec.MsgspecError):
            return None  # written by another version

    def _read(self, path: Path) -> dict[str, bytes]:
        try:
            data = path.read_bytes()
        except OSError:
            return {}
        with suppress(OSError):
            os.utime(path)  # it is used
        try:
            return _decode_shelf(_unsealed(data))
        except (ValueError, msgspec.MsgspecError):
            _set_aside(path)
            return {}

    def _write(self, path: Path, shelf: dict[str, bytes]) -> None:
        body = msgspec.msgpack.encode({**self._read(path), **shelf})
        try:
            write_atomically(path, _FORMAT + hashlib.sha256(body).digest() + body, mode=0o600)
        except OSError as error:
            if self._memory is not None:
                self._memory.write(str(path), shelf)
            else:
                self._unkept(error)
            return
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
        asked = key.url, key.promql, key.roles, key.step_seconds, key.start.year, key.start.month
        if (known := self._paths.get(asked)) is None:
            told = (
                self._identity,
                key.url,
                key.promql,
                key.roles,
                str(key.step_seconds),
                f"{key.start:%Y-%m}",
            )
            name = hashlib.sha256("\x00".join(told).encode()).hexdigest()
            known = self._paths[asked] = self._folder / name[:2] / f"{name[2:]}.pieces"
        return known

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


class InMemory(KeptOnDisk):
    """The same pieces in memory alone, of a Prometheus that nobody can tell from another."""

    def __init__(self, memory: KeptInMemory, zones: Iterable[str] = ()) -> None:
        super().__init__(Path(), "", zones, memory)

    def _read(self, path: Path) -> dict[str, bytes]:
        return {}

    def _write(self, path: Path, shelf: dict[str, bytes]) -> None:
        if self._memory is not None:
            self._memory.write(str(path), shelf)


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


def as_kept(piece: Piece) -> Piece:
    """The piece as it is once it was written and read: a whole number in the place of a float is one then."""
    return _decode_piece(msgspec.msgpack.encode(piece))


def piece_digest(piece: Piece) -> str:
    """SHA-256 of what was made of an answer: see Asked."""
    return hashlib.sha256(msgspec.msgpack.encode(piece)).hexdigest()


def _unsealed(data: bytes) -> bytes:
    """Raises ValueError."""
    if not data.startswith(_FORMAT):
        raise ValueError("another format")
    head = len(_FORMAT) + _DIGEST_BYTES
    if hashlib.sha256(data[head:]).digest() != data[len(_FORMAT) : head]:
        raise ValueError("the digest is another")
    return data[head:]


def _set_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".corrupt"))
    except OSError:
        return
