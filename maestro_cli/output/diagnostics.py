"""The only writer of stderr, beside progress. Invariant: an error is three plain lines; no traceback
unless `MAESTRO_DEBUG=1`; stdout is flushed before, so that the two never swap."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from maestro_cli.core.errors import ActionFailed, ExitCode, MaestroError
from maestro_cli.core.files import unusable
from maestro_cli.core.untrusted import visible

_LONGEST = 4000  # characters of one line
_hearing: list[Callable[[str], None]] = []
_noted: set[str] = set()


def report(error: BaseException) -> ExitCode:
    """Write the error and return the exit code it ends with."""
    _flush_stdout()
    if isinstance(error, OSError) and isinstance(error.filename, str):
        error = _of_file(error, error.filename)
    if isinstance(error, MaestroError):
        lines = [f"maestro: error: {error.what}"]
        lines += [f"  {word}: {text}" for word, text in (("why", error.why), ("fix", error.fix)) if text]
        code = error.exit_code
    else:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        lines = [
            f"maestro: internal error: {what}",
            "  why: this is a defect of maestro, not of your input",
            "  fix: run again with MAESTRO_DEBUG=1 and report what it prints",
        ]
        code = ExitCode.INTERNAL
    if os.environ.get("MAESTRO_DEBUG") == "1":
        lines += "".join(traceback.format_exception(error)).splitlines()
    _write(lines)
    return code


def _of_file(error: OSError, name: str) -> ActionFailed:
    """A file or folder that the system refuses is no defect of maestro, whoever asked for it."""
    found = ActionFailed(
        f"{name} cannot be used",
        why=unusable(Path(name), error),
        fix="check that it is there, that you may use it, and that the disk has room",
    )
    found.__cause__ = error
    return found


def warn(text: str) -> None:
    _say(f"maestro: warning: {text}")


def note(text: str) -> None:
    """A remark for the person, not part of the data."""
    _say(text)


def note_once(text: str) -> None:
    """A remark that is made once in the life of a process, however often there is cause for it."""
    if text not in _noted:
        _noted.add(text)
        note(text)


@contextmanager
def told_to(hear: Callable[[str], None]) -> Iterator[None]:
    """While it is open, remarks and warnings go there, not to stderr: a full screen is on the terminal."""
    _hearing.append(hear)
    try:
        yield
    finally:
        _hearing.remove(hear)


def _say(text: str) -> None:
    if _hearing:
        _hearing[-1](visible(text, _LONGEST))
        return
    _flush_stdout()
    _write([text])


def _flush_stdout() -> None:
    try:
        sys.stdout.flush()
    except (OSError, ValueError):  # nobody reads it, the disk is full, or it is closed
        return


def _write(lines: list[str]) -> None:
    stream = sys.stderr  # looked up at each call: tests and redirections replace it
    try:
        stream.write("".join(visible(line, _LONGEST) + "\n" for line in lines))
        stream.flush()
    except (OSError, ValueError):
        return
