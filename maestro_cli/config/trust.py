"""Whether the maestro.yaml of a folder may say what maestro works against.

Invariant: a file that somebody else could have written is refused, not ignored: ignoring it would work
against another context than its owner believes. Judged is the file that is read, not the name it had before.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path

from maestro_cli.core.errors import PolicyRefused


def require_trusted(path: Path, opened: os.stat_result, trusted: Sequence[str]) -> None:
    """Raises PolicyRefused when another user owns the file (or the link to it) or may write it.

    `opened` is the state of the file that was opened; `trusted` are folders that the user said are fine.
    """
    if any(path.parent.resolve() == Path(folder).resolve() for folder in trusted):
        return
    for state in (path.lstat(), opened):
        if state.st_uid not in _own_users():
            raise PolicyRefused(
                f"{path} is not trusted",
                why=f"it belongs to {_user(state.st_uid)}, and it says what maestro works against",
                fix=f"read it, then write trust: [{path.parent}] in config.yaml; or work in another folder",
            )
    if opened.st_mode & stat.S_IWOTH or (opened.st_mode & stat.S_IWGRP and not _is_own_group(opened.st_gid)):
        raise PolicyRefused(
            f"{path} is not trusted",
            why="other users may write it, and it says what maestro works against",
            fix=f"read it, then: chmod go-w {path}",
        )


def _own_users() -> set[int]:
    """This user, root, and who became root by sudo."""
    caller = os.environ.get("SUDO_UID", "") if os.geteuid() == 0 else ""
    return {os.geteuid(), 0} | ({int(caller)} if caller.isascii() and caller.isdigit() else set())


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _is_own_group(gid: int) -> bool:
    """A group of this user alone, as systems with umask 002 give each user one."""
    try:
        me, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_gid == me.pw_gid and group.gr_name == me.pw_name and set(group.gr_mem) <= {me.pw_name}
