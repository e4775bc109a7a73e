"""Read the logs of parts. Invariant: lines come in order, decoded with replacement, without their newline."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import SEEK_END, BufferedReader
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation

_BLOCK = 65_536
_MAX_LINE = 1_048_576
_POLL_SECONDS = 0.2


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a file, oldest first; empty when there is no such file."""
    try:
        with path.open("rb") as stream:
            return [_text(line) for line in _tail(stream, count)]
    except FileNotFoundError:
        return []


def follow_lines(path: Path, count: int, cancellation: Cancellation) -> Iterator[str]:
    """The last lines, then each line as it is written, until cancelled.

    Goes on with the new file when the log was renamed, and starts over when it was cut.
    """
    yield from last_lines(path, count)
    stream = path.open("rb")
    try:
        stream.seek(0, SEEK_END)
        rest = b""
        while not cancellation.wait(_POLL_SECONDS):
            renamed = _is_another(path, stream)
            if not renamed and path.exists() and path.stat().st_size < stream.tell():
                stream.seek(0)
                rest = b""
            while block := stream.read(_BLOCK):
                *lines, rest = (rest + block).split(b"\n")
                yield from map(_text, lines)
                if len(rest) > _MAX_LINE:
                    yield _text(rest)
                    rest = b""
            if renamed:  # after what was written before the new name
                stream.close()
                stream, rest = path.open("rb"), b""
    finally:
        stream.close()


def _is_another(path: Path, stream: BufferedReader) -> bool:
    try:
        return not os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False  # between the renaming and the new file


def _tail(stream: BufferedReader, count: int) -> list[bytes]:
    """Read backwards until there are enough lines; a last line without newline counts."""
    position = stream.seek(0, SEEK_END)
    data = b""
    while position > 0 and data.count(b"\n") <= count:
        step = min(_BLOCK, position)
        position = stream.seek(position - step)
        data = stream.read(step) + data
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines[-count:] if count > 0 else []


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r")
