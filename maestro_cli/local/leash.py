"""Become another program that is sent a signal when our parent ends.

`leash.py PARENT SIGNAL NICENESS PROGRAM [ARGUMENT...]`

Run as a file of its own, for what it does belongs between fork and exec, and Python may do nothing there
in a process with threads. Invariant: the standard library alone, and the pid stays.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, told: int, niceness: int, command: list[str]) -> None:
    """Does not return; exits 1 when the parent has gone already. Only Linux tells a child of that later."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would hand that on
    os.nice(niceness)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, told)
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
