"""Runs one experiment in the folder it is given, to be ended on the way: by signals as a command is.

Its own rollbacks take a second and a half, and write the file `rolled-back`, where a third word says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

from maestro_cli.cli.signals import Signals
from tests.contract.chaos.lab import Lab, data, experiment
from tests.contract.chaos.performed import action

if __name__ == "__main__":
    cancellation = Signals().cooperative()
    folder, given = Path(sys.argv[1]), data(hold=float(sys.argv[2]))
    if sys.argv[3:]:
        done = str(folder / "rolled-back")
        given["rollbacks"] += [
            action("slow", {"type": "process", "path": "sleep", "arguments": "1.5"}),
            action("done", {"type": "process", "path": "touch", "arguments": done}),
        ]
    report = Lab(folder).run(experiment(given), cancellation=cancellation)
    sys.exit(int(report.judged.exit_code))
