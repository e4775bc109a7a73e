"""The process entry.

Invariant: `--version` answers before anything is imported; Ctrl-C while something is ends in one line, as it
does later, for nothing was begun yet that has to be ended in order.
"""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130  # the exit code of SIGINT; the table of all of them is not imported yet


def main() -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from maestro_cli import __version__

        try:
            os.write(1, f"maestro {__version__}\n".encode())  # nothing that was refused is kept to be written
            return 0
        except OSError:  # closed, full or unread: the command line knows what to do
            pass
    import signal

    # No exception, which a library may swallow while it is imported; who ignores it goes on ignoring it.
    # Until the command has handlers of its own.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from maestro_cli.cli.main import run

    return run(arguments)


def _leave(*_: object) -> None:
    """End here and now."""
    try:
        os.write(2, b"maestro: error: interrupted\n")
    finally:  # also where nobody listens
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
