"""Who holds a lease, so that another process can tell whether it is still at work.

Invariant: a holder is called dead only when that is certain: same machine, and no such process, or the
process id now belongs to one that started at another time. A dead holder's lease need not be waited for.
"""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.core.errors import Busy
from maestro_cli.journal.model import Lease
from maestro_cli.journal.store import Journal


@dataclass(frozen=True, slots=True)
class Holder:
    """`subject` is what the lease is held for (a change or run id); prints into the journal's lease."""

    subject: str
    host: str
    pid: int
    started: str
    nonce: str

    def __str__(self) -> str:
        return " ".join((self.subject, self.host, str(self.pid), self.started, self.nonce))

    @property
    def is_dead(self) -> bool:
        """Certainly no longer running."""
        if self.host != socket.gethostname():
            return False
        if not _exists(self.pid):
            return True
        return self.started not in ("-", _started(self.pid))


def this_process(subject: str) -> Holder:
    """A holder for work in this process; each call gives another one, so that threads are told apart."""
    return Holder(subject, socket.gethostname(), os.getpid(), _started(os.getpid()), secrets.token_hex(4))


def parse_holder(text: str) -> Holder | None:
    """The holder that a lease names, or None when something else wrote it."""
    parts = text.split(" ")
    if len(parts) != 5 or not parts[2].isdigit():
        return None
    return Holder(parts[0], parts[1], int(parts[2]), parts[3], parts[4])


def acquire(journal: Journal, name: str, subject: str, seconds: float) -> Lease:
    """Take a name for a piece of work of this process; raises Busy while somebody else holds it.

    The lease of a process that has certainly died is taken over at once.
    """
    holder = str(this_process(subject))
    try:
        return journal.acquire_lease(name, holder, seconds)
    except Busy:
        held = journal.lease(name)
        other = None if held is None else parse_holder(held.holder)
        if held is not None and (other is None or not other.is_dead):
            raise
    if held is not None:
        journal.release_lease(held)
    return journal.acquire_lease(name, holder, seconds)


def is_held(journal: Journal, name: str) -> bool:
    """Whether somebody works under that lease: it runs, and its process has not certainly died."""
    held = journal.lease(name)
    holder = None if held is None else parse_holder(held.holder)
    return held is not None and (holder is None or not holder.is_dead)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str:
    """The start time in clock ticks since boot (proc(5), field 22); `-` where there is no /proc.

    A zombie counts as another process: it has ended.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "-"
    fields = stat.rpartition(")")[2].split()
    return "ended" if fields[0] in "ZX" else fields[19]
