"""Files that a command leaves for other programs. Invariant: written whole, or told to be missing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import unusable, write_atomically

ROOM_BYTES = 64 * 1024  # what is written may be larger: a disk that is full already is found


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Each under its name in the folder, for its owner alone. Raises ActionFailed."""
    for name, text in files.items():
        path = folder / name
        try:
            write_atomically(path, text, mode=0o600)
        except OSError as error:
            raise ActionFailed(f"{path} cannot be written", why=unusable(path, error)) from error


def remove_files(folder: Path, names: Iterable[str]) -> None:
    """Those of a folder that are there, so that none is taken for one of now. Raises ActionFailed."""
    for path in (folder / name for name in names):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            if folder.is_dir():
                raise ActionFailed(f"{path} cannot be removed", why=unusable(path, error)) from error


def require_writable(path: Path) -> None:
    """Raises ActionFailed where no file can be made beside it now, or has no room; makes no folder."""
    beside = path.with_name(f".{path.name[:80]}.{os.getpid()}.try")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if os.write(descriptor, bytes(ROOM_BYTES)) < ROOM_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
            beside.unlink()
    except OSError as error:
        raise ActionFailed(
            f"{path} cannot be written",
            why=unusable(path, error),
            fix="name a file in a folder that is there",
        ) from error


def append_to(path: Path, text: str) -> None:
    """At the end of a file that other programs write to as well. Raises ActionFailed."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
    except OSError as error:
        raise ActionFailed(f"{path} cannot be written", why=unusable(path, error)) from error
