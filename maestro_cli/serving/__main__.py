"""`python -m maestro_cli.serving`: the bundled model server as a process."""

from __future__ import annotations

import sys

from maestro_cli.serving.options import parse


def main() -> int:
    options = parse(sys.argv[1:])
    from maestro_cli.serving.server import run  # a wrong command line answers before onnxruntime is loaded

    return int(run(options))


if __name__ == "__main__":
    sys.exit(main())
