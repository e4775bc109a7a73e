"""Read the logs of parts. Invariant: lines come in order, decoded with replacement, without their newline."""

from __future__ import annotations

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
    """The last lines, then each line as it is written, until cancelled; starts over when it was cut."""
    yield from last_lines(path, count)
    with path.open("rb") as stream:
        position = stream.seek(0, SEEK_END)
        rest = b""
        while not cancellation.wait(_POLL_SECONDS):
            if path.exists() and path.stat().st_size < position:
                position, rest = stream.seek(0), b""
            while block := stream.read(_BLOCK):
                *lines, rest = (rest + block).split(b"\n")
                yield from map(_text, lines)
                if len(rest) > _MAX_LINE:
                    yield _text(rest)
                    rest = b""
            position = stream.tell()


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
