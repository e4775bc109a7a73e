"""Text that is too long for a command line: from a file, or from the pipe.

Invariant: bounded, and read as UTF-8 whatever it holds; what it says is untrusted like any other text.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maestro_cli.core.errors import InvalidFile, UsageError

MAX_BYTES = 64 << 10

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="FILE", help="The text, from a file; - reads the pipe.")
]


def text_from(words: str, file: str | None, max_bytes: int = MAX_BYTES) -> str:
    """What was said on the command line, or what the file (`-`: standard input) holds.

    Raises UsageError when both are given or it is longer than that, InvalidFile when it cannot be read.
    """
    if file is None:
        return words
    if words:
        raise UsageError("the text is given twice", fix="give it as an argument, or with --from FILE")
    try:
        if file == "-":
            data = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(max_bytes + 1)
    except OSError as error:
        raise InvalidFile("the text cannot be read", file=file, why=error.strerror or str(error)) from error
    if len(data) > max_bytes:
        raise UsageError(f"the text of {file} is longer than {max_bytes >> 10} KiB", fix="put a part of it")
    return data.decode("utf-8", "replace")
