"""`python -m maestro_cli.serving`, which is `maestro serve`: the bundled model server as a process."""

from __future__ import annotations

import sys


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["keys"]:
        from maestro_cli.serving.access import command

        return int(command.run(arguments[1:]))
    from maestro_cli.serving.options import parse

    options = parse(arguments)
    from maestro_cli.serving.server import run  # a wrong command line answers before onnxruntime is loaded

    return int(run(options))


if __name__ == "__main__":
    sys.exit(main())
