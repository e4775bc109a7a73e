"""The process entry. Invariant: `--version` answers before anything is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from maestro_cli import __version__

        try:
            sys.stdout.write(f"maestro {__version__}\n")
            sys.stdout.flush()
            return 0
        except (OSError, AttributeError):  # closed, full or unread: the command line knows what to do
            pass
    from maestro_cli.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
