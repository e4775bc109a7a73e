"""Files written whole, files read without waiting, and why one cannot be used.

Invariant: whoever reads a path that is written here sees the old content or the new, never a part of it; what
fails leaves the old file and nothing beside it.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegular(OSError):
    """The path is a pipe, a device or a socket: who reads it may wait, or read, without end."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "Not a regular file", str(path))


def write_atomically(
    path: Path,
    content: str | bytes,
    *,
    mode: int = 0o644,
    keeps_mode: bool = False,
    durable: bool = False,
    new: bool = False,
) -> None:
    """Write beside the file and rename, making its folder where it is missing. Raises OSError naming a file.

    The new file has `mode`, less what the umask takes, from its first byte on; with `keeps_mode` it takes
    over exactly the mode of the file it replaces. A link at `path` is replaced, not followed. `durable`
    waits until the disk has it: for what nobody could write again. `new` raises FileExistsError where there
    is a file: of two who write at the same time one does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = path.stat().st_mode & 0o777 if keeps_mode and path.exists() else None
    beside = path.with_name(f".{path.name[:80]}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if kept is not None:
                os.fchmod(stream.fileno(), kept)
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        if new:
            _put_new(beside, path)
        else:
            os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk names no file
            error.filename = str(path)
        raise
    if durable:
        _sync_folder(path.parent)


def _put_new(beside: Path, path: Path) -> None:
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: its name is taken first, for an instant without content
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
        os.replace(beside, path)
    else:
        beside.unlink()


def open_file(path: Path) -> BinaryIO:
    """Open for reading what is a file, without ever waiting for it.

    Raises OSError, NotRegular for a pipe or a device: who opens a pipe waits until somebody writes to it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise NotRegular(path)


def _sync_folder(folder: Path) -> None:
    """The new name too must reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unusable(path: Path, error: OSError) -> str:
    """Why a path cannot be used, in words: the part of it that is at fault, else what the system says."""
    try:
        for part in (path, *path.parents):
            if part.is_symlink() and not part.exists():
                return f"{part} is a link to nothing"
            if part != path and part.exists() and not part.is_dir():
                return f"{part} is not a folder"
    except OSError as denied:  # a folder on the way may not be looked into
        error = denied
    if isinstance(error, FileExistsError):
        return f"{path} is not a folder"
    return error.strerror or type(error).__name__
