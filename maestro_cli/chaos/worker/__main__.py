"""Performs the experiment that comes over the socket FD, and ends with its parent.

Invariant: when the parent goes away, also by kill -9, the experiment is ended with its rollbacks, and this
process and what it started end in any case.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

from maestro_cli.chaos.line import Asking, Line, connect

ORPHAN_SECONDS = 15.0  # for rollbacks that need no parent


def main(descriptor: int) -> None:
    line = Line(socket.socket(fileno=descriptor))
    asking = Asking(line)
    connect(asking)
    messages = line.messages()
    order = next(messages, None)
    if order is None:
        return

    def listen() -> None:
        for message in messages:
            asking.answered(message)
        asking.end()
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(ORPHAN_SECONDS)
        _end_group()

    from maestro_cli.chaos.worker.performance import Performance

    if folder := order["order"].get("folder"):
        sys.path.append(folder)  # modules beside the file, after everything else
    performance = Performance(line, order["order"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, performance.stop)
    threading.Thread(target=listen, daemon=True, name="listen").start()
    journal = performance.run()
    with suppress(OSError):
        line.send({"event": "finished", "journal": journal})
    sys.stdout.flush()
    _end_group()


def _end_group() -> None:
    """This process and whatever its activities left; it leads a group of its own."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
