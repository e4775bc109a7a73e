"""The process entry. Invariant: `--version` answers before anything is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return the exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from maestro_cli import __version__

        sys.stdout.write(f"maestro {__version__}\n")
        return 0
    from maestro_cli.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
