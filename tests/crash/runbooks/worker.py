"""A process for one run, to be killed: `worker.py FOLDER start|resume|answer STEP VALUE`."""

from __future__ import annotations

import sys
from pathlib import Path

from maestro_cli.runbooks.reader import read_runbook
from tests.unit.runbooks.bench import Bench

KEY = "incident/inc-1/0"


def main(folder: Path, action: str) -> int:
    bench = Bench(folder)
    try:
        runner = bench.runner()
        if action == "resume":
            return int(runner.resume(runner.history.list()[0].id).exit_code)
        if action.startswith("answer "):
            _, path, said = action.split()
            bench.control().answer(runner.history.list()[0].id, path, said)
            return 0
        return int(runner.start(read_runbook(folder / "book.md"), {}, key=KEY).exit_code)
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
