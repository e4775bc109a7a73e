"""What containers print, on disk.

Invariant: each line on disk is `RFC3339-with-nanoseconds SPACE text`; a file never grows past its
cap (one older file is kept beside it); a line that is still unfinished at 16 KiB is split.
"""

from __future__ import annotations

import io
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from maestro_cli.local.kubelet import in_place

_LOG = logging.getLogger(__name__)
_LONGEST_LINE = 16 * 1024
_FOLLOW_SECONDS = 0.15


class LogWriter:
    """Takes chunks of output and keeps them as time-stamped lines."""

    def __init__(self, path: Path, cap_bytes: int) -> None:
        self._path = path
        self._cap = cap_bytes
        with in_place.folder(path.parent, make=True):
            self._file = _appending(path)  # open as long as the container
        self._size = self._file.tell()
        self._partial = b""

    def write(self, chunk: bytes) -> int:
        """Take in a chunk; an unfinished line waits for its end. The number of bytes written."""
        whole, newline, self._partial = (self._partial + chunk).rpartition(b"\n")
        written = self._append(whole) if newline else 0
        while len(self._partial) > _LONGEST_LINE:
            written += self._append(self._partial[:_LONGEST_LINE])
            self._partial = self._partial[_LONGEST_LINE:]
        return written

    def close(self) -> None:
        if self._partial:
            self._append(self._partial)
            self._partial = b""
        self._file.close()

    def _append(self, lines: bytes) -> int:
        stamp = _stamp(time.time_ns()) + b" "
        # one call in C for all lines: a chatty container must not hold up the others
        data = stamp + lines.replace(b"\n", b"\n" + stamp) + b"\n"
        try:
            if self._size and self._size + len(data) > self._cap:
                self._rotate()
            self._size += self._file.write(data)
        except OSError as problem:  # a full disk costs log lines, never the container
            _LOG.warning("%s: %s", self._path, problem)
        return len(data)

    def _rotate(self) -> None:
        with in_place.folder(self._path.parent) as folder, suppress(FileNotFoundError):
            os.replace(self._path.name, older(self._path).name, src_dir_fd=folder, dst_dir_fd=folder)
        fresh = _appending(self._path)
        self._file.close()
        self._file, self._size = fresh, 0


def _appending(path: Path) -> io.FileIO:
    return open(path, "ab", buffering=0, opener=in_place.opener)


def older(path: Path) -> Path:
    """The rotated file beside a log."""
    return path.with_name(path.name + ".1")


def _stamp(nanoseconds: int) -> bytes:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z".encode()


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The options of `GET /containerLogs`; `since` is the instant from which lines count."""

    tail_lines: int | None = None
    since: datetime | None = None
    timestamps: bool = False
    limit_bytes: int | None = None
    follow: bool = False


def read_log(path: Path, query: LogQuery, *, alive: Callable[[], bool]) -> Iterator[bytes]:
    """The lines asked for; with follow, until `alive` says that the container is over.

    Blocks between lines: for threads only.
    """
    left = query.limit_bytes
    for line in _wanted(path, query, alive):
        text = line if query.timestamps else line.partition(b" ")[2]
        if left is not None:
            text = text[:left]
            left -= len(text)
        if text:
            yield text
        if left == 0:
            return


def _wanted(path: Path, query: LogQuery, alive: Callable[[], bool]) -> Iterator[bytes]:
    since = _stamp(int(query.since.timestamp() * 1e9)) if query.since else b""
    file = _reading(path)  # when it is followed, the next one takes its place
    try:
        past = _existing(path, file)
        fitting: Iterator[bytes] = (line for line in past if line.partition(b" ")[0] >= since)
        if query.tail_lines is not None:
            fitting = iter(deque(fitting, maxlen=query.tail_lines))
        yield from fitting
        while query.follow:
            yield from _coming(path, file, alive)
            if not _rotated(path, file):
                return
            yield from file
            file.close()
            file = _reading(path)
    finally:
        file.close()


def _reading(path: Path) -> io.BufferedReader:
    return open(path, "rb", opener=in_place.opener)


def _existing(path: Path, current: io.BufferedReader) -> Iterator[bytes]:
    try:
        with _reading(older(path)) as before:
            yield from before
    except FileNotFoundError:
        pass
    yield from current


def _coming(path: Path, file: io.BufferedReader, alive: Callable[[], bool]) -> Iterator[bytes]:
    """What is added to this file, until it is rotated or the container is over."""
    while True:
        still = alive()  # asked before reading: what was printed last must still be found
        yield from file
        if not still or _rotated(path, file):
            return
        time.sleep(_FOLLOW_SECONDS)


def _rotated(path: Path, file: io.BufferedReader) -> bool:
    try:
        return os.stat(path).st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
