"""Files and folders that a pod's own processes could have exchanged for links.

A process is no container: it may rename what the kubelet made and put a link there. Invariant: no link is
followed, at any level, and only regular files are opened. The paths are those that the kubelet made, below
its resolved state folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


@contextmanager
def folder(path: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder, for `dir_fd`; with `make` what is missing is made.

    Raises OSError when it is missing, or when a part of the path is a link or no folder.
    """
    current = os.open(path.anchor, _FOLDER)
    try:
        for part in path.parts[1:]:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=current)
            inner = os.open(part, _FOLDER, dir_fd=current)
            os.close(current)
            current = inner
        yield current
    finally:
        os.close(current)


def opener(path: str, flags: int) -> int:
    """For `open(path, mode, opener=opener)`. Raises OSError, also for what is no regular file."""
    with folder(Path(path).parent) as parent:
        # without O_NONBLOCK a named pipe in its place would hold up the kubelet
        extra = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(Path(path).name, flags | extra, 0o644, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file", path)
    return descriptor
